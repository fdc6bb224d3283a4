/// What became of a group, decided once.
public enum GroupOutcome: String, Sendable, Codable, CaseIterable {
    /// Every task that mattered succeeded.
    case ok
    /// At least one task failed. Outranks `timeout` and `cancelled`.
    case errors
    /// The deadline of the group, or of one around it, fired, and no task failed.
    case timeout
    /// The group was stopped from outside, and no task failed.
    case cancelled

    /// The exit status of a program that runs the group or waits for it.
    public var exitStatus: Int32 {
        switch self {
        case .ok: 0
        case .errors: 1
        case .timeout: 124
        case .cancelled: 125
        }
    }
}

/// What became of a task, decided once.
public enum TaskOutcome: String, Sendable, Codable, CaseIterable {
    /// The call returned, or the command exited with 0.
    case ok
    /// The call threw, or the command exited with another status, died of a signal or could not be started.
    case error
    /// Its own timeout fired.
    case timeout
    /// It was asked to stop, or never started.
    case cancelled
    /// The process or worker that ran it died under it.
    case lost

    /// It has a leaf in the group's tree of errors.
    public var isFailure: Bool {
        switch self {
        case .ok, .cancelled: false
        case .error, .timeout, .lost: true
        }
    }
}

/// How many tasks ended in which way.
public struct OutcomeCounts: Sendable, Equatable, Codable {
    /// Tasks that succeeded.
    public var ok = 0
    /// Tasks that failed by themselves.
    public var error = 0
    /// Tasks whose own timeout fired.
    public var timeout = 0
    /// Tasks that were stopped or never started.
    public var cancelled = 0
    /// Tasks whose process or worker died under them.
    public var lost = 0

    /// No tasks, save for those given.
    public init(ok: Int = 0, error: Int = 0, timeout: Int = 0, cancelled: Int = 0, lost: Int = 0) {
        self.ok = ok
        self.error = error
        self.timeout = timeout
        self.cancelled = cancelled
        self.lost = lost
    }

    /// Tasks that are leaves of the tree of errors.
    public var failed: Int { error + timeout + lost }

    /// Tasks in all.
    public var total: Int { ok + cancelled + failed }

    /// Counts one more task.
    public mutating func add(_ outcome: TaskOutcome) {
        switch outcome {
        case .ok: ok += 1
        case .error: error += 1
        case .timeout: timeout += 1
        case .cancelled: cancelled += 1
        case .lost: lost += 1
        }
    }

    /// Adds the tasks of another group.
    public static func += (left: inout OutcomeCounts, right: OutcomeCounts) {
        left.ok += right.ok
        left.error += right.error
        left.timeout += right.timeout
        left.cancelled += right.cancelled
        left.lost += right.lost
    }
}

extension OutcomeCounts: JSONRepresentable {
    /// All five numbers, zeros included.
    public var json: JSONValue {
        [
            "ok": .int(ok), "error": .int(error), "timeout": .int(timeout), "cancelled": .int(cancelled),
            "lost": .int(lost),
        ]
    }
}
