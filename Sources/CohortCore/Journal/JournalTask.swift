/// An unfinished task that is not merely queued, or has been more than that. Without a row a task is queued for its first
/// attempt.
package struct JournalTask: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    /// What workers call it.
    package var key: TaskKey
    package var state: TaskState
    package var attempt: UInt32
    package var executions: UInt16
    /// Number of the worker that has it, or had it last; 0 if none ever did.
    package var worker: UInt32
    package var flags: TaskRecord.Flags
    package var cause: CancelCause
    /// Of its last attempt.
    package var startedAt: Instant
    /// Workers that have died under it.
    package var crashes: UInt8
    /// How its attempt ended, if it waits for groups that it has left open.
    package var end: PendingEnd?

    package init(
        group: GroupID,
        index: UInt32,
        key: TaskKey,
        state: TaskState,
        attempt: UInt32,
        executions: UInt16,
        worker: UInt32,
        flags: TaskRecord.Flags,
        cause: CancelCause,
        startedAt: Instant,
        crashes: UInt8,
        end: PendingEnd?
    ) {
        self.group = group
        self.index = index
        self.key = key
        self.state = state
        self.attempt = attempt
        self.executions = executions
        self.worker = worker
        self.flags = flags
        self.cause = cause
        self.startedAt = startedAt
        self.crashes = crashes
        self.end = end
    }
}

/// Where a task stands, in all tables.
package struct JournalTaskPlace: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32

    package init(group: GroupID, index: UInt32) {
        self.group = group
        self.index = index
    }
}

/// How the last attempt of a task failed that has not ended: a row of its own, for it may be large, and the task's row is
/// written with each step of the attempts that follow.
package struct JournalFailure: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    package var failure: PendingFailure

    package init(group: GroupID, index: UInt32, failure: PendingFailure) {
        self.group = group
        self.index = index
        self.failure = failure
    }
}

/// The end of a task.
package struct JournalEnd: Sendable, Equatable {
    /// Ends and closings have one order, in which they are told.
    package var sequence: UInt64
    package var head: GroupID
    /// Without a place of a detail.
    package var report: TaskReport
    package var detail: AttemptDetail?
    package var value: [UInt8]
    package var name: String
    /// A client besides the owner that is told of it.
    package var sibling: PeerToken
    /// It is counted only, and never told again: there are too many.
    package var isOmitted: Bool

    package init(
        sequence: UInt64,
        head: GroupID,
        report: TaskReport,
        detail: AttemptDetail?,
        value: [UInt8],
        name: String,
        sibling: PeerToken,
        isOmitted: Bool
    ) {
        self.sequence = sequence
        self.head = head
        self.report = report
        self.detail = detail
        self.value = value
        self.name = name
        self.sibling = sibling
        self.isOmitted = isOmitted
    }
}
