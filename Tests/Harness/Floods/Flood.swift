internal import CohortCore
internal import CohortFuzzKit
internal import CohortRuntime
internal import CohortWire
internal import Glibc
internal import ZeroMQ

/// Somebody who sends messages to a coordinator that make no sense, or nearly some.
struct Flood {
    /// Sent before what has come back is thrown away.
    private static let burst = 500

    let endpoint: String
    /// Of somebody who may come in; nil for somebody without a key.
    let keys: PeerKeys?
    var messages: FloodMessages

    /// Sends so many messages on connections one after the other, and returns when the coordinator has dealt with all.
    ///
    /// On every other connection it asks for a session first, and sends the messages as its own.
    mutating func run(_ count: Int, connections: Int) throws {
        for number in 0..<connections {
            let share = count * (number + 1) / connections - count * number / connections
            let context = try Context()
            let socket = try Socket(.dealer, in: context)
            try socket.set(.sendHighWaterMark, to: 0)
            try keys?.apply(to: socket)
            try socket.connect(endpoint)
            try send(share, on: socket, inSession: number.isMultiple(of: 2))
        }
    }

    private mutating func send(_ count: Int, on socket: borrowing Socket, inSession: Bool) throws {
        var session: FrameHeader?
        if inSession { session = try greet(socket) }
        var sequence: UInt64 = 0
        for number in 1...max(count, 1) {
            let frames: [[UInt8]]
            if let session {
                frames = messages.next(epoch: session.epoch, session: session.session, sequence: &sequence) { body in
                    if case .goodbye = body { false } else { !Self.isWorker(body) }
                }
            } else {
                frames = messages.next()
                if let body = try? FrameCodec.decode(frames).1, Self.isWorker(body) { continue }
            }
            guard try socket.trySend(frames) == .sent else { throw HarnessError("a message did not go out") }
            if number.isMultiple(of: Self.burst) { while try socket.tryReceiveMultipart(maxFrames: 8) != nil {} }
        }
        // Messages of one connection are dealt with in their order, so the answer to a good one comes after them all.
        _ = try greet(socket)
    }

    /// Whoever is let in as a worker may take tasks and lose them, which is no fault of anybody's.
    private static func isWorker(_ body: FrameBody) -> Bool {
        if case .hello(let greeting) = body, case .worker = greeting.role { true } else { false }
    }

    /// Says hello until it is welcomed; returns the header of the answer, which names the session.
    private func greet(_ socket: borrowing Socket) throws -> FrameHeader {
        let greeting = Greeting(role: .client, name: "flood", host: "here", processID: 1, token: .random())
        _ = try socket.trySend(FrameCodec.encode(FrameHeader(), .hello(greeting)))
        while try socket.waitUntilReadable(timeout: .seconds(120)) {
            while let answer = try socket.tryReceiveMultipart(maxFrames: 8) {
                if let (header, body) = try? FrameCodec.decode(answer), case .welcome = body { return header }
            }
        }
        throw HarnessError("the coordinator does not answer a good message after bad ones")
    }

    /// Opens TCP connections one after the other and sends random bytes on each; every other one begins as a peer of ZeroMQ
    /// without a key would.
    static func sendGarbage(connections: Int, to port: UInt16, seed: UInt64) throws {
        let greeting: [UInt8] =
            [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8) + Array(repeating: 0, count: 48)
        var random = SplitMix64(seed: seed)
        for number in 0..<connections {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw HarnessError("cannot make a socket") }
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw HarnessError("cannot connect to port \(port), connection \(number)") }
            let bytes =
                (number.isMultiple(of: 2) ? greeting : []) + (0..<random.below(2_000)).map { _ in random.byte() }
            _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }
}
