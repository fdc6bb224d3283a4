package import Cohort

/// What a function may know of the task it works for.
public struct TaskContext: Sendable {
    private let call: CallScope

    /// Name of the task.
    public var taskName: String { call.taskName }
    /// Name of the group that the task belongs to.
    public var groupName: String { call.groupName }
    /// Which execution of the task this is, counted from 1: one that was only sent to a worker and came back does not count.
    public var attempt: Int { call.attempt }

    /// Time left of the task's own timeout: negative once it has passed, nil if the task has none.
    ///
    /// It counts on this machine's monotonic clock from the moment the call arrived here.
    public var timeLeft: Duration? {
        call.timeoutAt.map(MonotonicClock.timeLeft)
    }

    /// Time left until the task will be asked to stop: until its own timeout or the nearest deadline of the groups around it,
    /// whichever comes first. Negative once that has passed, nil if there is neither.
    ///
    /// A hint: deadlines may be moved while the task runs, and this tells how they stood when it was assigned.
    public var deadlineLeft: Duration? {
        [call.timeoutAt, call.deadlineAt].compactMap(\.self).min().map(MonotonicClock.timeLeft)
    }

    /// Whether the task was asked to stop. The `Task` in which the function runs is cancelled then as well.
    public var isCancelled: Bool { call.isCancelled }

    /// Why the task was asked to stop; nil while it was not.
    public var cancelReason: String? { call.cancelReason }

    /// Throws if the task was asked to stop. Call it between the steps of long work.
    public func checkCancellation() throws(CancellationError) {
        if call.isCancelled { throw CancellationError() }
    }

    /// Tells how far the task has come, for those who watch it.
    ///
    /// May be called as often as one likes: about ten notes a second are passed on, and the last one always is.
    ///
    /// - Parameters:
    ///   - fraction: from 0 to 1; nil if that cannot be said.
    ///   - note: what is being done: at most 1 KiB, cut if it is longer.
    public func report(fraction: Double? = nil, _ note: String = "") {
        link?.report(ProgressNote(fraction: fraction, note: note))
    }

    var link: CallLink? { call.link }

    /// What the task gives up while it waits; nil where it runs in no host.
    package var slots: (any SlotHolder)? { link }

    init(_ call: CallScope) {
        self.call = call
    }

    /// A context for tests of a function.
    public init(taskName: String, groupName: String, attempt: Int = 1, timeLeft: Duration? = nil) {
        let timeoutAt = timeLeft.map { MonotonicClock.nanoseconds().saturatingAdd($0.clampedNanoseconds) }
        call = CallScope(taskName: taskName, groupName: groupName, attempt: attempt, timeoutAt: timeoutAt)
    }
}
