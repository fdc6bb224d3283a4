/// What a group does about the end of a child (ruling R12).
package enum FailurePolicy: UInt8, Sendable, CaseIterable {
    /// The first failure stops the group: `asyncio.TaskGroup`.
    case cancel
    /// Every task runs, every error is reported: `gather(return_exceptions=True)`.
    case `continue`
    /// The first success stops the group; failures are leaves only if nobody wins.
    case first
}

/// What a client asks for when it opens a group.
package struct GroupSpec: Sendable, Equatable {
    package var key: GroupKey
    /// The enclosing group, opened by the same session; `nil` for a root and for a group that a task opens.
    package var parent: GroupKey?
    /// The running task that opens it (a nested group); `nil` for a client's own groups.
    package var owner: AttemptRef?
    package var name: String
    package var policy: FailurePolicy
    /// At most so many of its own tasks hold a slot at once.
    package var limit: UInt32?
    /// Counts from the opening; `nil` for none.
    package var timeout: TimeSpan?
    /// How long a cancelled task may clean up; inherited from the enclosing group when `nil`.
    package var grace: TimeSpan?
    /// Not stopped by the enclosing group (ruling R7).
    package var shield: Bool
    /// Lives on when the session that opened it ends, and keeps its tasks' reports for `wait` and `status`.
    package var detached: Bool
    /// Opened by the body of the group around it: its outcome is told to that body, which decides what becomes of it, and
    /// counts for nothing in the group around it. Groups of tasks are scopes always.
    package var isScope: Bool
    /// Its tasks may add tasks to it.
    package var acceptsSiblings: Bool

    package init(
        key: GroupKey,
        parent: GroupKey? = nil,
        owner: AttemptRef? = nil,
        name: String,
        policy: FailurePolicy = .cancel,
        limit: UInt32? = nil,
        timeout: TimeSpan? = nil,
        grace: TimeSpan? = nil,
        shield: Bool = false,
        detached: Bool = false,
        isScope: Bool = false,
        acceptsSiblings: Bool = false
    ) {
        self.key = key
        self.parent = parent
        self.owner = owner
        self.name = name
        self.policy = policy
        self.limit = limit
        self.timeout = timeout
        self.grace = grace
        self.shield = shield
        self.detached = detached
        self.isScope = isScope || owner != nil
        self.acceptsSiblings = acceptsSiblings
    }
}

/// A group's outcome (ruling R1), decided once.
package enum GroupOutcome: UInt8, Sendable, CaseIterable {
    case ok
    case errors
    case timeout
    case cancelled
}

/// How many tasks of a group ended in which way, and how many have not.
package struct TaskCounts: Sendable, Equatable {
    package var queued = 0
    package var running = 0
    package var ok = 0
    package var error = 0
    package var timeout = 0
    package var cancelled = 0
    package var lost = 0

    package init() {}

    package var ended: Int { failed.adding(ok).adding(cancelled) }
    package var failed: Int { error.adding(timeout).adding(lost) }

    package mutating func count(_ outcome: TaskOutcome) {
        switch outcome {
        case .ok: ok += 1
        case .error: error += 1
        case .timeout: timeout += 1
        case .cancelled: cancelled += 1
        case .lost: lost += 1
        }
    }

    package static func + (left: TaskCounts, right: TaskCounts) -> TaskCounts {
        var sum = left
        sum += right
        return sum
    }

    package static func += (left: inout TaskCounts, right: TaskCounts) {
        left.queued = left.queued.adding(right.queued)
        left.running = left.running.adding(right.running)
        left.ok = left.ok.adding(right.ok)
        left.error = left.error.adding(right.error)
        left.timeout = left.timeout.adding(right.timeout)
        left.cancelled = left.cancelled.adding(right.cancelled)
        left.lost = left.lost.adding(right.lost)
    }
}

extension Int {
    /// The sum, or the greatest number there is: counts come from peers, too.
    fileprivate func adding(_ other: Int) -> Int {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}

/// Why a group or task was asked to stop. The first cause sticks; it is told in the outcome.
package enum CancelCause: UInt8, Sendable, CaseIterable {
    case none
    /// A sibling failed under the policy `cancel`.
    case siblingFailed
    /// A sibling won under the policy `first`.
    case siblingWon
    /// The deadline of the group or of one around it fired.
    case deadline
    /// The task's own timeout fired.
    case taskTimeout
    /// Somebody asked: the owner, or `cohort cancel`.
    case requested
    /// The session that owned the group is gone.
    case ownerLost
    /// The coordinator drains.
    case shutdown
}

/// What a client learns when a group has closed.
package struct GroupReport: Sendable, Equatable {
    package var group: GroupID
    package var parent: GroupID?
    package var name: String
    package var outcome: GroupOutcome
    package var timedOut: Bool
    package var cancelled: Bool
    package var cause: CancelCause
    /// Free text of whoever asked for the cancel; empty when nobody gave any.
    package var reason: String
    /// The name of the group whose deadline fired, this one or one around it.
    package var deadlineOf: String
    package var counts: TaskCounts
    package var elapsed: TimeSpan
    /// How long ago the group was opened, at the time of this report.
    package var openedAgo: TimeSpan
    /// Reports of ended tasks that retention has dropped.
    package var omitted: UInt64
    /// Tasks of all groups that have closed inside, save for groups of tasks.
    package var below: TaskCounts

    package init(
        group: GroupID,
        parent: GroupID?,
        name: String,
        outcome: GroupOutcome,
        timedOut: Bool,
        cancelled: Bool,
        cause: CancelCause,
        reason: String,
        deadlineOf: String,
        counts: TaskCounts,
        elapsed: TimeSpan,
        openedAgo: TimeSpan,
        omitted: UInt64,
        below: TaskCounts = TaskCounts()
    ) {
        self.group = group
        self.parent = parent
        self.name = name
        self.outcome = outcome
        self.timedOut = timedOut
        self.cancelled = cancelled
        self.cause = cause
        self.reason = reason
        self.deadlineOf = deadlineOf
        self.counts = counts
        self.elapsed = elapsed
        self.openedAgo = openedAgo
        self.omitted = omitted
        self.below = below
    }
}
