/// One task, with everything that it inherits from the groups around it filled in.
package struct TaskPlan: Sendable, Equatable {
    /// Unique among the tasks and groups of its group.
    package var name: String
    package var work: Work
    /// Per attempt, from its start; `nil` for none.
    package var timeout: Duration?
    package var retries: RetryPlan
    package var shield: Bool
    /// What the file adds to the environment, outermost group first; a name occurs once.
    package var environment: [EnvironmentEntry]
    /// Absolute; `nil` means the directory in which the batch is run or submitted.
    package var workingDirectory: String?
    /// What the program reads; `nil` for an empty standard input.
    package var stdin: String?
    package var location: SourceLocation

    package init(
        name: String,
        work: Work,
        timeout: Duration? = nil,
        retries: RetryPlan = RetryPlan(),
        shield: Bool = false,
        environment: [EnvironmentEntry] = [],
        workingDirectory: String? = nil,
        stdin: String? = nil,
        location: SourceLocation
    ) {
        self.name = name
        self.work = work
        self.timeout = timeout
        self.retries = retries
        self.shield = shield
        self.environment = environment
        self.workingDirectory = workingDirectory
        self.stdin = stdin
        self.location = location
    }
}

/// What a task does.
///
/// Commands are bytes, because arguments of programs are: a file name that is not valid UTF-8 reaches the program as it is.
package enum Work: Sendable, Equatable {
    /// A program and its arguments, never empty, without NUL bytes.
    case argv([[UInt8]])
    /// A line for `sh -c`, without NUL bytes.
    case shell([UInt8])
    /// A function that a worker has registered; `arguments` is JSON text in UTF-8, `null` if there are none.
    case call(function: String, arguments: [UInt8])

    /// A program and its arguments as text.
    package static func argv(_ words: String...) -> Work {
        var bytes: [[UInt8]] = []
        for word in words {
            bytes.append(Array(word.utf8))
        }
        return .argv(bytes)
    }

    /// A shell line as text.
    package static func shell(_ line: String) -> Work {
        .shell(Array(line.utf8))
    }
}

/// Further attempts that a failed task may have.
package struct RetryPlan: Sendable, Equatable {
    /// Attempts after the first one; 0 for none.
    package var limit: Int
    /// The pause before the first retry.
    package var backoff: Duration

    package init(limit: Int = 0, backoff: Duration = .zero) {
        self.limit = limit
        self.backoff = backoff
    }
}

/// One environment variable.
package struct EnvironmentEntry: Sendable, Equatable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}
