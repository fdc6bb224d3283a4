/// What became of a task, decided once.
package enum TaskOutcome: UInt8, Sendable, CaseIterable {
    case ok
    case error
    case timeout
    case cancelled
    case lost
}

/// How a worker says that an attempt ended. The coordinator decides from it, and from what it asked for, the outcome.
package enum AttemptStatus: UInt8, Sendable, CaseIterable {
    /// A call returned, or a command exited with 0.
    case ok
    /// A call threw, or a command exited with another code or died of a signal that Cohort did not send.
    case failed
    /// It ended because of a cancel request.
    case cancelled
    /// The process that ran it died under it.
    case lost
}

/// Where the output of a task goes while it runs.
package enum OutputMode: UInt8, Sendable, CaseIterable {
    /// Only the tails of stdout and stderr, with the report.
    case tail
    /// Every byte, in chunks, against credit.
    case stream
}

/// What many tasks share. The coordinator reads the fields it schedules by and passes `spec` on as it came.
package struct TaskTemplate: Sendable, Equatable {
    package var name: String
    /// The function of a call; empty for a command.
    package var function: String
    /// Per attempt, from its start (ruling R9).
    package var timeout: TimeSpan?
    /// How many further attempts a failed one may have.
    package var retries: UInt32
    /// Before the first retry; doubles with each further one.
    package var backoff: TimeSpan
    package var shield: Bool
    package var output: OutputMode
    /// Environment and working directory of commands, encoded; opaque to the coordinator.
    package var spec: [UInt8]

    package init(
        name: String,
        function: String = "",
        timeout: TimeSpan? = nil,
        retries: UInt32 = 0,
        backoff: TimeSpan = .zero,
        shield: Bool = false,
        output: OutputMode = .tail,
        spec: [UInt8] = []
    ) {
        self.name = name
        self.function = function
        self.timeout = timeout
        self.retries = retries
        self.backoff = backoff
        self.shield = shield
        self.output = output
        self.spec = spec
    }
}

/// Consecutive tasks of one template in one group.
package struct TaskRun: Sendable, Equatable {
    /// Place in `TaskSubmission.templates`, or in what earlier submissions to the group have brought.
    package var template: UInt32
    /// One entry a task: the length of its payload in `TaskSubmission.payload`.
    package var lengths: [UInt32]

    package init(template: UInt32, lengths: [UInt32]) {
        self.template = template
        self.lengths = lengths
    }
}

/// Tasks that a client adds to one of its groups, many at a time.
///
/// Tasks are numbered from 0 in the order of submission. `first` makes resending harmless: what is already there is skipped.
package struct TaskSubmission: Sendable, Equatable {
    package var group: GroupKey
    /// The number that the first task here must get.
    package var first: UInt32
    /// The number that the first template here must get within the group.
    package var firstTemplate: UInt32
    package var templates: [TaskTemplate]
    package var runs: [TaskRun]
    /// The tasks' payloads one after the other, opaque to the coordinator.
    package var payload: [UInt8]

    package init(
        group: GroupKey,
        first: UInt32,
        firstTemplate: UInt32 = 0,
        templates: [TaskTemplate] = [],
        runs: [TaskRun],
        payload: [UInt8] = []
    ) {
        self.group = group
        self.first = first
        self.firstTemplate = firstTemplate
        self.templates = templates
        self.runs = runs
        self.payload = payload
    }
}

extension TaskSubmission {
    /// The number after that of its last task.
    package var end: Int { runs.reduce(Int(first)) { $0 + $1.lengths.count } }
}

/// What is worth telling of an attempt beyond "ok".
package struct AttemptDetail: Sendable, Equatable {
    /// Error type: `CommandFailed`, `CommandKilled`, `StartFailed`, `WorkerLost`, `TaskTimeout`, or what a call threw.
    package var type = ""
    package var message = ""
    package var trace = ""
    /// The error as a tree, as callers' libraries encode it; empty for a plain one. Opaque here.
    package var tree: [UInt8] = []
    /// One line: what ran.
    package var command = ""
    package var exitCode: Int32?
    package var signal: Int32?
    package var coreDumped = false
    /// It, or part of its process tree, had to be killed at the end of the grace.
    package var forced = false
    package var standardOutput: [UInt8] = []
    package var standardError: [UInt8] = []
    /// Bytes written in all, of which the tails above are the end.
    package var standardOutputBytes: UInt64 = 0
    package var standardErrorBytes: UInt64 = 0
    package var userTime = TimeSpan.zero
    package var systemTime = TimeSpan.zero
    package var maxResidentBytes: UInt64 = 0
    /// Of streamed output: what its reader may not have, up to the end.
    package var rest: OutputStretch?

    package init() {}
}

/// What the owner of a group and whoever watches it learn when a task has ended.
package struct TaskReport: Sendable, Equatable {
    package var group: GroupID
    /// The task's number in its group, from 0.
    package var index: UInt32
    package var outcome: TaskOutcome
    package var started: Bool
    /// It returned a value after it was asked to stop (ruling R3).
    package var afterCancel: Bool
    package var cause: CancelCause
    /// How many times its program was started.
    package var attempts: UInt32
    package var elapsed: TimeSpan
    /// The number of the worker that ran the last attempt; 0 if none did.
    package var worker: UInt32
    /// Length of the value in `ClientUpdate.payload`.
    package var valueLength: UInt32
    /// Place in `ClientUpdate.details`; -1 for none.
    package var detail: Int32

    package init(
        group: GroupID,
        index: UInt32,
        outcome: TaskOutcome,
        started: Bool,
        afterCancel: Bool = false,
        cause: CancelCause = .none,
        attempts: UInt32,
        elapsed: TimeSpan,
        worker: UInt32,
        valueLength: UInt32 = 0,
        detail: Int32 = -1
    ) {
        self.group = group
        self.index = index
        self.outcome = outcome
        self.started = started
        self.afterCancel = afterCancel
        self.cause = cause
        self.attempts = attempts
        self.elapsed = elapsed
        self.worker = worker
        self.valueLength = valueLength
        self.detail = detail
    }
}
