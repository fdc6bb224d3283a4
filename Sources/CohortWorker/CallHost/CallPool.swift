internal import CCohortProcess
package import CohortProcess
internal import Glibc
internal import Synchronization

/// Runs calls in *call hosts*: processes of this same executable, one for each call that runs at a time.
///
/// Hosts are started when they are needed, serve one call after another, and are replaced when they die. One thread owns
/// them; it lives as long as the pool, and the kernel kills the hosts with it. All methods may be called from any thread,
/// take effect in the order of the calls, and never wait (but for `stop`).
package final class CallPool: Sendable {
    /// How a pool starts and keeps its hosts.
    package struct Configuration: Sendable {
        /// How many calls can run at once, each in a host of its own. Calls that wait for tasks of their own do not count.
        package var maxHosts: Int
        /// The program that this process runs, by itself.
        package static let thisProgram = ["/proc/self/exe"]
        /// Command line of a host.
        package var arguments = Self.thisProgram
        package var environment = ProcessEnvironment.inherited()
        /// A host that had nothing to do for so long is let go.
        package var idleLimit = Duration.seconds(60)
        /// Descriptor of the record of attempts, for the hosts to mark what begins; nil if there is none.
        package var record: Int32?
        /// Ends what hosts leave behind when they end; nil for nobody.
        package var processes: ProcessLoop?

        package init(maxHosts: Int) {
            self.maxHosts = max(maxHosts, 1)
        }
    }

    private let inbox: CallPoolInbox
    private let stopped = Semaphore()

    /// Starts the pool's thread. `onEvents` runs on it and must not block.
    package init(
        _ configuration: Configuration,
        onEvents: @escaping @Sendable ([CallEvent]) -> Void
    ) throws(CallPoolError) {
        let inbox = try CallPoolInbox()
        self.inbox = inbox
        let poller = try Poller()
        let stopped = stopped
        try PosixThread.start(named: "call-pool") {
            CallPoolLoop(configuration, inbox: inbox, poller: poller, onEvents: onEvents).run()
            stopped.post()
        }
    }

    deinit {
        inbox.post(.stop)
    }

    /// Runs calls. Each goes to the host with the least to do.
    package func submit(_ calls: [CallRequest]) {
        inbox.post(.submit(calls))
    }

    /// Asks a call to stop, and kills its host if it still runs after `grace`. The first request for a call stands.
    package func cancel(_ id: UInt64, grace: Duration, reason: String) {
        inbox.post(.cancel(id, grace: grace.clampedNanoseconds, reason: reason))
    }

    /// Ends a call now, as at the end of a grace.
    package func kill(_ id: UInt64) {
        inbox.post(.kill(id))
    }

    /// Gets calls back that wait in a host: those that have not begun are `returned`, the others go on.
    package func recall(_ ids: [UInt64]) {
        inbox.post(.recall(ids))
    }

    /// Lets a call go on that has said `wanting`.
    package func proceed(_ id: UInt64) {
        inbox.post(.proceed(id))
    }

    /// Allows so many further bytes of a call's output. Without credit the call waits once its pipe is full; what is in
    /// the pipe when it ends (64 KiB a stream at most) is delivered in any case.
    package func grant(_ id: UInt64, bytes: UInt64) {
        inbox.post(.grant(id, bytes: bytes))
    }

    /// Kills all hosts and returns when they are gone. No event comes after it. Once only; not from `onEvents`.
    package func stop() {
        inbox.post(.stop)
        stopped.wait()
    }
}

/// What other threads ask of a pool's thread.
final class CallPoolInbox: Sendable {
    enum Request {
        case submit([CallRequest])
        case cancel(UInt64, grace: UInt64, reason: String)
        case kill(UInt64)
        case recall([UInt64])
        case proceed(UInt64)
        case grant(UInt64, bytes: UInt64)
        /// Nothing is left of an ended host.
        case gone(host: UInt64)
        case stop
    }

    /// Readable while there is something to take.
    let descriptor: Int32
    private let requests = Mutex<[Request]>([])

    init() throws(CallPoolError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if descriptor < 0 { throw CallPoolError(step: "eventfd", errno: errno) }
    }

    deinit {
        close(descriptor)
    }

    func post(_ request: Request) {
        let wasEmpty = requests.withLock { requests in
            requests.append(request)
            return requests.count == 1
        }
        if wasEmpty { eventfd_write(descriptor, 1) }
    }

    func take() -> [Request] {
        var count: eventfd_t = 0
        eventfd_read(descriptor, &count)
        return requests.withLock { requests in
            let taken = requests
            requests = []
            return taken
        }
    }
}

extension Duration {
    /// In nanoseconds, from 0 to about 292 years.
    var clampedNanoseconds: UInt64 {
        let limit = Duration.nanoseconds(Int64.max)
        let clamped = Swift.min(Swift.max(self, .zero), limit)
        let (seconds, attoseconds) = clamped.components
        return UInt64(seconds) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
