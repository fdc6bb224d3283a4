internal import DequeModule

/// What peers that are gone have asked for last, so that an old greeting that comes late is not taken for a new peer.
///
/// Greetings wait no longer than this process is busy: a bounded number of peers is enough.
package struct DepartedTokens: Sendable, Equatable {
    private static let most = 4_096

    /// Looked up, never iterated.
    private var numbers: [PeerToken: UInt32] = [:]
    private var order: Deque<Entry> = []

    private struct Entry: Equatable {
        var token: PeerToken
        var number: UInt32
    }

    /// - Parameter number: of its latest session; the highest there is for a peer that does not come back.
    package mutating func remember(_ token: PeerToken, latest number: UInt32) {
        guard token != .none else { return }
        numbers[token] = number
        order.append(Entry(token: token, number: number))
        while order.count > Self.most, let oldest = order.popFirst() {
            if numbers[oldest.token] == oldest.number { numbers[oldest.token] = nil }
        }
    }

    package func latest(of token: PeerToken) -> UInt32? { numbers[token] }
}
