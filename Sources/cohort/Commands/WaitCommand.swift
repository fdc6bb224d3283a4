internal import ArgumentParser
internal import Cohort
internal import CohortCore
internal import CohortReport

/// `cohort wait GROUP`.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits for a group to end, shows its outcome, and exits as `run` would have.",
        discussion: """
            With --until first-completed or first-failed it waits for one task only, shows what became of that, and \
            exits with 0 if it ended well, else with 1; if the group ends before, as without the option. Waiting cancels \
            nothing: Ctrl-C and --timeout (status 124) end the waiting, not the group.
            """
    )

    /// What to wait for.
    enum Condition: String, ExpressibleByArgument, CaseIterable {
        case allCompleted = "all-completed"
        case firstCompleted = "first-completed"
        case firstFailed = "first-failed"

        func isMet(by result: TaskResult) -> Bool {
            switch self {
            case .allCompleted: false
            case .firstCompleted: true
            case .firstFailed: result.outcome.isFailure
            }
        }
    }

    @Argument(help: GroupArgument.help, transform: ValueForm.group)
    var group: GroupArgument

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "Which end to wait for.")
    var until = Condition.allCompleted

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long to wait at most.", valueName: "time"),
        transform: ValueForm.limit
    )
    var timeout: DurationArgument?

    static let defaultPatience = DurationArgument(duration: .seconds(60))

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long to wait for a coordinator that is gone to come back (default: \(defaultPatience.text)).",
            valueName: "time"
        ),
        transform: ValueForm.time
    )
    var patience = WaitCommand.defaultPatience

    @Option(help: "What goes to standard output: the tasks' output, the outcome document, or a line for each task.")
    var output = OutputFormat.text

    func run() throws {
        let policy = ReturnPolicy.patient(patience.span, asksAfterGroups: true)
        let session = try Session(coordinator, name: "cohort wait", policy: policy)
        defer { session.close() }
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        var met: TaskResult?
        let hasEnded = try session.wait(for: group.target, into: collector, timeout: timeout?.duration) { result in
            if output == .jsonl { try session.print(result.jsonText(.line) + "\n") }
            if met == nil, until.isMet(by: result) { met = result }
            return met == nil
        }
        if let met { return try finish(with: met, session) }
        guard hasEnded else {
            Failure(.here, "group \(group.text) has not ended; it goes on").report()
            throw ExitStatusError(code: GroupOutcome.timeout.exitStatus)
        }
        guard let document = collector.document(), let report = collector.rootReport else {
            throw Failure(.coordinator, "the coordinator does not know group \(group.text) any more")
        }
        var options = Presenter.Options()
        options.format = output
        options.showsProgress = false
        let presenter = try Presenter(options, watch: session.watch)
        if output == .text { try presenter.printOutputs(of: document) }
        try presenter.finish(document)
        let status = GroupOutcome(report.outcome).exitStatus
        if status != 0 { throw ExitStatusError(code: status) }
    }

    /// One task has ended, and that was waited for.
    private func finish(with result: TaskResult, _ session: Session) throws {
        switch output {
        case .jsonl: break
        case .json: try session.print(result.jsonText(.indented) + "\n")
        case .text:
            try session.print(result.stdout)
            let name = TerminalText.harmless(result.name)
            Failure.note("task \(name): \(result.outcome.rawValue) in \(DurationText.render(result.elapsed))")
        }
        if result.outcome != .ok { throw ExitStatusError(code: 1) }
    }
}

extension Session {
    /// Watches a group until it has closed.
    ///
    /// - Parameter ended: called for each task that has ended; returns whether to go on.
    /// - Returns: `false` if the time ran out before.
    @discardableResult
    func wait(
        for target: GroupTarget,
        into collector: OutcomeCollector,
        timeout: Duration? = nil,
        ended: (TaskResult) throws -> Bool
    ) throws -> Bool {
        let deadline = timeout.map { ContinuousClock.now + $0 }
        var goesOn = true
        var isAnew = false
        var stall = StallWatch()
        let client = client
        isAboutGroup = true
        askAgain = { isKnown in
            isAnew = !isKnown
            stall.heard()
            // By its number: another one may have its name by now.
            client.watch(collector.rootID.map(GroupTarget.id) ?? target)
        }
        client.watch(target)
        while !collector.isClosed, goesOn {
            let now = ContinuousClock.now
            if let deadline, deadline <= now { return false }
            let next = min(stall.askAt, deadline ?? stall.askAt)
            let snapshot = try nextUpdate(within: max(.zero, next - now)) { update in
                if let refusal = update.refusals.first {
                    // It was there before.
                    let status: Failure.Status = isAnew && collector.rootID != nil ? .coordinator : .usage
                    throw Failure(status, refusal.message)
                }
                try collector.take(update) { _, _ in
                } ended: {
                    goesOn = try goesOn && ended($0.result)
                }
                client.consumed(weight: update.weight, [])
                stall.heard()
            }
            if stall.asks(running: collector.progress.running) { client.query() }
            if let snapshot, let id = collector.rootID, let explanation = stall.explanation(snapshot, of: id) {
                Failure.note("cohort: \(explanation)")
            }
        }
        return true
    }
}
