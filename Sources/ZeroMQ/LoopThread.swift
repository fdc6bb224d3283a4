internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// One thread that owns sockets, polls them, and runs what other threads hand to it.
///
/// It lives from ``start(name:makeHandler:)`` until ``stop()``, whether or not anybody holds it. A turn is: wait for a
/// socket, a descriptor, a job or the handler's deadline; tell the handler what is ready; run the jobs that came; end the turn.
///
/// It is an executor too: an actor that returns it as its `unownedExecutor` runs on the thread, and may be entered from
/// the handler by `assumeIsolated`. Executors are not retained by their actors, so keep the loop as long as those.
public final class LoopThread: Sendable {
    /// The name that the thread has in debuggers and in `/proc`, where it is cut to 15 bytes.
    public let name: String

    let inbox = LoopInbox()
    /// The thread that runs jobs, 0 while there is none.
    let owner = Atomic<pthread_t>(0)

    private let wakeDescriptor: Int32
    private let thread = Atomic<pthread_t>(0)
    private let isStopRequested = Atomic(false)
    private let isJoined = Atomic(false)
    private let ready = Latch()
    private let ended = Latch()
    private let startFailure = Mutex<(any Error)?>(nil)
    // Used on the loop's thread only, which every access checks.
    nonisolated(unsafe) private let poller: LoopPoller

    private init(name: String) throws(ZeroMQError) {
        self.name = name
        wakeDescriptor = czmq_wake_descriptor()
        unsafe poller = LoopPoller(wakeDescriptor: wakeDescriptor)
        guard wakeDescriptor >= 0 else {
            throw ZeroMQError(errno: errno, operation: "start thread", subject: name)
        }
    }

    deinit {
        if wakeDescriptor >= 0 { close(wakeDescriptor) }
    }

    /// Nanoseconds of the monotonic clock, which deadlines are told in.
    public static var now: UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Whether the calling code runs on the loop's thread.
    public var isOnLoop: Bool {
        pthread_equal(owner.load(ordering: .acquiring), pthread_self()) != 0
    }

    /// Starts a thread, and waits until its handler is made. No signal is delivered to the thread.
    ///
    /// - Parameter makeHandler: Runs on the new thread, and may register sockets. What it throws is rethrown here, and the
    ///   thread has ended then.
    public static func start(
        name: String,
        makeHandler: @escaping @Sendable (LoopThread) throws -> any LoopHandler
    ) throws -> LoopThread {
        let loop = try LoopThread(name: name)
        try spawnThread(name: name, isDetached: false) { loop.main(makeHandler) }
        loop.ready.wait()
        if let failure = loop.startFailure.withLock({ $0 }) {
            loop.stop()
            throw failure
        }
        return loop
    }

    /// Runs a closure on the loop's thread, after all that was handed over before by the same thread. Any thread.
    ///
    /// Cheap enough for single pieces of work: the loop is woken once for all that come while it sleeps.
    ///
    /// - Returns: false if the loop is stopped: the closure will not run. A closure that was accepted does run.
    @discardableResult
    public func perform(_ body: @escaping @Sendable (any LoopHandler) -> Void) -> Bool {
        push(.body(body))
    }

    /// Ends the thread, after the turn that runs and after all that was handed over before. Its handler is released on the
    /// thread, and its sockets with it. Any thread.
    ///
    /// Waits until the thread has ended, unless called on it. Blocks, so do not call it in a task of the shared pool.
    public func stop() {
        isStopRequested.store(true, ordering: .releasing)
        wake()
        let mayJoin = !isJoined.exchange(true, ordering: .acquiringAndReleasing)
        if isOnLoop {
            if mayJoin { pthread_detach(pthread_self()) }
        } else if mayJoin {
            pthread_join(thread.load(ordering: .acquiring), nil)
        } else {
            ended.wait()
        }
    }

    func push(_ job: LoopInbox.Job) -> Bool {
        switch inbox.push(job) {
        case .queued:
            return true
        case .queuedForSleeper:
            wake()
            return true
        case .queuedForNobody:
            drainOnNewThread()
            return true
        case .refused:
            return false
        }
    }

    private func wake() {
        var one: UInt64 = 1
        // Fails only if the counter is full, and then the loop is being woken anyway.
        _ = unsafe write(wakeDescriptor, &one, MemoryLayout<UInt64>.size)
    }
}

// MARK: - On the loop's thread

extension LoopThread {
    /// Polls a socket, and calls ``LoopHandler/socketReady(_:in:)`` with the token when something can be received.
    ///
    /// Replaces what was registered with the token. A socket that is closed leaves the loop by itself. On the loop only.
    public func register(socket: borrowing Socket, token: Int) {
        preconditionOnLoop()
        unsafe poller.register(socket, token: token)
    }

    /// Polls a descriptor, and calls ``LoopHandler/descriptorReady(_:events:in:)`` with the token when it is ready.
    ///
    /// Replaces what was registered with the token. Deregister a descriptor before closing it. On the loop only.
    ///
    /// - Parameter events: Flags of `poll(2)`: `POLLIN`, `POLLOUT`, `POLLPRI`.
    public func register(descriptor: Int32, events: Int16, token: Int) {
        preconditionOnLoop()
        unsafe poller.register(descriptor: descriptor, events: events, token: token)
    }

    /// Polls what has the token no more; the handler hears no more of it, in the same turn either. On the loop only.
    public func deregister(_ token: Int) {
        preconditionOnLoop()
        unsafe poller.deregister(token)
    }

    /// Pauses polling what has the token, or goes on with it: how to put a peer off while a queue is full. On the loop only.
    public func setPolling(token: Int, enabled: Bool) {
        preconditionOnLoop()
        unsafe poller.setPolling(token, isEnabled: enabled)
    }

    func preconditionOnLoop() {
        precondition(isOnLoop, "not on the thread of loop \(name)")
    }

    private func main(_ makeHandler: (LoopThread) throws -> any LoopHandler) {
        let current = pthread_self()
        thread.store(current, ordering: .releasing)
        owner.store(current, ordering: .releasing)
        do {
            run(try makeHandler(self))
        } catch {
            startFailure.withLock { $0 = error }
            inbox.close()
        }
        // The handler is gone, and its sockets with it. What is left are pieces of tasks.
        unsafe poller.removeAll()
        drainUntilRetired()
        ready.open()
        ended.open()
    }

    private func run(_ handler: consuming any LoopHandler) {
        ready.open()
        while !isStopRequested.load(ordering: .acquiring) {
            takeTurn(handler)
        }
        inbox.close()
        runJobs(handler)
        handler.turnEnded(in: self)
    }

    private func takeTurn(_ handler: any LoopHandler) {
        let milliseconds = Self.milliseconds(until: handler.nextDeadline())
        unsafe poller.poll(milliseconds: inbox.fallAsleep() ? milliseconds : 0)
        inbox.wakeUp()
        for index in unsafe 0..<poller.count {
            switch unsafe poller.ready(at: index) {
            case .socket(let token): handler.socketReady(token, in: self)
            case .descriptor(let token, let events): handler.descriptorReady(token, events: events, in: self)
            case nil: break
            }
        }
        runJobs(handler)
        handler.turnEnded(in: self)
    }

    private func runJobs(_ handler: any LoopHandler) {
        inbox.drain { job in
            switch job {
            case .body(let body): body(handler)
            case .task(let task): runTask(task)
            }
        }
    }

    /// The time to wait for a deadline, rounded up: to be a little late is better than to wake and find nothing to do.
    private static func milliseconds(until deadline: UInt64?) -> Int {
        guard let deadline else { return -1 }
        let now = Self.now
        guard deadline > now else { return 0 }
        let nanoseconds = deadline - now
        let milliseconds = nanoseconds / 1_000_000 + (nanoseconds % 1_000_000 == 0 ? 0 : 1)
        // What poll(2) can wait; the deadline is asked for again afterwards.
        return Int(min(milliseconds, UInt64(Int32.max)))
    }
}
