/// The errors of a group, as a tree that mirrors the groups: every failed task is one leaf.
///
/// `filter` and `split` work as they do on Python's `ExceptionGroup`: the structure is kept, branches that have become
/// empty are cut off.
public indirect enum ErrorNode: Sendable, Equatable {
    case group(Group)
    case leaf(Leaf)

    /// The errors of one group.
    public struct Group: Sendable, Equatable {
        /// Name of the group.
        public var group: String
        /// `2 errors in group nightly`, unless it was given.
        public var message: String
        /// In the order in which they happened; child groups among them.
        public var errors: [ErrorNode]
        /// How many more leaves there were that are not shown.
        public var omitted: Int?
        /// Identifies the group at its coordinator.
        public var id: String?
        /// Its deadline, or one around it, fired.
        public var timedOut: Bool
        /// It was stopped from outside.
        public var cancelled: Bool
        /// From the opening of the group until everything in it was gone.
        public var elapsed: Duration?
        /// Name of the task whose program has opened the group and raised its errors.
        public var task: String?

        /// Makes the message from the number of errors unless one is given.
        public init(
            group: String,
            errors: [ErrorNode],
            omitted: Int? = nil,
            message: String? = nil,
            id: String? = nil,
            timedOut: Bool = false,
            cancelled: Bool = false,
            elapsed: Duration? = nil,
            task: String? = nil
        ) {
            self.group = group
            self.errors = errors
            self.omitted = omitted
            self.id = id
            self.timedOut = timedOut
            self.cancelled = cancelled
            self.elapsed = elapsed
            self.task = task
            self.message = ""
            self.message = message ?? defaultMessage
        }
    }

    /// Why one task failed.
    public struct Leaf: Sendable, Equatable {
        /// Name of the task; `nil` for a group's own error.
        public var task: String?
        /// Name of the group that failed by itself: its deadline fired.
        public var group: String?
        /// The task's `id`.
        public var id: String?
        /// What kind of error it is.
        public var type: ErrorType
        /// For people: `exit status 22`.
        public var message: String
        /// The attempt that failed, from 1.
        public var attempt: Int?
        /// How many attempts the task was allowed.
        public var attempts: Int?
        /// Of a command that exited.
        public var exitCode: Int?
        /// Name of the signal that ended a command, such as `SIGKILL`.
        public var signal: String?
        /// The end of what the attempt wrote to stderr; empty for nothing.
        public var stderr: String
        /// Stack trace of a call, as its language prints it.
        public var trace: String?
        /// Name of the worker that ran the attempt.
        public var worker: String?
        /// Where that worker ran.
        public var host: String?
        /// What ran, in one line.
        public var command: String?
        /// From the start of the attempt to its end.
        public var elapsed: Duration?

        /// An error that tells no more than what is given.
        public init(
            task: String? = nil,
            group: String? = nil,
            id: String? = nil,
            type: ErrorType,
            message: String,
            attempt: Int? = nil,
            attempts: Int? = nil,
            exitCode: Int? = nil,
            signal: String? = nil,
            stderr: String = "",
            trace: String? = nil,
            worker: String? = nil,
            host: String? = nil,
            command: String? = nil,
            elapsed: Duration? = nil
        ) {
            self.task = task
            self.group = group
            self.id = id
            self.type = type
            self.message = message
            self.attempt = attempt
            self.attempts = attempts
            self.exitCode = exitCode
            self.signal = signal
            self.stderr = stderr
            self.trace = trace
            self.worker = worker
            self.host = host
            self.command = command
            self.elapsed = elapsed
        }
    }
}

/// Names what kind of error a leaf is: one of Cohort's own, or the type of what a call threw, such as `ValueError`.
public struct ErrorType: RawRepresentable, Sendable, Hashable, Codable, ExpressibleByStringLiteral {
    /// The name as it stands in JSON.
    public var rawValue: String

    /// A type by its name.
    public init(rawValue: String) { self.rawValue = rawValue }

    /// A type by its name.
    public init(stringLiteral value: String) { self.rawValue = value }

    /// A command exited with a status other than 0.
    public static let commandFailed: ErrorType = "CommandFailed"
    /// A command died of a signal that Cohort did not send.
    public static let commandKilled: ErrorType = "CommandKilled"
    /// The task's own timeout fired.
    public static let taskTimeout: ErrorType = "TaskTimeout"
    /// The process that ran the task died under it.
    public static let workerLost: ErrorType = "WorkerLost"
    /// The group's deadline fired.
    public static let groupTimeout: ErrorType = "GroupTimeout"
    /// The program could not be started.
    public static let startFailed: ErrorType = "StartFailed"
    /// Somebody waited for a task that was cancelled; the message is the task's name.
    public static let taskCancelled: ErrorType = "TaskCancelled"
    /// Somebody waited for tasks only so long.
    public static let waitTimeout: ErrorType = "WaitTimeout"
    /// A group that stops or has ended takes no task.
    public static let spawnRefused: ErrorType = "SpawnRefused"
    /// The deadline of a group that has ended or timed out cannot be moved.
    public static let deadlineRefused: ErrorType = "DeadlineRefused"
    /// A group could not be opened.
    public static let groupRefused: ErrorType = "GroupRefused"
    /// What a call has returned is not what its caller expects.
    public static let invalidResult: ErrorType = "InvalidResult"
    /// The connection to the coordinator was lost.
    public static let connectionLost: ErrorType = "ConnectionLost"

    /// Cohort itself gave the error this type; its message then says how the task ended.
    public var isOwn: Bool {
        switch self {
        case .commandFailed, .commandKilled, .taskTimeout, .workerLost, .groupTimeout, .startFailed: true
        default: false
        }
    }
}
