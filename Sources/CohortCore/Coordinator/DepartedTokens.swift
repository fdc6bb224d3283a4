internal import DequeModule

/// What peers that are gone have asked for last, so that an old greeting that comes late is not taken for a new peer.
///
/// Greetings wait no longer than this process is busy: a bounded number of peers is enough.
package struct DepartedTokens: Sendable, Equatable {
    private static let most = 4_096

    /// How far a peer had come.
    enum Departure: Equatable {
        /// Its session of this number was given up: it may not have learnt that, and greet again.
        case givenUp(UInt32)
        /// It has ended its session of this number itself, and has no use for that or an earlier one.
        case ended(UInt32)
        /// Its process is dead.
        case died
    }

    /// Looked up, never iterated.
    private var departures: [PeerToken: Departure] = [:]
    private var order: Deque<Entry> = []

    private struct Entry: Equatable {
        var token: PeerToken
        var departure: Departure
    }

    mutating func remember(_ token: PeerToken, _ departure: Departure) {
        guard token != .none, departures[token] != departure else { return }
        departures[token] = departure
        order.append(Entry(token: token, departure: departure))
        while order.count > Self.most, let oldest = order.popFirst() {
            if departures[oldest.token] == oldest.departure { departures[oldest.token] = nil }
        }
    }

    /// Whether a greeting for a session of this number is from before the peer went.
    func isOutdated(_ number: UInt32, of token: PeerToken) -> Bool {
        switch departures[token] {
        case .givenUp(let latest): number < latest
        case .ended(let latest): number <= latest
        case .died: true
        case nil: false
        }
    }

    /// Whether its greeting for this session has been here before, and the session was given up.
    func hasGivenUp(_ number: UInt32, of token: PeerToken) -> Bool { departures[token] == .givenUp(number) }
}

extension SessionEnd {
    /// What is remembered of a peer whose session of this number has ended so.
    func departure(from number: UInt32) -> DepartedTokens.Departure {
        switch self {
        case .goodbye: .ended(number)
        case .died: .died
        case .leaseExpired, .unreachable: .givenUp(number)
        }
    }
}
