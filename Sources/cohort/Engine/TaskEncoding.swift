internal import CohortBatch
internal import CohortCore
internal import CohortWire

/// Tasks of a plan as templates and payloads of the protocol.
enum TaskEncoding {
    /// Bytes of one task's arguments and standard input. Larger things go by file.
    static let limit = 16 << 20

    /// The payload of a task, unless it is too large to travel.
    static func checkedPayload(of work: Work, stdin: [UInt8]? = nil, name: String) throws -> [UInt8] {
        let payload = payload(of: work, stdin: stdin)
        guard payload.count <= limit else {
            throw Failure(
                .usage,
                "task \(name): its arguments and input have \(payload.count) bytes, more than \(limit); pass a file instead"
            )
        }
        return payload
    }

    static func payload(of work: Work, stdin: [UInt8]? = nil) -> [UInt8] {
        switch work {
        case .argv(let words): CommandPayload(program: .arguments(words), standardInput: stdin).bytes
        case .shell(let line): CommandPayload(program: .shell(line), standardInput: stdin).bytes
        case .call(_, let arguments): arguments
        }
    }

    /// - Parameter directory: where a command runs unless the task says otherwise; `nil` for wherever the worker was started.
    static func template(_ task: TaskPlan, output: OutputMode, directory: String?) -> TaskTemplate {
        TaskTemplate(
            name: task.name,
            function: function(of: task.work),
            timeout: task.timeout.map { TimeSpan($0) },
            retries: UInt32(clamping: task.retries.limit),
            backoff: TimeSpan(task.retries.backoff),
            shield: task.shield,
            output: output,
            spec: CommandSettings(
                variables: task.environment.map { (name: $0.name, value: $0.value) },
                workingDirectory: task.workingDirectory ?? directory
            ).bytes
        )
    }

    static func function(of work: Work) -> String {
        if case .call(let function, _) = work { return function }
        return ""
    }
}
