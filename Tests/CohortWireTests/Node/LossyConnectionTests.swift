internal import CohortCore
internal import CohortFuzzKit
internal import CohortWire
internal import Testing

/// A session over a connection that loses much of what it is given.
struct LossyConnectionTests {
    @Test("Everything comes, once and in order, and soon after the last loss", arguments: 1...16 as ClosedRange<UInt64>)
    func loss(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        // In percent.
        let percent = [1, 5, 20, 40][Int(seed % 4)]
        var pair = NodePair(isDurable: seed.isMultiple(of: 3))
        _ = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(0)
        var loss = SplitMix64(seed: seed &+ 1_000)
        pair.isLost = { loss.next() % 100 < percent }
        var sent: UInt32 = 0
        var answered: [UInt32] = []
        func collect() {
            for case .received(.update(let update)) in pair.takeInbox(0) { answered += update.answers.map(\.token) }
        }
        // Requests in bursts of many sizes, each of which is answered.
        for _ in 0..<50 {
            for _ in 0..<[0, 1, 3, 30, 300][Int(random.next() % 5)] {
                sent += 1
                pair.peers[0].send(.cancelGroup(.name("none"), grace: nil, reason: "", token: sent))
            }
            pair.pass(.milliseconds(100), step: .milliseconds(100))
            collect()
        }
        pair.isLost = { false }
        pair.pass(.seconds(3), step: .milliseconds(100))
        collect()
        let isWhole = answered == Array(1...max(sent, 1))
        #expect(isWhole, "\(percent) %: \(answered.count) answers to \(sent) requests")
        pair.pass(.seconds(2), step: .milliseconds(100))
        #expect(pair.peers[0].unacknowledgedCount == 0)
        #expect(pair.peers[0].isOpen && pair.peers[0].session.session == 1)
    }
}
