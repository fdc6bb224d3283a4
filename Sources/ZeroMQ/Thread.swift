internal import CZeroMQ
internal import Glibc

/// Starts a thread that no signal is delivered to, so that the process's own threads handle them.
///
/// A thread that is not detached must be joined or detached by somebody.
func spawnThread(
    name: String,
    isDetached: Bool,
    _ body: @escaping @Sendable () -> Void
) throws(ZeroMQError) {
    let start = unsafe Unmanaged.passRetained(ThreadStart(name: name, body: body))
    // A thread inherits the mask, so that there is no moment at which it could get a signal.
    var blocked = sigset_t()
    var former = sigset_t()
    unsafe sigfillset(&blocked)
    // These tell of a fault in the thread itself; blocked, they would end the process without a crash report.
    for fault in [SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS] { unsafe sigdelset(&blocked, fault) }
    unsafe pthread_sigmask(SIG_BLOCK, &blocked, &former)
    var thread = pthread_t()
    let result = unsafe pthread_create(
        &thread,
        nil,
        { argument in
            guard let argument = unsafe argument else { return nil }
            let start = unsafe Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
            unsafe czmq_name_thread(start.name)
            start.body()
            return nil
        },
        unsafe start.toOpaque()
    )
    unsafe pthread_sigmask(SIG_SETMASK, &former, nil)
    guard result == 0 else {
        unsafe start.release()
        throw ZeroMQError(errno: result, operation: "start thread", subject: name)
    }
    if isDetached { pthread_detach(thread) }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
