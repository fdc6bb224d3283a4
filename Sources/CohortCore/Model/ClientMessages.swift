/// A worker as clients see it.
package struct WorkerSummary: Sendable, Equatable {
    package var number: UInt32
    package var name: String
    package var host: String
    package var processID: UInt32
    package var slots: UInt32
    package var running: UInt32
    package var prefetched: UInt32
    package var draining: Bool
    package var functions: [String]

    package init(
        number: UInt32,
        name: String,
        host: String,
        processID: UInt32,
        slots: UInt32 = 0,
        running: UInt32 = 0,
        prefetched: UInt32 = 0,
        draining: Bool = false,
        functions: [String] = []
    ) {
        self.number = number
        self.name = name
        self.host = host
        self.processID = processID
        self.slots = slots
        self.running = running
        self.prefetched = prefetched
        self.draining = draining
        self.functions = functions
    }
}

/// A group as `cohort status` shows it.
package struct GroupSummary: Sendable, Equatable {
    package var group: GroupID
    package var parent: GroupID?
    package var name: String
    package var detached: Bool
    package var stopping: Bool
    /// `nil` while it runs.
    package var outcome: GroupOutcome?
    /// Of the whole tree below a root in a snapshot. When a watcher is told of it, of the group and of those inside it that
    /// the watcher is not told of.
    package var counts: TaskCounts
    package var openedAgo: TimeSpan
    package var elapsed: TimeSpan
    package var deadlineIn: TimeSpan?
    /// Why its queued tasks do not start, if there is a reason worth telling.
    package var waiting: String
    /// When a watcher is told of it: what runs, as many as are worth telling, in the order of spawning.
    package var running: [RunningTask] = []

    package init(
        group: GroupID,
        parent: GroupID?,
        name: String,
        detached: Bool,
        stopping: Bool,
        outcome: GroupOutcome?,
        counts: TaskCounts,
        openedAgo: TimeSpan,
        elapsed: TimeSpan,
        deadlineIn: TimeSpan?,
        waiting: String
    ) {
        self.group = group
        self.parent = parent
        self.name = name
        self.detached = detached
        self.stopping = stopping
        self.outcome = outcome
        self.counts = counts
        self.openedAgo = openedAgo
        self.elapsed = elapsed
        self.deadlineIn = deadlineIn
        self.waiting = waiting
    }

    /// A group of a detached tree that has closed.
    package init(closed report: GroupReport) {
        self.init(
            group: report.group,
            parent: report.parent,
            name: report.name,
            detached: true,
            stopping: false,
            outcome: report.outcome,
            counts: report.counts,
            openedAgo: report.openedAgo,
            elapsed: report.elapsed,
            deadlineIn: nil,
            waiting: ""
        )
    }
}

/// A task that runs.
package struct RunningTask: Sendable, Equatable {
    package var index: UInt32
    package var name: String
    /// Number of its worker.
    package var worker: UInt32
    /// Since its attempt began.
    package var elapsed: TimeSpan

    package init(index: UInt32, name: String, worker: UInt32, elapsed: TimeSpan) {
        self.index = index
        self.name = name
        self.worker = worker
        self.elapsed = elapsed
    }
}

/// The coordinator's answer to a query.
package struct Snapshot: Sendable, Equatable {
    package var groups: [GroupSummary] = []
    package var workers: [WorkerSummary] = []
    package var clients: UInt32 = 0
    /// Messages about attempts that are over, dropped as the rules say.
    package var staleMessages: UInt64 = 0
    /// Frames that could not be understood. Filled in by the shell, which sees them.
    package var badFrames: UInt64 = 0
    /// Peers that were turned away, each counted once a minute: without a key, with one that is not known, or in a role that
    /// is not theirs. Filled in by the shell too.
    package var refusedPeers: UInt64 = 0
    package var draining = false

    package init() {}
}

/// Why a request was turned down; the text is for people.
package struct Refusal: Sendable, Equatable {
    package enum Code: UInt8, Sendable, CaseIterable {
        case shuttingDown
        case finished
        case unknownGroup
        case invalid
        case limit
        case draining
    }
    package var code: Code
    /// The group that the request named, if it named one by key.
    package var key: GroupKey?
    /// Of a submission: tasks from this number on have not been accepted.
    package var from: UInt32
    package var message: String

    package init(code: Code, key: GroupKey? = nil, from: UInt32 = 0, message: String) {
        self.code = code
        self.key = key
        self.from = from
        self.message = message
    }
}

/// A group that has got its number.
package struct OpenedGroup: Sendable, Equatable {
    package var key: GroupKey
    package var group: GroupID

    package init(key: GroupKey, group: GroupID) {
        self.key = key
        self.group = group
    }
}

/// A piece of output on its way to a client; its bytes stand in `ClientUpdate.payload`, in order.
package struct ClientOutput: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    /// Counts the task's executions, from 1: output of an earlier attempt is void once a later one begins.
    package var attempt: UInt32
    package var stream: OutputStream
    /// Bytes that the attempt had written before, to both streams together.
    package var offset: UInt64
    package var length: UInt32

    package init(
        group: GroupID,
        index: UInt32,
        attempt: UInt32,
        stream: OutputStream,
        offset: UInt64 = 0,
        length: UInt32
    ) {
        self.group = group
        self.index = index
        self.attempt = attempt
        self.stream = stream
        self.offset = offset
        self.length = length
    }
}

/// What a watcher must know to name a task that it has not submitted.
package struct TaskName: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    package var name: String

    package init(group: GroupID, index: UInt32, name: String) {
        self.group = group
        self.index = index
        self.name = name
    }
}

/// A group that has begun to stop; its owner should add nothing more and seal it.
package struct GroupStop: Sendable, Equatable {
    package var group: GroupID
    package var cause: CancelCause
    package var reason: String

    package init(group: GroupID, cause: CancelCause, reason: String) {
        self.group = group
        self.cause = cause
        self.reason = reason
    }
}

/// Tasks that a running task has added to its own group, which numbers them in the order in which they came.
package struct AcceptedTasks: Sendable, Equatable {
    package var key: GroupKey
    /// The number that the first of them has among those of the session that added them.
    package var first: UInt32
    /// The number that it has in the group.
    package var index: UInt32
    package var count: UInt32

    package init(key: GroupKey, first: UInt32, index: UInt32, count: UInt32) {
        self.key = key
        self.first = first
        self.index = index
        self.count = count
    }
}

/// What became of a request that carried a token.
package struct RequestAnswer: Sendable, Equatable {
    package var token: UInt32
    /// It took effect. A cancel that came after the end did not, which is no refusal.
    package var isAccepted: Bool
    /// Why it was turned down, if it was.
    package var code: Refusal.Code?
    package var message: String

    package init(token: UInt32, isAccepted: Bool, code: Refusal.Code? = nil, message: String = "") {
        self.token = token
        self.isAccepted = isAccepted
        self.code = code
        self.message = message
    }
}

/// How far a running task says that it is.
package struct TaskProgress: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    /// From 0 to 1; `nil` if it cannot tell.
    package var fraction: Double?
    package var note: String

    package init(group: GroupID, index: UInt32, fraction: Double?, note: String) {
        self.group = group
        self.index = index
        self.fraction = fraction
        self.note = note
    }
}

/// All that has happened to a client's groups since the last update, in this order: what was opened, workers, groups and
/// names that the rest speaks of, tasks accepted, stops, starts, progress, output, ended tasks, closed groups, refusals,
/// answers.
///
/// `payload` holds the bytes of `outputs`, then the values of `reports`.
package struct ClientUpdate: Sendable, Equatable {
    package var opened: [OpenedGroup] = []
    package var workers: [WorkerSummary] = []
    /// Open groups of a tree that the client has begun to watch, or has asked after again.
    package var groups: [GroupSummary] = []
    package var names: [TaskName] = []
    package var stopping: [GroupStop] = []
    package var started: [TaskStart] = []
    package var outputs: [ClientOutput] = []
    package var reports: [TaskReport] = []
    package var details: [AttemptDetail] = []
    package var closed: [GroupReport] = []
    package var refusals: [Refusal] = []
    package var accepted: [AcceptedTasks] = []
    package var answers: [RequestAnswer] = []
    package var progress: [TaskProgress] = []
    /// Watched trees of which all that had happened before has now been told.
    package var caughtUp: [GroupID] = []
    package var payload: [UInt8] = []

    package init() {}

    package var isEmpty: Bool {
        opened.isEmpty && groups.isEmpty && names.isEmpty && stopping.isEmpty && started.isEmpty && outputs.isEmpty
            && reports.isEmpty && closed.isEmpty && refusals.isEmpty && caughtUp.isEmpty && accepted.isEmpty
            && answers.isEmpty && progress.isEmpty
    }

    /// What a client owes for this update: it gives the sum back with `Consumed` once it has dealt with it.
    package static func weight(bytes: Int, reports: Int) -> UInt64 { UInt64(bytes) + UInt64(reports) * 64 }

    /// The weight of the whole update: its payload, the output in its details, and 64 for each report.
    package var weight: UInt64 {
        Self.weight(bytes: payload.count + details.reduce(0) { $0 + $1.outputBytes }, reports: reports.count)
    }
}

/// A task that has begun to run; told while it runs, not when it has ended in the same breath.
package struct TaskStart: Sendable, Equatable {
    package var group: GroupID
    package var index: UInt32
    package var worker: UInt32

    package init(group: GroupID, index: UInt32, worker: UInt32) {
        self.group = group
        self.index = index
        self.worker = worker
    }
}
