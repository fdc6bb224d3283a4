internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

/// A handler made of closures, which run on the loop's thread.
final class TestHandler: LoopHandler {
    var deadline: UInt64?
    var turns = 0
    var onSocket: (Int, LoopThread) -> Void = { token, _ in Issue.record("socket \(token) was not expected") }
    var onDescriptor: (Int, Int16, LoopThread) -> Void = { token, _, _ in Issue.record("descriptor \(token)") }
    var onTurn: (TestHandler) -> Void = { _ in }
    private let onEnd: @Sendable () -> Void

    init(onEnd: @escaping @Sendable () -> Void = {}) {
        self.onEnd = onEnd
    }

    deinit {
        onEnd()
    }

    func nextDeadline() -> UInt64? { deadline }

    func socketReady(_ token: Int, in loop: LoopThread) {
        onSocket(token, loop)
    }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {
        onDescriptor(token, events, loop)
    }

    func turnEnded(in loop: LoopThread) {
        turns += 1
        onTurn(self)
    }
}

/// A socket that closures of a handler can share.
final class SocketBox {
    private var socket: Socket?

    init(_ socket: consuming Socket) {
        self.socket = consume socket
    }

    /// Everything that waits.
    func receiveAll() -> [[[UInt8]]] {
        var messages: [[[UInt8]]] = []
        while let frames = try? socket!.tryReceiveMultipart(maxFrames: 16) { messages.append(frames) }
        return messages
    }

    func send(_ frames: [[UInt8]]) {
        do {
            let result = try socket!.trySend(frames)
            if result != .sent { Issue.record("\(result)") }
        } catch {
            Issue.record(error)
        }
    }

    /// The error of the next receive.
    func receiveError() -> ZeroMQError? {
        do {
            _ = try socket!.tryReceiveMultipart(maxFrames: 16)
            return nil
        } catch {
            return error
        }
    }

    func register(_ token: Int, in loop: LoopThread) {
        loop.register(socket: socket!, token: token)
    }

    func close() {
        socket = nil
    }
}

/// Values that a loop's thread tells to the test, in order.
final class Reports<Value: Sendable>: Sendable {
    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func report(_ value: Value) {
        continuation.yield(value)
    }

    /// The next values, waited for.
    func next(_ count: Int) async -> [Value] {
        var values: [Value] = []
        for await value in stream.prefix(count) { values.append(value) }
        return values
    }

    func next() async -> Value? {
        await next(1).first
    }

    /// Values told so far and not taken, with no more to come.
    func rest() async -> [Value] {
        continuation.finish()
        var values: [Value] = []
        for await value in stream { values.append(value) }
        return values
    }
}

extension LoopThread {
    /// Runs a closure on the loop, and gives back its result.
    func run<Value: Sendable>(_ body: @escaping @Sendable (TestHandler, LoopThread) -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            let isAccepted = perform { handler in
                continuation.resume(returning: body(handler as! TestHandler, self))
            }
            precondition(isAccepted)
        }
    }
}
