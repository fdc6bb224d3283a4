internal import Synchronization

/// What other threads hand to a loop, in order.
///
/// A stack that any thread pushes on with one compare-and-exchange and the owner takes whole: no lock, so that no producer
/// waits for another, and nothing to contend for but one word. The word also says whether the owner sleeps, so that only
/// the push that finds it asleep has to wake it.
struct LoopInbox: ~Copyable, Sendable {
    enum Job {
        /// Work for the handler; refused once the loop is closed.
        case body(@Sendable (any LoopHandler) -> Void)
        /// A piece of a Swift task; never refused, as its task would wait for ever.
        case task(UnownedJob)
    }

    /// What the thread that has pushed must do.
    enum PushResult {
        case queued
        /// The owner sleeps: wake it.
        case queuedForSleeper
        /// The owner has ended: somebody must drain.
        case queuedForNobody
        case refused
    }

    private struct Node {
        var next: UInt
        let job: Job
    }

    private typealias NodePointer = UnsafeMutablePointer<Node>

    // The states of an empty stack. Any other value of the word is the address of the newest node.
    private static let asleep: UInt = 0
    private static let awake: UInt = 1
    /// Like awake, once bodies are refused. A value of its own, so that a push that has not seen the refusal fails.
    private static let closing: UInt = 2
    private static let retired: UInt = 3

    private let head = Atomic<UInt>(Self.awake)
    private let isClosed = Atomic(false)

    deinit {
        // Tasks' pieces are gone by now: each held the loop through the thread that drains. Bodies may be left only if the
        // loop never ran.
        var address = head.load(ordering: .acquiring)
        while let node = unsafe Self.node(at: address) {
            address = unsafe node.pointee.next
            unsafe Self.free(node)
        }
    }

    /// Adds a job. Any thread.
    func push(_ job: Job) -> PushResult {
        var isRefusable = false
        if case .body = job { isRefusable = true }
        let node = NodePointer.allocate(capacity: 1)
        unsafe node.initialize(to: Node(next: 0, job: job))
        var current = head.load(ordering: .acquiring)
        while true {
            // Read after the word: if it is false and the exchange succeeds, the owner has yet to take its last bodies.
            if isRefusable, isClosed.load(ordering: .acquiring) {
                unsafe Self.free(node)
                return .refused
            }
            unsafe node.pointee.next = current
            let (exchanged, original) = head.compareExchange(
                expected: current,
                desired: UInt(bitPattern: node),
                successOrdering: .acquiringAndReleasing,
                failureOrdering: .acquiring
            )
            if exchanged { break }
            current = original
        }
        switch current {
        case Self.asleep: return .queuedForSleeper
        case Self.retired: return .queuedForNobody
        default: return .queued
        }
    }

    /// Says that the owner is about to sleep. The owner only.
    ///
    /// - Returns: false if there is a job, so that it must not.
    func fallAsleep() -> Bool {
        exchange(Self.awake, for: Self.asleep)
    }

    /// Says that the owner is awake, so that nobody need wake it. The owner only.
    func wakeUp() {
        // Fails if a job is there already: that is as good.
        _ = exchange(Self.asleep, for: Self.awake)
    }

    /// Refuses bodies from now on. Those pushed before are in what ``drain(_:)`` takes next. The owner only.
    func close() {
        isClosed.store(true, ordering: .sequentiallyConsistent)
    }

    /// Says that the owner has ended; it has closed the inbox before. The owner only.
    ///
    /// - Returns: false if there is a job, so that it must not end yet.
    func retire() -> Bool {
        exchange(Self.closing, for: Self.retired)
    }

    /// Takes all jobs that are there, and runs them in the order in which they came. The owner only.
    func drain(_ run: (Job) -> Void) {
        let empty = isClosed.load(ordering: .relaxed) ? Self.closing : Self.awake
        // The usual case on a thread that serves sockets; a load is cheaper than an exchange.
        if head.load(ordering: .relaxed) == empty { return }
        var address = head.exchange(empty, ordering: .acquiringAndReleasing)
        var oldest = empty
        while let node = unsafe Self.node(at: address) {
            let next = unsafe node.pointee.next
            unsafe node.pointee.next = oldest
            oldest = address
            address = next
        }
        while let node = unsafe Self.node(at: oldest) {
            oldest = unsafe node.pointee.next
            let job = unsafe node.move().job
            unsafe node.deallocate()
            run(job)
        }
    }

    private func exchange(_ expected: UInt, for desired: UInt) -> Bool {
        head.compareExchange(expected: expected, desired: desired, ordering: .acquiringAndReleasing).exchanged
    }

    private static func node(at address: UInt) -> NodePointer? {
        unsafe address <= retired ? nil : NodePointer(bitPattern: address)
    }

    private static func free(_ node: NodePointer) {
        unsafe node.deinitialize(count: 1)
        unsafe node.deallocate()
    }
}
