/// What became of one task of a group.
public struct TaskResult: Sendable, Equatable {
    /// Name of the task, as the batch or the program gave it.
    public var name: String
    /// Identifies the task at its coordinator.
    public var id: String
    /// Decided once by the coordinator.
    public var outcome: TaskOutcome
    /// `false` if it was cancelled before any program of it ran.
    public var started: Bool
    /// It returned a value after it had been asked to stop; the value is kept.
    public var afterCancel: Bool
    /// It had to be killed at the end of the grace.
    public var forced: Bool
    /// How many times its program was started.
    public var attempts: Int
    /// Of a command that exited.
    public var exitCode: Int?
    /// Name of the signal that ended a command, such as `SIGKILL`.
    public var signal: String?
    /// What a call returned.
    public var value: JSONValue?
    /// The end of what the last attempt wrote to stdout; bytes that are not UTF-8 are replaced by U+FFFD.
    public var stdout: String
    /// The end of what the last attempt wrote to stderr.
    public var stderr: String
    /// Bytes written in all; present when the text above is only the end of them.
    public var stdoutBytes: Int?
    /// The same for stderr.
    public var stderrBytes: Int?
    /// Name of the worker that ran the last attempt.
    public var worker: String?
    /// Where that worker ran.
    public var host: String?
    /// From the start of the first attempt to the end of the last one.
    public var elapsed: Duration
    /// What the last attempt used, its children included.
    public var resources: ResourceUse?
    /// What ran, in one line.
    public var command: String?
    /// Why it failed: a leaf, or the errors of groups that it had opened itself. `nil` for a task that did not.
    public var error: ErrorNode?

    /// A task that ran once, save for what is given.
    public init(
        name: String,
        id: String,
        outcome: TaskOutcome,
        started: Bool = true,
        afterCancel: Bool = false,
        forced: Bool = false,
        attempts: Int = 1,
        exitCode: Int? = nil,
        signal: String? = nil,
        value: JSONValue? = nil,
        stdout: String = "",
        stderr: String = "",
        stdoutBytes: Int? = nil,
        stderrBytes: Int? = nil,
        worker: String? = nil,
        host: String? = nil,
        elapsed: Duration = .zero,
        resources: ResourceUse? = nil,
        command: String? = nil,
        error: ErrorNode? = nil
    ) {
        self.name = name
        self.id = id
        self.outcome = outcome
        self.started = started
        self.afterCancel = afterCancel
        self.forced = forced
        self.attempts = attempts
        self.exitCode = exitCode
        self.signal = signal
        self.value = value
        self.stdout = stdout
        self.stderr = stderr
        self.stdoutBytes = stdoutBytes
        self.stderrBytes = stderrBytes
        self.worker = worker
        self.host = host
        self.elapsed = elapsed
        self.resources = resources
        self.command = command
        self.error = error
    }
}

/// Time and memory that a process and its children have used.
public struct ResourceUse: Sendable, Equatable {
    /// Processor time in user mode.
    public var user: Duration
    /// Processor time in the kernel.
    public var system: Duration
    /// Largest resident set of one of the processes, in bytes.
    public var maxResidentBytes: Int?

    /// Reads a task; members that the format writes always must be there.
    public init(user: Duration, system: Duration, maxResidentBytes: Int?) {
        self.user = user
        self.system = system
        self.maxResidentBytes = maxResidentBytes
    }
}

// MARK: - JSON

extension TaskResult: JSONRepresentable, Codable {
    private enum CodingKeys: String, CodingKey {
        case name, id, outcome, started, forced, attempts, signal, value, stdout, stderr, worker, host, elapsed
        case resources, command, error
        case afterCancel = "after_cancel"
        case exitCode = "exit_code"
        case stdoutBytes = "stdout_bytes"
        case stderrBytes = "stderr_bytes"
    }

    /// The task with its members in reading order; optional figures are left out when absent.
    public var json: JSONValue {
        var object = JSONObject()
        object.append(CodingKeys.name, .string(name))
        object.append(CodingKeys.id, .string(id))
        object.append(CodingKeys.outcome, .string(outcome.rawValue))
        object.append(CodingKeys.started, .bool(started))
        object.append(CodingKeys.afterCancel, .bool(afterCancel))
        object.append(CodingKeys.forced, .bool(forced))
        object.append(CodingKeys.attempts, .int(attempts))
        object.append(CodingKeys.exitCode, JSONValue(orNull: exitCode))
        object.append(CodingKeys.signal, JSONValue(orNull: signal))
        object.append(CodingKeys.value, value ?? .null)
        object.append(CodingKeys.stdout, .string(stdout))
        object.append(CodingKeys.stderr, .string(stderr))
        object.appendIfPresent(CodingKeys.stdoutBytes, stdoutBytes.map(JSONValue.int))
        object.appendIfPresent(CodingKeys.stderrBytes, stderrBytes.map(JSONValue.int))
        object.append(CodingKeys.worker, JSONValue(orNull: worker))
        object.append(CodingKeys.host, JSONValue(orNull: host))
        object.append(CodingKeys.elapsed, JSONValue(seconds: elapsed))
        object.appendIfPresent(CodingKeys.resources, resources?.json)
        object.appendIfPresent(CodingKeys.command, command.map(JSONValue.string))
        object.appendIfPresent(CodingKeys.error, error?.json)
        return .object(object)
    }

    /// What a process has used.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            name: try container.decode(String.self, forKey: .name),
            id: try container.decode(String.self, forKey: .id),
            outcome: try container.decode(TaskOutcome.self, forKey: .outcome),
            started: try container.decode(Bool.self, forKey: .started),
            afterCancel: try container.decode(Bool.self, forKey: .afterCancel),
            forced: try container.decode(Bool.self, forKey: .forced),
            attempts: try container.decode(Int.self, forKey: .attempts),
            exitCode: try container.decodeIfPresent(Int.self, forKey: .exitCode),
            signal: try container.decodeIfPresent(String.self, forKey: .signal),
            value: try container.decodeIfPresent(JSONValue.self, forKey: .value),
            stdout: try container.decode(String.self, forKey: .stdout),
            stderr: try container.decode(String.self, forKey: .stderr),
            stdoutBytes: try container.decodeIfPresent(Int.self, forKey: .stdoutBytes),
            stderrBytes: try container.decodeIfPresent(Int.self, forKey: .stderrBytes),
            worker: try container.decodeIfPresent(String.self, forKey: .worker),
            host: try container.decodeIfPresent(String.self, forKey: .host),
            elapsed: try container.decodeSeconds(forKey: .elapsed),
            resources: try container.decodeIfPresent(ResourceUse.self, forKey: .resources),
            command: try container.decodeIfPresent(String.self, forKey: .command),
            error: try container.decodeIfPresent(ErrorNode.self, forKey: .error)
        )
    }
}

extension ResourceUse: JSONRepresentable, Codable {
    private enum CodingKeys: String, CodingKey {
        case user, system
        case maxResidentBytes = "max_rss"
    }

    /// Times in seconds, memory in bytes.
    public var json: JSONValue {
        var object = JSONObject()
        object.append(CodingKeys.user, JSONValue(seconds: user))
        object.append(CodingKeys.system, JSONValue(seconds: system))
        if let maxResidentBytes { object.append(CodingKeys.maxResidentBytes, .int(maxResidentBytes)) }
        return .object(object)
    }

    /// Reads the three figures.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            user: try container.decodeSeconds(forKey: .user),
            system: try container.decodeSeconds(forKey: .system),
            maxResidentBytes: try container.decodeIfPresent(Int.self, forKey: .maxResidentBytes)
        )
    }
}
