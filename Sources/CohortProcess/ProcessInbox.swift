internal import CCohortProcess
internal import Glibc
internal import Synchronization

/// Carries orders to the thread of a `ProcessLoop` and wakes it.
final class ProcessInbox: Sendable {
    enum Order: Sendable {
        case start(UInt64, CommandSpec)
        case cancel(UInt64, Duration)
        case kill(UInt64)
        case grant(UInt64, Int)
        case hostBegins(UInt64, HostActivity)
        /// The closure is called when nothing is left of the host, or nothing that can be ended.
        case hostEnded(UInt64, @Sendable () -> Void)
        case stop
    }

    /// Signalled when orders wait. Waited for edge-triggered, so that it need never be read.
    let wakeup: Int32
    private let orders = Mutex<[Order]>([])
    private let loopThread = Atomic<UInt>(0)

    init() throws(SpawnError) {
        wakeup = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        if wakeup < 0 {
            throw .system("make an eventfd", errno)
        }
    }

    deinit {
        close(wakeup)
    }

    var isOnLoopThread: Bool {
        loopThread.load(ordering: .acquiring) == UInt(pthread_self())
    }

    /// Called once by the loop's thread.
    func adoptCurrentThread() {
        loopThread.store(UInt(pthread_self()), ordering: .releasing)
    }

    func post(_ order: Order) {
        let wasEmpty = orders.withLock { orders in
            defer { orders.append(order) }
            return orders.isEmpty
        }
        if wasEmpty {
            eventfd_write(wakeup, 1)
        }
    }

    /// Takes all orders in turn for `taken`, an empty array whose storage is used again.
    func take(into taken: inout [Order]) {
        orders.withLock { swap(&$0, &taken) }
    }
}
