internal import Testing

@testable internal import ZeroMQ

@Suite("Loop threads: executors", .timeLimit(.minutes(5)))
struct LoopExecutorTests {
    private actor Tally {
        nonisolated let loop: LoopThread
        private(set) var received: [[UInt8]] = []
        private var waiter: CheckedContinuation<Void, Never>?

        init(loop: LoopThread) {
            self.loop = loop
        }

        nonisolated var unownedExecutor: UnownedSerialExecutor {
            loop.asUnownedSerialExecutor()
        }

        func add(_ bytes: [UInt8]) {
            received.append(bytes)
            waiter?.resume()
            waiter = nil
        }

        func first() async -> (bytes: [UInt8], isOnLoop: Bool) {
            if received.isEmpty {
                await withCheckedContinuation { waiter = $0 }
            }
            return (received[0], loop.isOnLoop)
        }

        func isOnLoop() -> Bool { loop.isOnLoop }
    }

    @Test("an actor on the loop can be entered from the handler, and awaited from elsewhere")
    func actor() async throws {
        let shared = try SharedContext()
        let tallies = Reports<Tally>()
        let loop = try LoopThread.start(name: "actor") { loop in
            let pull = try Socket(.pull, in: shared.context)
            try pull.bind("inproc://actor")
            let box = SocketBox(pull)
            box.register(1, in: loop)
            let tally = Tally(loop: loop)
            tallies.report(tally)
            let handler = TestHandler()
            handler.onSocket = { _, _ in
                for message in box.receiveAll() { tally.assumeIsolated { $0.add(message[0]) } }
            }
            return handler
        }
        let tally = try #require(await tallies.next())
        async let first = tally.first()
        let push = try Socket(.push, in: shared.context)
        try push.connect("inproc://actor")
        #expect(try push.trySend([[42]]) == .sent)
        let (bytes, isOnLoop) = await first
        #expect(bytes == [42])
        #expect(isOnLoop)
        #expect(await tally.received == [[42]])
        loop.stop()
    }

    @Test("a task that prefers the loop runs on it")
    func taskExecutor() async throws {
        let loop = try LoopThread.start(name: "task") { _ in TestHandler() }
        let task = Task(executorPreference: loop) {
            let before = loop.isOnLoop
            await Task.yield()
            return before && loop.isOnLoop
        }
        #expect(await task.value)
        #expect(loop.isIsolatingCurrentContext() == false)
        loop.stop()
    }

    @Test("an actor outlives its loop: calls after the end still run, one at a time")
    func afterTheEnd() async throws {
        let loop = try LoopThread.start(name: "late") { _ in TestHandler() }
        let tally = Tally(loop: loop)
        #expect(await tally.isOnLoop())
        loop.stop()
        #expect(await tally.isOnLoop(), "the thread that stands in counts as the loop")
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<500 {
                group.addTask { await tally.add([UInt8(truncatingIfNeeded: number)]) }
            }
        }
        #expect(await tally.received.count == 500)
    }
}
