package import CohortCore

/// All that is known of a task that has ended: what the coordinator has told of it, and what its submitter knows.
package struct TaskAccount: Sendable {
    /// Where a task ran.
    package struct Place: Sendable {
        package var name: String
        package var host: String

        package init(name: String, host: String) {
            self.name = name
            self.host = host
        }
    }

    package var report: TaskReport
    package var detail: AttemptDetail?
    /// What a call returned, as it came.
    package var value: ArraySlice<UInt8>
    package var name: String
    /// What ran, in one line, if the submitter knows.
    package var command: String?
    /// How many attempts it may have, if the submitter knows.
    package var attempts: Int?
    package var worker: Place?
    /// The ends of output that came while it ran; without them the detail has them.
    var tails: OutputTails?

    package init(
        report: TaskReport,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        name: String,
        command: String? = nil,
        attempts: Int? = nil,
        worker: Place? = nil
    ) {
        self.report = report
        self.detail = detail
        self.value = value
        self.name = name
        self.command = command
        self.attempts = attempts
        self.worker = worker
    }

    package var id: String { Self.id(report.group, report.index) }

    package static func id(_ group: GroupID, _ index: UInt32) -> String { "\(group.value).\(index + 1)" }

    package var outcome: TaskOutcome { TaskOutcome(report.outcome) }

    /// - Parameter hasValue: with what a call returned, which may be large.
    package func result(hasValue: Bool = true) -> TaskResult {
        var result = TaskResult(
            name: name,
            id: id,
            outcome: outcome,
            started: report.started,
            afterCancel: report.afterCancel,
            forced: detail?.forced ?? false,
            attempts: Int(report.attempts),
            exitCode: detail?.exitCode.map(Int.init),
            signal: detail?.signal.map(SignalName.name(of:)),
            value: value.isEmpty || !hasValue ? nil : try? JSONValue(parsing: value),
            worker: worker?.name,
            host: worker?.host,
            elapsed: report.elapsed.duration,
            command: command ?? detail.flatMap { $0.command.isEmpty ? nil : $0.command }
        )
        if let detail { add(detail, to: &result) }
        tails?.write(to: &result)
        if result.outcome.isFailure { result.error = error(of: result) }
        return result
    }

    private func add(_ detail: AttemptDetail, to result: inout TaskResult) {
        let isTail = { (kept: [UInt8], all: UInt64) in UInt64(kept.count) < all }
        let outputIsTail = isTail(detail.standardOutput, detail.standardOutputBytes)
        let errorIsTail = isTail(detail.standardError, detail.standardErrorBytes)
        result.stdout = OutputText.decode(detail.standardOutput, isTail: outputIsTail)
        result.stderr = OutputText.decode(detail.standardError, isTail: errorIsTail)
        let totals = (Int(clamping: detail.standardOutputBytes), Int(clamping: detail.standardErrorBytes))
        result.stdoutBytes = outputIsTail && !detail.standardOutput.isEmpty ? totals.0 : nil
        result.stderrBytes = errorIsTail && !detail.standardError.isEmpty ? totals.1 : nil
        if detail.maxResidentBytes > 0 || detail.userTime > .zero || detail.systemTime > .zero {
            result.resources = ResourceUse(
                user: detail.userTime.duration,
                system: detail.systemTime.duration,
                maxResidentBytes: detail.maxResidentBytes == 0 ? nil : Int(clamping: detail.maxResidentBytes)
            )
        }
    }

    /// The errors of groups that the task has opened, or else one leaf.
    private func error(of result: TaskResult) -> ErrorNode {
        switch detail.flatMap({ ErrorNode(wireBytes: $0.tree) }) {
        case .group(var group):
            group.task = group.task ?? name
            return .group(group)
        // Another task's error that this one has passed on: its leaf, whoever raises it again (R5).
        case .leaf(let leaf): return .leaf(leaf)
        case nil: return .leaf(leaf(of: result))
        }
    }

    private func leaf(of result: TaskResult) -> ErrorNode.Leaf {
        ErrorNode.Leaf(
            task: result.name,
            id: result.id,
            type: ErrorType(rawValue: detail?.type ?? "TaskFailed"),
            message: message,
            attempt: Int(report.attempts),
            attempts: attempts,
            exitCode: result.exitCode,
            signal: result.signal,
            stderr: OutputText.decode(detail?.standardError.suffix(4_096) ?? [], isTail: true),
            trace: detail.flatMap { $0.trace.isEmpty ? nil : $0.trace },
            worker: result.worker,
            host: result.host,
            command: result.command,
            elapsed: result.elapsed
        )
    }

    /// The detail's message with the signal by its name.
    private var message: String {
        guard let detail else { return "" }
        guard let signal = detail.signal, detail.message.hasSuffix("signal \(signal)") else { return detail.message }
        let dumped = detail.coreDumped ? " (core dumped)" : ""
        return detail.message.dropLast("signal \(signal)".count) + SignalName.name(of: signal) + dumped
    }
}
