internal import Glibc
internal import Testing

@testable internal import ZeroMQ

@Suite("Sockets", .timeLimit(.minutes(5)))
struct SocketTests {
    private let directory: TemporaryDirectory
    private let shared: SharedContext

    init() throws {
        directory = try TemporaryDirectory()
        shared = try SharedContext()
    }

    @Test("a router and a dealer exchange multipart messages of all sizes", arguments: Transport.allCases)
    func roundTrip(over transport: Transport) throws {
        let router = try Socket(.router, in: shared.context)
        try router.set(.routerMandatory, to: true)
        try router.bind(transport.endpoint(in: directory))
        let dealer = try Socket(.dealer, in: shared.context)
        try dealer.set(.routingID, to: Array("peer".utf8))
        try dealer.connect(try router.lastEndpoint)

        let sizes = [0, 1, 33, Message.zeroCopySize - 1, Message.zeroCopySize, 100_000]
        let frames = sizes.map { size in (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ size) } }
        #expect(try dealer.trySend(frames) == .sent)
        #expect(try router.next() == text("peer") + frames)
        #expect(try router.trySend(to: Array("peer".utf8), frames.reversed()) == .sent)
        #expect(try dealer.next() == frames.reversed())
        #expect(try dealer.tryReceiveMultipart(maxFrames: 1) == nil)
    }

    @Test("publishers, questions and pipelines work in their own patterns")
    func patterns() throws {
        let publisher = try Socket(.xpub, in: shared.context)
        try publisher.bind("inproc://news")
        let subscriber = try Socket(.sub, in: shared.context)
        try subscriber.set(.subscribe, to: Array("a".utf8))
        try subscriber.connect("inproc://news")
        #expect(try publisher.next() == [[1] + Array("a".utf8)])
        #expect(try publisher.trySend(text("b")) == .sent)
        #expect(try publisher.trySend(text("a", "1")) == .sent)
        #expect(try subscriber.next() == text("a", "1"))
        try subscriber.set(.unsubscribe, to: Array("a".utf8))
        try subscriber.set(.subscribe, to: [])
        #expect(try [publisher.next(), publisher.next()] == [[[0] + Array("a".utf8)], [[1]]])
        #expect(try publisher.trySend(text("b")) == .sent)
        #expect(try subscriber.next() == text("b"))

        let server = try Socket(.rep, in: shared.context)
        try server.bind("inproc://questions")
        let client = try Socket(.req, in: shared.context)
        try client.connect("inproc://questions")
        #expect(try client.trySend(text("?")) == .sent)
        let error = #expect(throws: ZeroMQError.self) { try client.trySend(text("again")) }
        #expect(error?.code == .invalidState)
        #expect(try server.next() == text("?"))
        #expect(try server.trySend(text("!")) == .sent)
        #expect(try client.next() == text("!"))
    }

    @Test("single parts are sent and received with their flags")
    func parts() throws {
        let left = try Socket(.pair, in: shared.context)
        let right = try Socket(.pair, in: shared.context)
        try left.bind("inproc://pair")
        try right.connect("inproc://pair")
        try left.send(try Message(copying: [1, 2]), flags: .more)
        #expect(try right.part(flags: .dontWait) == nil, "half a message is not delivered")
        try left.send(try Message(copying: []))
        #expect(try right.part() == Part(bytes: [1, 2], hasMore: true))
        #expect(try right.part() == Part(bytes: [], hasMore: false))
        try right.set(.receiveTimeout, to: .milliseconds(1))
        #expect(try right.part() == nil)
        #expect(try right.waitUntilReadable(timeout: .zero) == false)
    }

    @Test("a router that must route says that a peer is unknown, and sends nothing")
    func unreachable() throws {
        let router = try Socket(.router, in: shared.context)
        try router.set(.routerMandatory, to: true)
        try router.bind("inproc://router")
        let dealer = try Socket(.dealer, in: shared.context)
        try dealer.set(.routingID, to: Array("known".utf8))
        try dealer.connect("inproc://router")

        #expect(try router.trySend(to: Array("unknown".utf8), text("1", "2", "3")) == .unreachable)
        #expect(try router.trySend(to: Array("known".utf8), text("4", "5")) == .sent)
        #expect(try dealer.next() == text("4", "5"))
        dealer.close()
        // The end of the peer arrives with the next call that looks for commands, which every send does.
        let deadline = ContinuousClock.now + patience
        while try router.trySend(to: Array("known".utf8), text("6")) != .unreachable {
            try #require(ContinuousClock.now < deadline)
        }
    }

    @Test("a message that has no room is not sent in part")
    func wouldBlock() throws {
        let dealer = try Socket(.dealer, in: shared.context)
        #expect(try dealer.trySend(text("1", "2", "3")) == .wouldBlock)
        #expect(try dealer.trySend([[UInt8](repeating: 7, count: 100_000)]) == .wouldBlock)
        try dealer.bind("inproc://dealer")
        let peer = try Socket(.dealer, in: shared.context)
        try peer.connect("inproc://dealer")
        #expect(try dealer.trySend(text("4", "5")) == .sent)
        #expect(try peer.next() == text("4", "5"))
    }

    @Test("a full queue blocks, and every message that was taken arrives whole")
    func highWaterMark() throws {
        let sender = try Socket(.dealer, in: shared.context)
        try sender.set(.sendHighWaterMark, to: 2)
        try sender.bind("inproc://full")
        let receiver = try Socket(.dealer, in: shared.context)
        try receiver.set(.receiveHighWaterMark, to: 2)
        try receiver.connect("inproc://full")
        var sent = 0
        while try sender.trySend(text("head", "\(sent)")) == .sent { sent += 1 }
        #expect(sent == 4)
        for number in 0..<sent { #expect(try receiver.next() == text("head", "\(number)")) }
        #expect(try receiver.tryReceiveMultipart(maxFrames: 2) == nil)
    }

    @Test("a message without parts is refused")
    func noParts() throws {
        let dealer = try Socket(.dealer, in: shared.context)
        let error = #expect(throws: ZeroMQError.self) { try dealer.trySend([]) }
        #expect(error?.description == "cannot send on a dealer socket: the message has no parts")
    }

    @Test("a message of too many parts is discarded whole, and names its sender")
    func multipartLimit() throws {
        let router = try Socket(.router, in: shared.context)
        try router.bind("inproc://limit")
        let dealer = try Socket(.dealer, in: shared.context)
        try dealer.set(.routingID, to: Array("chatty".utf8))
        try dealer.connect("inproc://limit")
        for frames in [text("1", "2", "3"), text("4", "5"), text("6", "7", "8", "9"), text("10")] {
            #expect(try dealer.trySend(frames) == .sent)
        }

        try #require(try router.waitUntilReadable(timeout: patience))
        var frames = text("kept")
        #expect(
            try router.tryReceiveMultipart(into: &frames, maxFrames: 3)
                == .tooLong(frames: 4, first: Array("chatty".utf8))
        )
        #expect(frames == text("kept"))
        #expect(try router.tryReceiveMultipart(into: &frames, maxFrames: 3) == .received(frames: 3))
        #expect(frames == text("kept", "chatty", "4", "5"))
        let error = #expect(throws: ZeroMQError.self) { try router.tryReceiveMultipart(maxFrames: 3) }
        #expect(error?.code == .multipartTooLong)
        #expect(
            error?.description == "cannot receive on a router socket: the message has 5 parts, at most 3 are taken"
        )
        #expect(
            try router.tryReceiveMultipart(into: &frames, maxFrames: 0)
                == .tooLong(frames: 2, first: Array("chatty".utf8))
        )
        #expect(try router.tryReceiveMultipart(into: &frames, maxFrames: 3) == .empty)
    }

    @Test("a part above the limit of the receiver ends the connection, not the receiver")
    func messageSizeLimit() throws {
        let receiver = try Socket(.router, in: shared.context)
        try receiver.set(.maxMessageSize, to: 1000)
        try receiver.bind("tcp://127.0.0.1:*")
        let monitor = try SocketMonitor(of: receiver, events: [.disconnected])
        let sender = try Socket(.dealer, in: shared.context)
        try sender.set(.reconnectInterval, to: nil)
        try sender.connect(try receiver.lastEndpoint)
        #expect(try sender.trySend([[UInt8](repeating: 0, count: 1001)]) == .sent)
        #expect(try monitor.events(upTo: .disconnected).count == 1)
        #expect(try receiver.tryReceiveMultipart(maxFrames: 2) == nil)
    }

    @Test("the end of the context ends a receive that waits in another thread")
    func contextEnds() throws {
        let isOpen = Latch()
        let shared = shared
        try spawnThread(name: "shutdown", isDetached: true) {
            isOpen.wait()
            shared.context.shutdown()
        }
        let socket = try Socket(.pull, in: shared.context)
        isOpen.open()
        let error = #expect(throws: ZeroMQError.self) { _ = try socket.receive() }
        #expect(error?.code == .contextTerminated)
        #expect(error?.description == "cannot receive on a pull socket: the context was terminated")
        #expect(throws: ZeroMQError.self) { _ = try Socket(.pull, in: shared.context) }
    }

    @Test("a context may go before its sockets, and closing it waits for them only in another thread")
    func contextGoesFirst() throws {
        func orphan() throws -> Socket {
            let context = try Context(ioThreads: 2, maxSockets: 4)
            return try Socket(.dealer, in: context)
        }
        let socket = try orphan()
        let error = #expect(throws: ZeroMQError.self) { try socket.tryReceiveMultipart(maxFrames: 1) }
        #expect(error?.code == .contextTerminated)

        let context = try Context()
        try Socket(.dealer, in: context).close()
        context.close()
    }

    @Test("the library tells what it is")
    func library() {
        #expect(Library.version >= Library.Version(4, 3, 0))
        #expect(Library.version.description.split(separator: ".").count == 3)
        #expect(Library.has(.ipc))
        #expect(Library.has(.curve))
    }
}

extension Socket {
    /// Receives one part as a value that can be compared.
    fileprivate func part(flags: ReceiveFlags = []) throws -> Part? {
        guard let message = try receive(flags: flags) else { return nil }
        return Part(bytes: message.bytes(), hasMore: message.hasMore)
    }
}

private struct Part: Equatable {
    let bytes: [UInt8]
    let hasMore: Bool
}
