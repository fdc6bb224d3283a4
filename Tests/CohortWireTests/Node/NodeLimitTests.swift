internal import CohortCore
internal import CohortWire
internal import Testing

/// What one peer can do to the other end, and what it cannot.
struct NodeLimitTests {
    private static let bad = FrameCodec.encode(FrameHeader(), .seal(GroupKey(1), .returned))

    /// A message of a session with this number, which has a body that is none.
    private static func malformed(_ header: FrameHeader) -> [[UInt8]] {
        // A payload behind a message that has none.
        FrameCodec.encode(header, .query) + [[1, 2, 3]]
    }

    private static func bodies(_ datagrams: [CoordinatorNode.Datagram]) -> [FrameBody] {
        datagrams.compactMap { try? FrameCodec.decode($0.frames).1 }
    }

    /// A coordinator with a client whose session is open, at route 0.
    private static func open(limits: Limits = Limits()) -> NodePair {
        var pair = NodePair(limits: limits)
        _ = pair.add(NodePair.client())
        pair.run()
        return pair
    }

    @Test("A token that stands for somebody else in the journal lets nobody in")
    func reservedToken() {
        var pair = NodePair()
        let greeting = Greeting(role: .client, name: "c", host: "h", processID: 1, token: .gone)
        let hello = FrameCodec.encode(FrameHeader(), .hello(greeting))
        pair.coordinator.received(route: [1], frames: hello, at: pair.now)
        pair.coordinator.flush(at: pair.now)
        let bodies = Self.bodies(pair.coordinator.outgoing)
        #expect(bodies == [.refused("its token is reserved: it must be a random one")])
        #expect(pair.coordinator.peerCount == 0)
    }

    @Test("A coordinator asks once more for what it cannot understand, then ends the session and says why")
    func malformedRequest() {
        var pair = Self.open()
        let header = FrameHeader(epoch: 7, session: 1, sequence: 1, acknowledge: 0)
        pair.coordinator.received(route: pair.route(0), frames: Self.malformed(header), at: pair.now)
        #expect(Self.bodies(pair.coordinator.outgoing) == [.resend(from: 1)])
        #expect(pair.coordinator.peerCount == 1)
        pair.coordinator.outgoing.removeAll()
        pair.coordinator.received(route: pair.route(0), frames: Self.malformed(header), at: pair.now)
        pair.coordinator.received(route: pair.route(0), frames: Self.malformed(header), at: pair.now)
        pair.coordinator.flush(at: pair.now)
        let reason =
            "its message 1 cannot be understood: a payload frame behind a message that has none"
        #expect(Self.bodies(pair.coordinator.outgoing) == [.goodbye(reason)])
        #expect(pair.coordinator.notices.filter { $0 == .expelled(reason) }.count == 1)
        #expect(pair.coordinator.peerCount == 0)
        #expect(pair.coordinator.badFrames == 3)
    }

    @Test("What was damaged on the way is healed by sending it again")
    func damaged() {
        var pair = Self.open()
        pair.peers[0].send(.query)
        let good = pair.peers[0].outgoing
        pair.peers[0].outgoing.removeAll()
        let header = FrameHeader(epoch: 7, session: 1, sequence: 1, acknowledge: 0)
        pair.coordinator.received(route: pair.route(0), frames: Self.malformed(header), at: pair.now)
        pair.run()
        #expect(good.count == 1)
        let isAnswered = pair.takeInbox(0).contains { notice in
            if case .received(.snapshot) = notice { true } else { false }
        }
        #expect(isAnswered)
        #expect(pair.coordinator.peerCount == 1)
    }

    @Test("A peer asks once more too, then gives the session up without a goodbye: it may come back with what it has")
    func malformedNews() {
        var pair = Self.open()
        _ = pair.takeInbox(0)
        let header = FrameHeader(epoch: 7, session: 1, sequence: 1, acknowledge: 0)
        pair.peers[0].received(frames: Self.malformed(header), at: pair.now)
        #expect(pair.peers[0].outgoing.compactMap { try? FrameCodec.decode($0).1 } == [.resend(from: 1)])
        pair.peers[0].outgoing.removeAll()
        pair.peers[0].received(frames: Self.malformed(header), at: pair.now)
        let reason = "message 1 cannot be understood: a payload frame behind a message that has none"
        #expect(pair.takeInbox(0) == [.lost(.unknown(reason))])
        #expect(pair.peers[0].outgoing.isEmpty)
    }

    @Test("A peer that cannot understand what comes in session after session gives up for good, and says why")
    func malformedAlways() {
        var pair = Self.open()
        #expect(Self.losses(of: &pair, sessions: 4, each: .milliseconds(100)) == [.retried, .retried, .retried, .over])
    }

    @Test("Now and then something may be damaged twice over")
    func malformedSeldom() {
        var pair = Self.open()
        #expect(Self.losses(of: &pair, sessions: 6, each: .seconds(11)) == Array(repeating: .retried, count: 6))
    }

    private enum Loss { case retried, over }

    /// Gives the peer what it cannot understand, some time into each of its sessions.
    private static func losses(of pair: inout NodePair, sessions: Int, each span: TimeSpan) -> [Loss] {
        var losses: [Loss] = []
        for _ in 0..<sessions {
            pair.pass(span)
            _ = pair.takeInbox(0)
            let session = pair.peers[0].session
            let next = session.link.lastReceived + 1
            let header = FrameHeader(epoch: 7, session: session.session, sequence: next, acknowledge: 0)
            for _ in 0..<2 { pair.peers[0].received(frames: malformed(header), at: pair.now) }
            for case .lost(let loss) in pair.takeInbox(0) {
                switch loss {
                case .unknown: losses.append(.retried)
                case .incomprehensible: losses.append(.over)
                default: break
                }
            }
            pair.resume(0)
            pair.pass(.seconds(1), step: .milliseconds(10))
        }
        return losses
    }

    @Test("Who never acknowledges what he is sent is dropped, at so many messages or bytes", arguments: [true, false])
    func unacknowledged(byCount: Bool) {
        var limits = Limits()
        if byCount { limits.unacknowledgedMessages = 100 } else { limits.unacknowledgedBytes = 2_000 }
        var pair = Self.open(limits: limits)
        for sequence in 1...120 as ClosedRange<UInt64> {
            let header = FrameHeader(epoch: 7, session: 1, sequence: sequence, acknowledge: 0)
            pair.coordinator.received(route: pair.route(0), frames: FrameCodec.encode(header, .query), at: pair.now)
            pair.coordinator.flush(at: pair.now)
        }
        pair.coordinator.flush(at: pair.now)
        #expect(pair.coordinator.peerCount == 0)
        #expect(pair.coordinator.notices.contains(.expelled("it does not acknowledge what it is sent")))
    }

    @Test("A greeting with endless names, or too many functions, is refused")
    func greetings() throws {
        let name = String(repeating: "n", count: 1_025)
        var offer = WorkerOffer(
            name: "w",
            host: "h",
            processID: 1,
            slots: 1,
            credit: 1,
            runsCommands: true,
            functions: [name]
        )
        var greetings = [Greeting(role: .client, name: name, host: "h", processID: 1, token: PeerToken(1))]
        greetings.append(Greeting(role: .client, name: "c", host: name, processID: 1, token: PeerToken(1)))
        greetings.append(Greeting(role: .worker(offer), name: "w", host: "h", processID: 1, token: PeerToken(1)))
        offer.functions = (0...10_000).map(String.init)
        greetings.append(Greeting(role: .worker(offer), name: "w", host: "h", processID: 1, token: PeerToken(1)))
        for greeting in greetings {
            var pair = NodePair()
            let peer = pair.add(greeting)
            pair.run()
            guard case .lost(.refused(let reason)) = try #require(pair.takeInbox(peer).first) else {
                Issue.record("not refused")
                continue
            }
            #expect(reason.contains("more than"))
            #expect(pair.coordinator.peerCount == 0)
        }
    }

    @Test("Strangers are answered a few times a second, all of them together too")
    func strangers() {
        var limits = Limits()
        limits.strangerReplies = 10
        var pair = NodePair(limits: limits)
        for route in 0..<20 as Range<UInt8> {
            for _ in 0..<6 { pair.coordinator.received(route: [route], frames: Self.bad, at: pair.now) }
        }
        #expect(pair.coordinator.outgoing.map(\.route) == [[0], [0], [0], [0], [1], [1], [1], [1], [2], [2]])
        pair.coordinator.outgoing.removeAll()
        let later = pair.now.advanced(by: .seconds(1))
        pair.coordinator.received(route: [5], frames: Self.bad, at: later)
        #expect(pair.coordinator.outgoing.map(\.route) == [[5]])
    }
}
