internal import ArgumentParser
internal import Cohort
internal import CohortCore

/// `cohort wait GROUP`.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait",
        abstract: "Waits for a group to end, shows its outcome, and exits as `run` would have.",
        discussion: "Ctrl-C ends the waiting, not the group."
    )

    @Argument(help: ArgumentHelp("The group's number or name.", valueName: "group"))
    var group: GroupArgument

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "What goes to standard output: the tasks' output, the outcome document, or a line for each task.")
    var output = OutputFormat.text

    func run() throws {
        let session = try Session(coordinator, name: "cohort wait")
        defer { session.close() }
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        try session.wait(for: group.target, into: collector) { result in
            if output == .jsonl { print(result.jsonText(.line)) }
        }
        guard let document = collector.document(), let report = collector.rootReport else {
            throw Failure(.coordinator, "the coordinator does not know group \(group.text) any more")
        }
        var options = Presenter.Options()
        options.format = output
        options.showsProgress = false
        let presenter = try Presenter(options)
        if output == .text { try presenter.printOutputs(of: document) }
        try presenter.finish(document)
        let status = GroupOutcome(report.outcome).exitStatus
        if status != 0 { throw ExitStatusError(code: status) }
    }
}

extension Session {
    /// Watches a group until it has closed.
    func wait(
        for target: GroupTarget,
        into collector: OutcomeCollector,
        ended: (TaskResult) -> Void
    ) throws {
        client.watch(target)
        while !collector.isClosed {
            try nextUpdate { update in
                if let refusal = update.refusals.first { throw Failure(.usage, refusal.message) }
                collector.take(update) { _, _ in
                } ended: {
                    ended($0.result)
                }
                client.consumed(weight: update.weight, [])
            }
        }
    }
}
