internal import CohortCore

/// A task has failed: thrown to whoever waits for its value.
public struct TaskFailure: Error, Sendable, CustomStringConvertible {
    /// Name of the task.
    public var task: String
    /// Its error: a leaf, or the errors of groups that it had opened itself.
    public var tree: ErrorNode
    /// All that is known of it; the outcome is `error`, `timeout` or `lost`.
    public var result: TaskResult

    /// The failure of a task.
    public init(task: String, tree: ErrorNode, result: TaskResult) {
        self.task = task
        self.tree = tree
        self.result = result
    }

    /// Every error in the tree.
    public var leaves: [ErrorNode.Leaf] { tree.leaves }

    /// The task and its errors.
    public var description: String { ErrorDrawing.text(of: tree) }
}

/// A task was cancelled: thrown to whoever waits for its value. It is an error of theirs, not a cancellation.
public struct TaskCancelled: Error, Sendable, Equatable, CustomStringConvertible {
    /// Name of the task.
    public var task: String
    /// Why, if somebody said so.
    public var reason: String?

    /// The cancellation of a task.
    public init(task: String, reason: String? = nil) {
        self.task = task
        self.reason = reason
    }

    /// The task and the reason.
    public var description: String { "task \(task) was cancelled" + (reason.map { ": \($0)" } ?? "") }
}

/// An error with a type by name, for functions and bodies that want their callers to tell it from others.
public struct TaskError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Its name in the tree of errors.
    public var type: ErrorType
    /// For people.
    public var message: String

    /// An error of a type with a message.
    public init(type: ErrorType, message: String) {
        self.type = type
        self.message = message
    }

    /// Type and message.
    public var description: String { message.isEmpty ? type.rawValue : "\(type.rawValue): \(message)" }
}

/// The time that somebody wanted to wait at most is over. The tasks are left alone.
public struct WaitTimeout: Error, Sendable, Equatable, CustomStringConvertible {
    /// A wait that took too long.
    public init() {}

    /// One line.
    public var description: String { "the wait has timed out; the tasks go on" }
}

/// A group takes no task.
public struct SpawnRefused: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is in the way.
    public enum Code: Sendable, Equatable {
        /// The group stops.
        case shuttingDown
        /// The group has ended, or the task that would add one to it has.
        case finished
        /// The coordinator holds as much as it can.
        case limit
        /// The task cannot be sent as it is; the message says why.
        case invalid
        /// The connection is lost.
        case lost
    }
    /// What is in the way.
    public var code: Code
    /// `shutting down`, `finished`, or a text that says more.
    public var message: String

    /// A refusal for one of the reasons above.
    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    static let shuttingDown = SpawnRefused(code: .shuttingDown, message: "shutting down")
    static let finished = SpawnRefused(code: .finished, message: "finished")

    init(_ refusal: Refusal) {
        switch refusal.code {
        case .shuttingDown, .draining: self = .shuttingDown
        case .finished, .unknownGroup: self = .finished
        case .limit: self.init(code: .limit, message: refusal.message)
        case .invalid: self.init(code: .invalid, message: refusal.message)
        }
    }

    /// One line.
    public var description: String { "the group takes no task: \(message)" }
}

/// The deadline of a group cannot be moved any more.
public struct DeadlineRefused: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is in the way.
    public enum Code: Sendable, Equatable {
        /// The deadline has fired.
        case shuttingDown
        /// The group has ended.
        case finished
        /// The connection is lost.
        case lost
    }
    /// What is in the way.
    public var code: Code
    /// `shutting down`, `finished`, or a text that says more.
    public var message: String

    /// A refusal for one of the reasons above.
    public init(code: Code, message: String) {
        self.code = code
        self.message = message
    }

    /// One line.
    public var description: String { "the deadline cannot be moved: \(message)" }
}
