internal import Cohort
internal import CohortCore
internal import Synchronization

/// The state of one call that its function, and whatever that starts, can see.
final class CallScope: Sendable {
    let taskName: String
    let groupName: String
    let attempt: Int
    /// When the task's own timeout fires, on the monotonic clock, in nanoseconds.
    let timeoutAt: UInt64?
    /// The same for the nearest deadline of the groups around it, as it stood at first.
    let deadlineAt: UInt64?
    /// The way to the host; nil where there is none, in tests of functions.
    let link: CallLink?
    /// Apart from `reason`, because functions ask for it in their inner loops.
    private let cancelled = Atomic<Bool>(false)
    private let reason = Mutex<String?>(nil)

    init(
        taskName: String,
        groupName: String,
        attempt: Int,
        timeoutAt: UInt64? = nil,
        deadlineAt: UInt64? = nil,
        link: CallLink? = nil
    ) {
        self.taskName = taskName
        self.groupName = groupName
        self.attempt = attempt
        self.timeoutAt = timeoutAt
        self.deadlineAt = deadlineAt
        self.link = link
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

/// What a call may ask of the host that runs it.
struct CallLink: Sendable {
    let host: CallHost
    /// The call's number there.
    let sequence: UInt64
    /// What the coordinator knows the task by, and this assignment of it.
    let ref: AttemptRef

    func report(_ note: ProgressNote) {
        host.report(note, of: sequence)
    }
}

extension CallLink: SlotHolder {
    func waitBegan() { host.waitBegan(sequence) }

    func waitEnded() async { await host.waitEnded(sequence) }
}
