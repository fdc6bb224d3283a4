/// A group as it stands. Times are those of the coordinator's monotonic clock.
package struct JournalGroup: Sendable, Equatable {
    package var id: GroupID
    package var key: GroupKey
    /// `.none` if its owner is gone or cannot come back.
    package var owner: PeerToken
    package var name: String
    package var parent: GroupID?
    /// Number of the task of `parent` that has opened it.
    package var opener: UInt32?
    /// The outermost group around it that the same owner has opened: ends and closings are kept as long as that is.
    package var head: GroupID
    package var policy: FailurePolicy
    /// `.max` for none.
    package var limit: UInt32
    package var grace: TimeSpan
    package var shield: Bool
    package var detached: Bool
    package var isScope: Bool
    package var acceptsSiblings: Bool
    package var isCleanup: Bool
    package var phase: GroupRecord.Phase
    package var sealed: Bool
    package var orphaned: Bool
    package var openedAt: Instant
    package var closedAt: Instant?
    package var deadline: Instant?
    package var timedOut: Bool
    package var cancelledFromOutside: Bool
    package var cause: CancelCause
    package var reason: String
    package var deadlineOf: String
    package var failures: UInt64
    package var hasWinner: Bool
    package var childCancelled: Bool
    package var bodyCancelled: Bool
    package var bodyFailed: Bool
    package var outcome: GroupOutcome?
    package var counts: TaskCounts
    package var closedBelow: TaskCounts
    package var closedInside: TaskCounts
    package var omitted: UInt64
    /// Of a head: ends and closings before this one have come to whoever is told of them, and are not told again.
    package var receivedUpTo: UInt64

    package init(
        id: GroupID,
        key: GroupKey,
        owner: PeerToken,
        name: String,
        parent: GroupID?,
        opener: UInt32?,
        head: GroupID,
        policy: FailurePolicy,
        limit: UInt32,
        grace: TimeSpan,
        shield: Bool,
        detached: Bool,
        isScope: Bool,
        acceptsSiblings: Bool,
        isCleanup: Bool,
        phase: GroupRecord.Phase,
        sealed: Bool,
        orphaned: Bool,
        openedAt: Instant,
        closedAt: Instant?,
        deadline: Instant?,
        timedOut: Bool,
        cancelledFromOutside: Bool,
        cause: CancelCause,
        reason: String,
        deadlineOf: String,
        failures: UInt64,
        hasWinner: Bool,
        childCancelled: Bool,
        bodyCancelled: Bool,
        bodyFailed: Bool,
        outcome: GroupOutcome?,
        counts: TaskCounts,
        closedBelow: TaskCounts,
        closedInside: TaskCounts,
        omitted: UInt64,
        receivedUpTo: UInt64 = 0
    ) {
        self.id = id
        self.key = key
        self.owner = owner
        self.name = name
        self.parent = parent
        self.opener = opener
        self.head = head
        self.policy = policy
        self.limit = limit
        self.grace = grace
        self.shield = shield
        self.detached = detached
        self.isScope = isScope
        self.acceptsSiblings = acceptsSiblings
        self.isCleanup = isCleanup
        self.phase = phase
        self.sealed = sealed
        self.orphaned = orphaned
        self.openedAt = openedAt
        self.closedAt = closedAt
        self.deadline = deadline
        self.timedOut = timedOut
        self.cancelledFromOutside = cancelledFromOutside
        self.cause = cause
        self.reason = reason
        self.deadlineOf = deadlineOf
        self.failures = failures
        self.hasWinner = hasWinner
        self.childCancelled = childCancelled
        self.bodyCancelled = bodyCancelled
        self.bodyFailed = bodyFailed
        self.outcome = outcome
        self.counts = counts
        self.closedBelow = closedBelow
        self.closedInside = closedInside
        self.omitted = omitted
        self.receivedUpTo = receivedUpTo
    }
}

/// The end of a group.
package struct JournalClosing: Sendable, Equatable {
    package var sequence: UInt64
    package var head: GroupID
    package var key: GroupKey
    package var report: GroupReport
    /// If others could add tasks to it: what its owner has added, in order.
    package var accepted: [AcceptedTasks]

    package init(
        sequence: UInt64,
        head: GroupID,
        key: GroupKey,
        report: GroupReport,
        accepted: [AcceptedTasks] = []
    ) {
        self.sequence = sequence
        self.head = head
        self.key = key
        self.report = report
        self.accepted = accepted
    }
}
