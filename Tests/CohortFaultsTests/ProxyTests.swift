internal import CohortBatch
internal import CohortCore
internal import CohortFaults
internal import CohortRuntime
internal import Glibc
internal import TestSupport
internal import Testing
internal import ZeroMQ

@Suite("The proxy between coordinator and peers")
struct ProxyTests {
    // MARK: Taking connections apart

    private static let greeting = [UInt8](repeating: 0x7f, count: 64)
    /// A command, a message of two frames with a heartbeat between them, and one with a long frame.
    private static let command: [UInt8] = [4, 3, 1, 2, 3]
    private static let firstFrame: [UInt8] = [1, 2, 10, 11]
    private static let secondFrame: [UInt8] = [0, 1, 12]
    private static let longFrame: [UInt8] = [2, 0, 0, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 5, count: 256)

    private func pieces(_ chunks: [[UInt8]]) throws -> [MessageSplitter.Piece] {
        var splitter = MessageSplitter(limit: 1_000)
        var pieces: [MessageSplitter.Piece] = []
        for chunk in chunks {
            splitter.append(chunk)
            while let piece = try splitter.next() { pieces.append(piece) }
        }
        return pieces
    }

    @Test("whole messages are found, whatever the pieces in which their bytes come")
    func splitting() throws {
        let stream =
            Self.greeting + Self.command + Self.firstFrame + Self.command + Self.secondFrame + Self.longFrame
        let expected: [MessageSplitter.Piece] = [
            .other(Self.greeting),
            .other(Self.command),
            .other(Self.command),
            .message(Self.firstFrame + Self.secondFrame, bodies: [2..<4, 6..<7]),
            .message(Self.longFrame, bodies: [9..<265]),
        ]
        #expect(try pieces([stream]) == expected)
        let single = try pieces(stream.map { [$0] })
        #expect(single.prefix(64).flatMap(\.bytes) == Self.greeting)
        #expect(Array(single.dropFirst(64)) == Array(expected.dropFirst()))
    }

    @Test(
        "what is no frame, or one beyond all bounds, ends the connection",
        arguments: [[8, 0], [2, 0, 0, 0, 0, 0, 0, 4, 0]]
    )
    func garbled(bytes: [UInt8]) throws {
        #expect(throws: MessageSplitter.Garbled.self) { try pieces([Self.greeting + bytes]) }
    }

    // MARK: Deciding

    @Test("a message's fate comes from the seed, the connection and its direction, and the plan's times hold")
    func fates() {
        let begun = Instant(nanoseconds: 5_000_000_000)
        let fault = FrameFault(
            drop: 0.2,
            duplicate: 0.2,
            corrupt: 0.2,
            delay: .milliseconds(3),
            from: .seconds(1),
            length: .seconds(1)
        )
        let rules = [MessageFaults.Rule(fault: fault, begun: begun)]
        let fates = { (seed: UInt64, connection: Int, direction: String) in
            var faults = MessageFaults(rules, seed: seed, connection: connection, direction: direction)
            return (0..<1_000).map { _ in faults.next(at: begun.advanced(by: .milliseconds(1_500))) }
        }
        let first = fates(1, 0, "in")
        #expect(first == fates(1, 0, "in"))
        for other in [fates(2, 0, "in"), fates(1, 1, "in"), fates(1, 0, "out")] { #expect(other != first) }
        #expect((150...250).contains(first.count { $0.copies == 0 }))
        #expect((110...210).contains(first.count { $0.copies == 2 }))
        #expect((150...250).contains(first.count(where: \.isCorrupted)))
        #expect(first.allSatisfy { $0.delay == .milliseconds(3) })
        var faults = MessageFaults(rules, seed: 1, connection: 0, direction: "in")
        for milliseconds in [0, 999, 2_000] as [UInt64] {
            let fate = faults.next(at: begun.advanced(by: .milliseconds(milliseconds)))
            #expect(fate == MessageFaults.Fate())
        }
    }

    @Test("of a corrupted message the first frame cannot be read, and its size is what it was")
    func corrupting() {
        var message = Self.firstFrame + Self.secondFrame
        MessageFaults.corrupt(&message, bodies: [2..<4, 6..<7])
        #expect(message == [1, 2, 0xff, 0xff, 0, 1, 12])
    }

    // MARK: Between real sockets

    /// A ROUTER behind a proxy, and a DEALER in front of it.
    private struct Wire: ~Copyable {
        let context: Context
        let router: Socket
        let dealer: Socket
        let proxy: FaultProxy
        let sandbox: Sandbox

        init(_ faults: [FrameFault]) throws {
            let sandbox = try Sandbox()
            let context = try Context()
            let router = try Socket(.router, in: context)
            let dealer = try Socket(.dealer, in: context)
            try router.bind("ipc://\(sandbox.path("coordinator"))")
            try dealer.set(.reconnectInterval, to: .milliseconds(10))
            let proxy = try FaultProxy(
                at: sandbox.path("socket"),
                to: sandbox.path("coordinator"),
                faults: faults,
                seed: 1
            )
            proxy.arm()
            try dealer.connect("ipc://\(sandbox.path("socket"))")
            self.sandbox = sandbox
            self.context = context
            self.router = router
            self.dealer = dealer
            self.proxy = proxy
        }

        deinit { proxy.stop() }

        /// What the router receives until nothing has come for so long, each message without the routing id.
        func received(quiet: Duration = .milliseconds(300), atLeast count: Int = 0) throws -> [[[UInt8]]] {
            var found: [[[UInt8]]] = []
            while try router.waitUntilReadable(timeout: found.count < count ? Program.patience : quiet) {
                guard let frames = try router.tryReceiveMultipart(maxFrames: 4) else { continue }
                found.append(Array(frames.dropFirst()))
            }
            return found
        }

        /// The proxy's counts, as soon as they are as they should be: a message may arrive before it is counted.
        func counts(when isSo: (MessageCounts) throws -> Bool) rethrows -> MessageCounts {
            let end = ContinuousClock.now + Program.patience
            var counts = proxy.counts
            while try !isSo(counts), ContinuousClock.now < end {
                usleep(10_000)
                counts = proxy.counts
            }
            return counts
        }
    }

    private static func message(_ number: Int) -> [[UInt8]] { [[UInt8(number & 0xff), UInt8(number >> 8)], [9]] }

    @Test("without faults everything passes in order, both ways, and large messages too")
    func transparent() throws {
        let wire = try Wire([])
        let large = [[UInt8](repeating: 3, count: 1 << 20), []]
        for number in 0..<500 { _ = try wire.dealer.trySend(Self.message(number)) }
        _ = try wire.dealer.trySend(large)
        #expect(try wire.received(atLeast: 501) == (0..<500).map(Self.message) + [large])
        _ = try wire.dealer.trySend([[1]])
        #expect(try wire.router.waitUntilReadable(timeout: Program.patience))
        let question = try #require(try wire.router.tryReceiveMultipart(maxFrames: 2))
        _ = try wire.router.trySend(to: question[0], [[2]])
        #expect(try wire.dealer.waitUntilReadable(timeout: Program.patience))
        #expect(try wire.dealer.tryReceiveMultipart(maxFrames: 1) == [[2]])
        let counts = wire.counts { $0.passed >= 503 }
        #expect(counts.passed == 503 && !counts.hasFaults)
    }

    @Test("messages are lost, repeated and corrupted as the plan says, and the count is right")
    func faults() throws {
        let wire = try Wire([FrameFault(drop: 0.1, duplicate: 0.1, corrupt: 0.1)])
        for number in 0..<1_000 { _ = try wire.dealer.trySend(Self.message(number)) }
        var received: [[[UInt8]]] = []
        let counts = try wire.counts {
            received += try wire.received()
            let all = $0.passed + $0.dropped + $0.duplicated + $0.corrupted
            return all >= 1_000 && received.count == 1_000 - $0.dropped + $0.duplicated
        }
        #expect((60...140).contains(counts.dropped))
        #expect((60...140).contains(counts.duplicated))
        #expect((60...140).contains(counts.corrupted))
        #expect(received.count == 1_000 - counts.dropped + counts.duplicated)
        #expect(Set(received.filter { $0[0] == [0xff, 0xff] }.map { $0[1] }) == [[9]])
        let readable = received.filter { $0[0] != [0xff, 0xff] }.map { Int($0[0][0]) | Int($0[0][1]) << 8 }
        #expect(readable == readable.sorted())
    }

    @Test("a delay holds messages up and keeps their order")
    func delay() throws {
        let wire = try Wire([FrameFault(delay: .milliseconds(200))])
        let start = ContinuousClock.now
        for number in 0..<10 { _ = try wire.dealer.trySend(Self.message(number)) }
        #expect(try wire.received(atLeast: 10) == (0..<10).map(Self.message))
        #expect(ContinuousClock.now - start >= .milliseconds(200))
        #expect(wire.counts { $0.delayed >= 10 }.delayed == 10)
    }

    @Test("a connection that the plan breaks comes again, and one to nobody ends at once")
    func disconnect() throws {
        let wire = try Wire([FrameFault(disconnect: 1, length: .milliseconds(1_500))])
        _ = try wire.dealer.trySend([[1]])
        #expect(try wire.received(quiet: .zero, atLeast: 1) == [[[1]]])
        #expect(wire.counts { $0.disconnected > 0 }.disconnected == 1)
        // What is sent by a connection whose end the dealer has not seen yet is lost with it.
        var received: [[[UInt8]]] = []
        let end = ContinuousClock.now + Program.patience
        while received.isEmpty, ContinuousClock.now < end {
            _ = try wire.dealer.trySend([[2]])
            received = try wire.received(quiet: .milliseconds(100))
        }
        #expect(Set(received) == [[[2]]])
    }
}
