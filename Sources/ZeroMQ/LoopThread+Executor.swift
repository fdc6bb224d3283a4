internal import Glibc
internal import Synchronization

extension LoopThread: SerialExecutor, TaskExecutor {
    /// Runs a piece of a task on the loop's thread. Any thread.
    ///
    /// Also works after the loop has stopped, so that no task waits for ever: what still comes then is run, one piece at a
    /// time, on a thread of its own.
    public func enqueue(_ job: consuming ExecutorJob) {
        _ = push(.task(UnownedJob(job)))
    }

    /// Whether the calling code may touch what is isolated to the loop.
    public func isIsolatingCurrentContext() -> Bool? {
        isOnLoop
    }

    /// Traps unless the calling code may touch what is isolated to the loop.
    public func checkIsolated() {
        preconditionOnLoop()
    }

    func runTask(_ task: UnownedJob) {
        unsafe task.runSynchronously(isolatedTo: asUnownedSerialExecutor(), taskExecutor: asUnownedTaskExecutor())
    }

    /// Runs pieces of tasks until there is none, and then gives up ownership of the inbox.
    func drainUntilRetired() {
        repeat {
            owner.store(pthread_self(), ordering: .releasing)
            inbox.drain { job in
                // The bodies of a loop whose handler is gone: none after a handler was there, all if none was made.
                if case .task(let task) = job { runTask(task) }
            }
            // Before it retires, as the next owner may follow at once; and the id is given to other threads after the end.
            owner.store(0, ordering: .releasing)
        } while !inbox.retire()
    }

    /// Runs what came after the end of the loop. Only whoever found the inbox retired may call this, so there is one such
    /// thread at a time.
    func drainOnNewThread() {
        do {
            try spawnThread(name: name, isDetached: true) { self.drainUntilRetired() }
        } catch {
            fatalError("a task is isolated to a loop that has ended, and \(error)")
        }
    }
}
