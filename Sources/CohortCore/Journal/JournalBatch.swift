/// What must be written so that a journal that was equal to the coordinator's state is equal to it again.
///
/// To be applied as a whole or not at all, in the order of the members, after all batches before it. Applying one twice in a
/// row changes nothing: rows are put in the place of those with the same key, and what is deleted may be gone already.
package struct JournalBatch: Sendable, Equatable {
    /// In the place of those that were.
    package var counters = JournalCounters()
    /// Key: the token.
    package var clients: [JournalClient] = []
    /// These are gone for good.
    package var departedClients: [PeerToken] = []
    /// Key: the number.
    package var workers: [JournalWorker] = []
    /// Nothing names these any more.
    package var forgottenWorkers: [UInt32] = []
    /// Key: the group's number. Those that are open, and heads that are closed and remembered.
    package var groups: [JournalGroup] = []
    /// Key: the group and the number of the first task. They never change.
    package var submissions: [JournalSubmission] = []
    /// Key: the group and the task's number.
    package var tasks: [JournalTask] = []
    /// Key: the group and the task's number. Each takes the place of the task's row in `tasks`.
    package var ends: [JournalEnd] = []
    /// Key: the group's number. Submissions and tasks of these groups go, and the row in `groups` of one that is no head.
    package var closings: [JournalClosing] = []
    /// Heads of which nothing is kept any more: their rows in `groups`, and the ends and closings that name them as head.
    package var forgotten: [GroupID] = []

    package init() {}

    /// Nothing has changed but, perhaps, numbers that nobody has been told.
    package var isEmpty: Bool {
        clients.isEmpty && departedClients.isEmpty && workers.isEmpty && forgottenWorkers.isEmpty && groups.isEmpty
            && submissions.isEmpty && tasks.isEmpty && ends.isEmpty && closings.isEmpty && forgotten.isEmpty
    }
}

/// Numbers that must not be given out twice.
package struct JournalCounters: Sendable, Equatable {
    package var nextGroup: UInt64 = 1
    package var nextTemplate: UInt64 = 1
    package var nextWorker: UInt32 = 1
    /// Of tasks, in the order of spawning.
    package var nextOrder: UInt64 = 0
    /// Of ends and closings.
    package var nextSequence: UInt64 = 0
    /// The highest generation that any task's place has had: later tenants get higher ones.
    package var generation: UInt32 = 0

    package init() {}
}

/// A client that can come back.
package struct JournalClient: Sendable, Equatable {
    package var token: PeerToken
    /// Keys that it has used for groups, open or not: a request that is sent again must not open one twice.
    package var keys: [ClosedRange<UInt32>]
    /// In ascending order of keys.
    package var joined: [JournalJoin]

    package init(token: PeerToken, keys: [ClosedRange<UInt32>], joined: [JournalJoin]) {
        self.token = token
        self.keys = keys
        self.joined = joined
    }
}

/// A key of a client for a group that others add tasks to as well.
package struct JournalJoin: Sendable, Equatable {
    package var key: GroupKey
    package var group: GroupID
    /// The task that adds them; `nil` for the group's owner.
    package var task: AttemptRef?

    package init(key: GroupKey, group: GroupID, task: AttemptRef?) {
        self.key = key
        self.group = group
        self.task = task
    }
}

/// A worker that reports may name, and that may hold tasks.
package struct JournalWorker: Sendable, Equatable {
    package var number: UInt32
    package var token: PeerToken
    /// Without what it held when it joined.
    package var offer: WorkerOffer
    package var draining: Bool
    /// It is gone for good, and only its name is of interest.
    package var departed: Bool

    package init(number: UInt32, token: PeerToken, offer: WorkerOffer, draining: Bool, departed: Bool) {
        self.number = number
        self.token = token
        self.offer = offer
        self.draining = draining
        self.departed = departed
    }
}

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
    package var omitted: UInt64

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
        omitted: UInt64
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
        self.omitted = omitted
    }
}

/// Tasks that were added to a group in one go.
package struct JournalSubmission: Sendable, Equatable {
    package var group: GroupID
    /// Number of the first task.
    package var first: UInt32
    /// Its place in the order of spawning; those of the others follow.
    package var order: UInt64
    /// Templates that are new in the group.
    package var templates: [JournalTemplate]
    package var runs: [JournalRun]
    /// The tasks' payloads one after the other.
    package var payload: [UInt8]
    /// If it came by way of a key for a group that others add tasks to as well.
    package var joined: JournalJoinedSubmission?

    package init(
        group: GroupID,
        first: UInt32,
        order: UInt64,
        templates: [JournalTemplate],
        runs: [JournalRun],
        payload: [UInt8],
        joined: JournalJoinedSubmission? = nil
    ) {
        self.group = group
        self.first = first
        self.order = order
        self.templates = templates
        self.runs = runs
        self.payload = payload
        self.joined = joined
    }
}

package struct JournalTemplate: Sendable, Equatable {
    package var id: TemplateID
    package var template: TaskTemplate

    package init(id: TemplateID, template: TaskTemplate) {
        self.id = id
        self.template = template
    }
}

/// Consecutive tasks of one template.
package struct JournalRun: Sendable, Equatable {
    package var template: TemplateID
    /// One entry a task: the length of its payload.
    package var lengths: [UInt32]

    package init(template: TemplateID, lengths: [UInt32]) {
        self.template = template
        self.lengths = lengths
    }
}

/// How a submission stands among those of the client that has brought it.
package struct JournalJoinedSubmission: Sendable, Equatable {
    package var client: PeerToken
    package var key: GroupKey
    /// Number of the first task among those that the client has added with this key.
    package var first: UInt32
    /// What its own templates have become.
    package var templates: [TemplateID]
    /// The client is not the group's owner, and is told of these tasks besides.
    package var isSibling: Bool

    package init(client: PeerToken, key: GroupKey, first: UInt32, templates: [TemplateID], isSibling: Bool) {
        self.client = client
        self.key = key
        self.first = first
        self.templates = templates
        self.isSibling = isSibling
    }
}

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
    /// How its last attempt failed, if it waits for another one.
    package var failure: PendingFailure?
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
        failure: PendingFailure?,
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
        self.failure = failure
        self.end = end
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
