internal import CCohortProcess
internal import Glibc

/// Threads of the system, for work that must not wait for, nor occupy, the threads that Swift tasks share.
enum PosixThread {
    private final class Body {
        let name: String
        let run: @Sendable () -> Void

        init(name: String, run: @escaping @Sendable () -> Void) {
            self.name = name
            self.run = run
        }
    }

    /// Runs `body` on a new detached thread, with all signals blocked: they are for the threads that expect them.
    static func start(named name: String, _ body: @escaping @Sendable () -> Void) throws(CallPoolError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        var thread = pthread_t()
        // A thread inherits its mask.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let argument = Unmanaged.passRetained(Body(name: name, run: body))
        let result = pthread_create(
            &thread,
            &attributes,
            { argument in
                guard let argument else { return nil }
                let body = Unmanaged<Body>.fromOpaque(argument).takeRetainedValue()
                cohort_name_thread(body.name)
                body.run()
                return nil
            },
            argument.toOpaque()
        )
        guard result == 0 else {
            argument.release()
            throw CallPoolError(step: "start the thread \(name)", errno: result)
        }
    }
}

/// A counting semaphore of the system.
final class Semaphore: Sendable {
    private nonisolated(unsafe) let storage: UnsafeMutablePointer<sem_t>

    init() {
        storage = .allocate(capacity: 1)
        sem_init(storage, 0, 0)
    }

    deinit {
        sem_destroy(storage)
        storage.deallocate()
    }

    func post() {
        sem_post(storage)
    }

    func wait() {
        while sem_wait(storage) != 0 {
            // Only a signal handler can have interrupted it.
        }
    }

    /// Waits no longer than until the monotonic clock shows `deadline` (nil: for ever).
    ///
    /// A clock that is set meanwhile makes it longer or shorter: semaphores go by the time of day.
    func wait(until deadline: UInt64?) {
        guard let deadline else { return wait() }
        let now = MonotonicClock.nanoseconds()
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let nanoseconds = (deadline > now ? deadline - now : 0) + UInt64(time.tv_nsec)
        time.tv_sec += Int(nanoseconds / 1_000_000_000)
        time.tv_nsec = Int(nanoseconds % 1_000_000_000)
        while sem_timedwait(storage, &time) != 0, errno == EINTR {
            // Only a signal handler can have interrupted it.
        }
    }
}
