internal import CohortCore
internal import CohortWire
internal import Testing

/// What somebody gets who asks again and again for what he was sent.
struct NodeRepeatTests {
    /// A session in which both sides have said something that the other one has not had.
    private static func open() -> NodePair {
        var pair = NodePair()
        _ = pair.add(NodePair.client())
        pair.run()
        pair.peers[0].send(.query)
        pair.peers[0].outgoing.removeAll()
        let header = FrameHeader(epoch: 7, session: 1, sequence: 1, acknowledge: 0)
        pair.coordinator.received(route: pair.route(0), frames: FrameCodec.encode(header, .query), at: pair.now)
        pair.coordinator.flush(at: pair.now)
        pair.coordinator.outgoing.removeAll()
        return pair
    }

    private static let request = FrameCodec.encode(FrameHeader(epoch: 7, session: 1), .resend(from: 1))

    private static func bodies(_ messages: [[[UInt8]]]) -> [FrameBody] {
        messages.compactMap { try? FrameCodec.decode($0).1 }
    }

    @Test("A flood of requests is answered once, and what is too much of it is counted")
    func flood() {
        var pair = Self.open()
        for _ in 0..<5_000 {
            pair.coordinator.received(route: pair.route(0), frames: Self.request, at: pair.now)
            pair.peers[0].received(frames: Self.request, at: pair.now)
        }
        #expect(pair.coordinator.outgoing.count == 1)
        #expect(Self.bodies(pair.peers[0].outgoing) == [.query])
        // The first one is answered; a thousand may be what was on its way.
        #expect(pair.coordinator.badFrames == 3_999)
        #expect(pair.peers[0].badFrames == 3_999)
        #expect(Set(pair.coordinator.notices.map { "\($0)" }).count <= 2)
        #expect(pair.coordinator.peerCount == 1)
        #expect(pair.peers[0].isOpen)
    }

    @Test("A peer that asks for ever loses its session, and is told why")
    func endlessPeer() {
        var pair = Self.open()
        var now = pair.now
        for _ in 0..<70 {
            pair.coordinator.received(route: pair.route(0), frames: Self.request, at: now)
            now = now.advanced(by: .milliseconds(500))
        }
        pair.coordinator.flush(at: now)
        let reason = "message 1 is asked for, and of what was sent again 64 times nothing has arrived"
        #expect(Self.bodies(pair.coordinator.outgoing.map(\.frames)).last == .goodbye(reason))
        #expect(pair.coordinator.notices.contains(.expelled(reason)))
        #expect(pair.coordinator.peerCount == 0)
    }

    @Test("A coordinator that asks for ever is left; the next session may be better")
    func endlessCoordinator() {
        var pair = Self.open()
        _ = pair.takeInbox(0)
        for _ in 0..<70 {
            pair.peers[0].received(frames: Self.request, at: pair.now)
            pair.now = pair.now.advanced(by: .milliseconds(500))
        }
        let reason = "message 1 is asked for, and of what was sent again 64 times nothing has arrived"
        #expect(pair.takeInbox(0) == [.lost(.unknown(reason))])
    }
}
