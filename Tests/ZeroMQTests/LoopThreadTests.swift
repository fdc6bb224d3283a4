internal import Glibc
internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

@Suite("Loop threads: jobs and life", .timeLimit(.minutes(5)))
struct LoopThreadTests {
    private struct Refusal: Error, Equatable {
        let reason: String
    }

    @Test("closures run on the thread in the order in which they were handed over")
    func order() async throws {
        let loop = try LoopThread.start(name: "order") { _ in TestHandler() }
        let reports = Reports<Int>()
        for number in 0..<1000 {
            #expect(
                loop.perform { _ in
                    if loop.isOnLoop { reports.report(number) }
                }
            )
        }
        #expect(await reports.next(1000) == Array(0..<1000))
        #expect(!loop.isOnLoop)
        loop.stop()
    }

    @Test("nothing is lost or reordered when many threads wake the loop at once")
    func manyThreads() async throws {
        let (threads, jobs) = (8, 10_000)
        let done = Reports<[Int]>()
        let loop = try LoopThread.start(name: "many") { _ in TestHandler() }
        // Confined to the loop's thread.
        final class Counts: Sendable {
            nonisolated(unsafe) var next: [Int]
            init(_ count: Int) { next = Array(repeating: 0, count: count) }
        }
        let counts = Counts(threads)
        for thread in 0..<threads {
            try spawnThread(name: "producer", isDetached: true) {
                for job in 0..<jobs {
                    loop.perform { _ in
                        if counts.next[thread] == job { counts.next[thread] += 1 }
                        if job == jobs - 1 { done.report(counts.next) }
                    }
                }
            }
        }
        let last = try #require(await done.next(threads).last)
        #expect(last == Array(repeating: jobs, count: threads))
        loop.stop()
    }

    @Test("every wake-up arrives when the loop falls asleep between any two")
    func wakeUps() async throws {
        let loop = try LoopThread.start(name: "wake") { _ in TestHandler() }
        for number in 0..<2000 {
            #expect(await loop.run { _, _ in number } == number)
        }
        loop.stop()
    }

    @Test("a closure handed over on the loop runs after the turn, not inside it")
    func performOnLoop() async throws {
        let reports = Reports<String>()
        let loop = try LoopThread.start(name: "nested") { _ in
            let handler = TestHandler()
            handler.onTurn = { _ in reports.report("turn") }
            return handler
        }
        loop.perform { _ in
            reports.report("outer")
            loop.perform { _ in reports.report("inner") }
            reports.report("end")
        }
        #expect(await reports.next(4) == ["outer", "end", "turn", "inner"])
        loop.stop()
    }

    @Test("a deadline is met, never early, and without turns in between")
    func deadline() async throws {
        let reports = Reports<(late: Int64, turns: Int)>()
        let loop = try LoopThread.start(name: "timer") { _ in
            let handler = TestHandler()
            handler.deadline = LoopThread.now + 30_500_000
            handler.onTurn = { handler in
                guard let deadline = handler.deadline else { return }
                let late = Int64(LoopThread.now) - Int64(deadline)
                if late >= 0 { handler.deadline = nil }
                reports.report((late, handler.turns))
            }
            return handler
        }
        let first = try #require(await reports.next())
        #expect(first.late >= 0)
        #expect(first.turns == 1)
        loop.stop()
    }

    @Test("a deadline that has passed ends the turn at once, again and again while it is the next")
    func passedDeadline() async throws {
        let reports = Reports<Int>()
        let loop = try LoopThread.start(name: "passed") { _ in
            let handler = TestHandler()
            handler.deadline = 0
            handler.onTurn = { handler in
                reports.report(handler.turns)
                if handler.turns == 3 { handler.deadline = nil }
            }
            return handler
        }
        #expect(await reports.next(3) == [1, 2, 3])
        loop.stop()
    }

    @Test("an idle loop takes no turns")
    func idle() async throws {
        let loop = try LoopThread.start(name: "idle") { _ in TestHandler() }
        let before = await loop.run { handler, _ in handler.turns }
        // One turn per job, and at most one more for a wake-up that came late: nothing else moves the loop.
        let after = await loop.run { handler, _ in handler.turns }
        #expect((1...3).contains(after - before))
        loop.stop()
    }

    @Test("stopping runs what was handed over, then releases the handler on the thread, then joins")
    func stop() async throws {
        let reports = Reports<String>()
        let loop = try LoopThread.start(name: "stop") { loop in
            let handler = TestHandler { reports.report(loop.isOnLoop ? "released" : "released elsewhere") }
            handler.onTurn = { _ in reports.report("turn") }
            return handler
        }
        let isBlocked = Latch()
        let mayGoOn = Latch()
        loop.perform { _ in
            isBlocked.open()
            mayGoOn.wait()
        }
        isBlocked.wait()
        for number in 0..<3 { loop.perform { _ in reports.report("\(number)") } }
        loop.perform { _ in mayGoOn.wait() }
        try spawnThread(name: "stopper", isDetached: true) { mayGoOn.open() }
        loop.stop()
        // In any thread, and more than once.
        loop.stop()
        #expect(loop.perform { _ in reports.report("late") } == false)
        let told = await reports.rest()
        #expect(told.filter { $0 != "turn" } == ["0", "1", "2", "released"])
        #expect(told.dropLast().last == "turn", "the last turn flushes what the last jobs left")
    }

    @Test("a closure that was accepted runs, however close to the end it came")
    func acceptedRuns() async throws {
        for _ in 0..<50 {
            let executed = Counter()
            let accepted = Reports<Int>()
            let isBusy = Latch()
            let loop = try LoopThread.start(name: "close") { _ in TestHandler() }
            for _ in 0..<3 {
                try spawnThread(name: "producer", isDetached: true) {
                    var count = 0
                    while loop.perform({ _ in executed.value.add(1, ordering: .relaxed) }) {
                        count += 1
                        if count == 10 { isBusy.open() }
                        // Lets the loop keep up, so that it finds the inbox empty now and then.
                        usleep(20)
                    }
                    accepted.report(count)
                }
            }
            isBusy.wait()
            loop.stop()
            #expect(await accepted.next(3).reduce(0, +) == executed.value.load(ordering: .relaxed))
        }
    }

    @Test("the loop can be stopped on its own thread")
    func stopOnLoop() async throws {
        let ended = Reports<Void>()
        let loop = try LoopThread.start(name: "self") { _ in TestHandler { ended.report(()) } }
        loop.perform { _ in loop.stop() }
        await ended.next()
        loop.stop()
        #expect(loop.perform { _ in } == false)
    }

    @Test("what making the handler throws is rethrown, and the sockets are closed")
    func startFailure() throws {
        let shared = try SharedContext()
        let error = #expect(throws: ZeroMQError.self) {
            _ = try LoopThread.start(name: "fails") { loop in
                let first = try Socket(.router, in: shared.context)
                try first.bind("inproc://taken")
                loop.register(socket: first, token: 1)
                let second = try Socket(.router, in: shared.context)
                try second.bind("inproc://taken")
                return TestHandler()
            }
        }
        #expect(error?.description == "cannot bind inproc://taken: address already in use")
        #expect(throws: Refusal(reason: "no")) {
            _ = try LoopThread.start(name: "refuses") { _ in throw Refusal(reason: "no") }
        }
        // A closed socket gives its endpoint back in the background.
        let next = try Socket(.router, in: shared.context)
        let deadline = ContinuousClock.now + patience
        while true {
            do {
                try next.bind("inproc://taken")
                break
            } catch {
                try #require(error.code == .addressInUse && ContinuousClock.now < deadline)
                sched_yield()
            }
        }
    }

    @Test("the thread has the name of the loop, and only faults of its own may signal it")
    func threadAttributes() async throws {
        let loop = try LoopThread.start(name: "a-name-longer-than-fifteen") { _ in TestHandler() }
        let (name, signals) = await loop.run { _, _ in
            var name = [UInt8](repeating: 0, count: 64)
            let comm = open("/proc/thread-self/comm", O_RDONLY)
            let length = read(comm, &name, name.count)
            close(comm)
            var mask = sigset_t()
            pthread_sigmask(SIG_SETMASK, nil, &mask)
            let signals = [SIGTERM, SIGINT, SIGCHLD, SIGPIPE, SIGSEGV].map { sigismember(&mask, $0) }
            return (name.prefix(length).filter { $0 != UInt8(ascii: "\n") }, signals)
        }
        #expect(String(decoding: name, as: UTF8.self) == "a-name-longer-t")
        #expect(signals == [1, 1, 1, 1, 0])
        loop.stop()
    }

    @Test("the thread that starts a loop keeps its own signals")
    func signalsOfStarter() throws {
        var opened = sigset_t()
        sigemptyset(&opened)
        sigaddset(&opened, SIGUSR2)
        var former = sigset_t()
        pthread_sigmask(SIG_UNBLOCK, &opened, &former)
        defer { pthread_sigmask(SIG_SETMASK, &former, nil) }
        try LoopThread.start(name: "signals") { _ in TestHandler() }.stop()
        var mask = sigset_t()
        pthread_sigmask(SIG_SETMASK, nil, &mask)
        #expect(sigismember(&mask, SIGUSR2) == 0)
    }
}
