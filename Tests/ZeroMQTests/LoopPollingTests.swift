internal import Glibc
internal import Testing

@testable internal import ZeroMQ

@Suite("Loop threads: polling", .timeLimit(.minutes(5)))
struct LoopPollingTests {
    private let shared: SharedContext

    init() throws {
        shared = try SharedContext()
    }

    @Test("loops talk to each other over their sockets", arguments: Transport.allCases)
    func echo(over transport: Transport) async throws {
        let shared = shared
        let directory = try TemporaryDirectory()
        let endpoint = transport.endpoint(in: directory)
        let bound = Reports<String>()
        let server = try LoopThread.start(name: "server") { loop in
            let router = try Socket(.router, in: shared.context)
            try router.bind(endpoint)
            bound.report(try router.lastEndpoint)
            let box = SocketBox(router)
            box.register(1, in: loop)
            let handler = TestHandler()
            handler.onSocket = { _, _ in
                for message in box.receiveAll() { box.send(message) }
            }
            return handler
        }
        let address = try #require(await bound.next())
        let replies = Reports<[UInt8]>()
        let client = try LoopThread.start(name: "client") { loop in
            let dealer = try Socket(.dealer, in: shared.context)
            try dealer.connect(address)
            let box = SocketBox(dealer)
            box.register(2, in: loop)
            for number in 0..<100 { box.send([[UInt8(number)]]) }
            let handler = TestHandler()
            handler.onSocket = { token, _ in
                #expect(token == 2)
                for message in box.receiveAll() { replies.report(message[0]) }
            }
            return handler
        }
        #expect(await replies.next(100) == (0..<100).map { [UInt8($0)] })
        client.stop()
        server.stop()
    }

    @Test("what a handler leaves unreceived is told again in the next turn")
    func levelTriggered() async throws {
        let shared = shared
        let received = Reports<[[UInt8]]?>()
        let loop = try LoopThread.start(name: "level") { loop in
            let pull = try Socket(.pull, in: shared.context)
            try pull.bind("inproc://level")
            loop.register(socket: pull, token: 1)
            let holder = OneByOne(pull)
            let handler = TestHandler()
            handler.onSocket = { _, _ in received.report(holder.receive()) }
            return handler
        }
        let push = try Socket(.push, in: shared.context)
        try push.connect("inproc://level")
        for number in 0..<3 { #expect(try push.trySend(text("\(number)")) == .sent) }
        #expect(await received.next(3) == [text("0"), text("1"), text("2")])
        loop.stop()
        #expect(await received.rest().isEmpty)
    }

    @Test("polling can be paused, and goes on with what came meanwhile")
    func pause() async throws {
        let shared = shared
        let received = Reports<Int>()
        let loop = try LoopThread.start(name: "pause") { loop in
            let pull = try Socket(.pull, in: shared.context)
            try pull.bind("inproc://pause")
            let box = SocketBox(pull)
            box.register(1, in: loop)
            loop.setPolling(token: 1, enabled: false)
            // A token that nobody has is left alone.
            loop.setPolling(token: 7, enabled: false)
            let handler = TestHandler()
            handler.onSocket = { _, _ in received.report(box.receiveAll().count) }
            return handler
        }
        let push = try Socket(.push, in: shared.context)
        try push.connect("inproc://pause")
        for _ in 0..<3 { #expect(try push.trySend(text("x")) == .sent) }
        // Several turns, in none of which the handler is told.
        for _ in 0..<3 { _ = await loop.run { handler, _ in handler.turns } }
        await loop.run { _, loop in
            received.report(-1)
            loop.setPolling(token: 1, enabled: true)
        }
        #expect(await received.next(2) == [-1, 3])
        loop.stop()
    }

    @Test("descriptors are told by the flags of poll, a hang-up as an error")
    func descriptors() async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reader, writer) = (ends[0], ends[1])
        let reports = Reports<[Int16]>()
        let loop = try LoopThread.start(name: "pipes") { loop in
            loop.register(descriptor: writer, events: Int16(POLLOUT), token: 4)
            loop.register(descriptor: reader, events: Int16(POLLIN), token: 5)
            let handler = TestHandler()
            handler.onDescriptor = { token, events, loop in
                reports.report([Int16(token), events])
                if token == 4 {
                    loop.deregister(4)
                    _ = write(writer, "x", 1)
                } else if events & Int16(POLLERR) != 0 {
                    loop.deregister(5)
                } else {
                    var byte: UInt8 = 0
                    _ = read(reader, &byte, 1)
                    close(writer)
                }
            }
            return handler
        }
        let expected = [[4, Int16(POLLOUT)], [5, Int16(POLLIN)], [5, Int16(POLLERR)]]
        #expect(await reports.next(3) == expected)
        loop.stop()
        close(reader)
    }

    @Test("a source that leaves in a turn is not told in it, and a token can be used anew")
    func deregisterInTurn() async throws {
        let shared = shared
        let reports = Reports<String>()
        let isBlocked = Latch()
        let mayGoOn = Latch()
        let loop = try LoopThread.start(name: "leave") { loop in
            let sockets = try (0..<3).map { number in
                let pull = try Socket(.pull, in: shared.context)
                try pull.bind("inproc://leave-\(number)")
                let box = SocketBox(pull)
                box.register(number, in: loop)
                return box
            }
            let handler = TestHandler()
            handler.onSocket = { token, loop in
                reports.report("\(token): \(sockets[token].receiveAll().count)")
                guard token == 0 else { return }
                loop.deregister(1)
                // Now another source has the token; what the old one had is not told as if it were its own.
                sockets[0].register(2, in: loop)
                sockets[2].close()
            }
            return handler
        }
        loop.perform { _ in
            isBlocked.open()
            mayGoOn.wait()
        }
        isBlocked.wait()
        // All three are ready before the loop looks.
        for number in 0..<3 {
            let push = try Socket(.push, in: shared.context, linger: nil)
            try push.connect("inproc://leave-\(number)")
            #expect(try push.trySend(text("x")) == .sent)
        }
        mayGoOn.open()
        #expect(await reports.next() == "0: 1")
        for _ in 0..<3 { _ = await loop.run { handler, _ in handler.turns } }
        loop.stop()
        #expect(await reports.rest().isEmpty)
    }

    @Test("the end of a context is told once for each socket, and does not make the loop spin")
    func contextEnds() async throws {
        let shared = shared
        let reports = Reports<String>()
        let loop = try LoopThread.start(name: "context") { loop in
            let pull = try Socket(.pull, in: shared.context)
            try pull.bind("inproc://ends")
            let box = SocketBox(pull)
            box.register(1, in: loop)
            let handler = TestHandler()
            handler.onSocket = { _, _ in reports.report(box.receiveError()?.code.description ?? "none") }
            return handler
        }
        shared.context.shutdown()
        #expect(await reports.next() == "contextTerminated")
        let before = await loop.run { handler, _ in handler.turns }
        let after = await loop.run { handler, _ in handler.turns }
        #expect((1...3).contains(after - before))
        loop.stop()
        #expect(await reports.rest().isEmpty)
    }
}

/// Takes one message at a time.
private final class OneByOne {
    private let socket: Socket

    init(_ socket: consuming Socket) {
        self.socket = socket
    }

    func receive() -> [[UInt8]]? {
        try? socket.tryReceiveMultipart(maxFrames: 4)
    }
}
