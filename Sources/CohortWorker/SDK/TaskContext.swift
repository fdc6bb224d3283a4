internal import Synchronization

/// What a function may know of the task it works for.
public struct TaskContext: Sendable {
    private let call: CallScope

    /// Name of the task.
    public var taskName: String { call.taskName }
    /// Name of the group that the task belongs to.
    public var groupName: String { call.groupName }
    /// Which execution of the task this is, counted from 1.
    public var attempt: Int { call.attempt }

    /// Time left of the task's own timeout: negative once it has passed, nil if the task has none.
    ///
    /// It counts on this machine's monotonic clock from the moment the call arrived here.
    public var timeLeft: Duration? {
        guard let deadline = call.deadline else { return nil }
        return .nanoseconds(Int64(clamping: deadline) - Int64(clamping: MonotonicClock.nanoseconds()))
    }

    /// Whether the task was asked to stop. The `Task` in which the function runs is cancelled then as well.
    public var isCancelled: Bool { call.isCancelled }

    /// Why the task was asked to stop; nil while it was not.
    public var cancelReason: String? { call.cancelReason }

    /// Throws if the task was asked to stop. Call it between the steps of long work.
    public func checkCancellation() throws(CancellationError) {
        if call.isCancelled { throw CancellationError() }
    }

    init(_ call: CallScope) {
        self.call = call
    }

    /// A context for tests of a function.
    public init(taskName: String, groupName: String, attempt: Int = 1, timeLeft: Duration? = nil) {
        let timeout = timeLeft.map { UInt64(clamping: $0.attoseconds / 1_000_000_000) }
        let deadline = timeout.map { MonotonicClock.nanoseconds().saturatingAdd($0) }
        call = CallScope(taskName: taskName, groupName: groupName, attempt: attempt, deadline: deadline)
    }
}

/// The state of one call that its function, and whatever that starts, can see.
final class CallScope: Sendable {
    let taskName: String
    let groupName: String
    let attempt: Int
    /// On the monotonic clock, in nanoseconds.
    let deadline: UInt64?
    /// Apart from `reason`, because functions ask for it in their inner loops.
    private let cancelled = Atomic<Bool>(false)
    private let reason = Mutex<String?>(nil)

    init(taskName: String, groupName: String, attempt: Int, deadline: UInt64?) {
        self.taskName = taskName
        self.groupName = groupName
        self.attempt = attempt
        self.deadline = deadline
    }

    var isCancelled: Bool { cancelled.load(ordering: .acquiring) }

    var cancelReason: String? { reason.withLock { $0 } }

    /// Notes a request to stop. Returns false if there was one before: the first stands.
    func cancel(reason text: String) -> Bool {
        let isFirst = reason.withLock { reason in
            if reason != nil { return false }
            reason = text
            return true
        }
        cancelled.store(true, ordering: .releasing)
        return isFirst
    }
}
