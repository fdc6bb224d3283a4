internal import CCohortProcess
internal import Glibc

/// Starts a thread with all signals blocked: it is never interrupted, and for it SIGPIPE is a mere EPIPE.
@discardableResult
func startThread(named name: String, _ body: @escaping () -> Void) throws(SpawnError) -> pthread_t {
    // A thread inherits its mask.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
    let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
    var thread = pthread_t()
    let result = pthread_create(
        &thread,
        nil,
        { context in
            // What the body holds is let go before the thread ends.
            let start = Unmanaged<ThreadStart>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue()
            cohort_name_thread(start.name)
            start.body()
            return nil
        },
        start.toOpaque()
    )
    guard result == 0 else {
        start.release()
        throw .system("start a thread", result)
    }
    return thread
}

private final class ThreadStart {
    let name: String
    let body: () -> Void

    init(name: String, body: @escaping () -> Void) {
        self.name = name
        self.body = body
    }
}

/// Threads for work that blocks, which the shared pool's must not.
package enum BlockingThread {
    /// Starts one that nobody waits for. All signals are blocked in it.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(SpawnError) {
        pthread_detach(try startThread(named: name, body))
    }
}
