internal import CohortCore
internal import CohortFuzzKit
internal import CohortWire
internal import ZeroMQ

/// Something that peers take for a coordinator, and that sends them messages that make no sense, or nearly some.
final class FalseCoordinator {
    private static let burst = 500
    private static let epoch: UInt64 = 42

    let endpoint: String
    private let context: Context
    private let socket: Socket
    private var messages: FloodMessages
    /// Of the peer that has said hello.
    private var route: [UInt8]?
    private var session: UInt64 = 0

    init(_ messages: FloodMessages) throws {
        self.messages = messages
        let context = try Context()
        let socket = try Socket(.router, in: context)
        try socket.set(.sendHighWaterMark, to: 0)
        try socket.set(.routerMandatory, to: true)
        try socket.bind("tcp://127.0.0.1:*")
        endpoint = try socket.lastEndpoint
        self.context = context
        self.socket = socket
    }

    /// Sends the peer half of the messages before it is welcomed and the others as those of its session, and returns when it
    /// has taken in all.
    func flood(_ count: Int) throws {
        guard let route else { return }
        for number in 0..<count / 2 {
            try send(nextStray(), to: route)
            if number.isMultiple(of: Self.burst) { discard() }
        }
        session += 1
        let acceptance = Acceptance(heartbeat: .milliseconds(50), lease: .seconds(60), coordinator: "false")
        let header = FrameHeader(epoch: Self.epoch, session: session)
        try send(FrameCodec.encode(header, .welcome(acceptance)), to: route)
        var sequence: UInt64 = 0
        for number in 0..<count - count / 2 {
            let frames = messages.next(
                epoch: Self.epoch,
                session: session,
                sequence: &sequence,
                isHarmless: Self.isHarmless
            )
            try send(frames, to: route)
            if number.isMultiple(of: Self.burst) { discard() }
        }
        try waitUntilTaken(route)
    }

    /// Ends the session of the peer that was flooded last.
    func dismiss(_ reason: String) throws {
        guard let route else { return }
        // Not numbered, since of the numbers before it some are missing on purpose.
        try send(FrameCodec.encode(FrameHeader(epoch: Self.epoch, session: session), .goodbye(reason)), to: route)
    }

    /// What has no lawful effect that would end the trial: a coordinator may tell a worker to run anything, or to go, and a
    /// client that what it waits for has ended.
    private static func isHarmless(_ body: FrameBody) -> Bool {
        switch body {
        case .assign, .refused, .goodbye, .welcome, .snapshot: false
        case .update(let update): update.refusals.isEmpty && update.closed.isEmpty
        default: true
        }
    }

    /// A message of no session, which is no lawful answer to the greeting either.
    private func nextStray() -> [[UInt8]] {
        while true {
            let frames = messages.next()
            switch try? FrameCodec.decode(frames).1 {
            case .welcome, .refused: continue
            default: return frames
            }
        }
    }

    private func send(_ frames: [[UInt8]], to route: [UInt8]) throws {
        guard try socket.trySend(to: route, frames) == .sent else { throw HarnessError("the peer has gone") }
    }

    private func discard() {
        while (try? socket.tryReceiveMultipart(maxFrames: 8)) ?? nil != nil {}
    }

    /// Waits until a peer has said hello.
    func awaitPeer() throws {
        while try socket.waitUntilReadable(timeout: .seconds(60)) {
            while let message = try socket.tryReceiveMultipart(maxFrames: 8) {
                guard let (_, body) = try? FrameCodec.decode(Array(message.dropFirst())), case .hello = body else {
                    continue
                }
                route = message[0]
                return
            }
        }
        throw HarnessError("no peer says hello")
    }

    /// A peer sends heartbeats while it lives; one that was sent after its queue was empty says that it has come through.
    private func waitUntilTaken(_ route: [UInt8]) throws {
        discard()
        var heartbeats = 0
        while try socket.waitUntilReadable(timeout: .seconds(60)) {
            while let message = try socket.tryReceiveMultipart(maxFrames: 8) {
                guard let (_, body) = try? FrameCodec.decode(Array(message.dropFirst())) else { continue }
                if case .heartbeat = body { heartbeats += 1 }
            }
            // Two intervals, in which a loop that turns has taken all that had come.
            if heartbeats >= 20 { return }
        }
        throw HarnessError("the peer is not heard any more")
    }
}
