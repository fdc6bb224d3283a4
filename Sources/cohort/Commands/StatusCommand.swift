internal import ArgumentParser
internal import Cohort
internal import CohortCore

/// `cohort status [GROUP]`.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the groups of a coordinator, or what one of them has come to so far."
    )

    @Argument(help: ArgumentHelp("A group's number or name; all groups if left out.", valueName: "group"))
    var group: GroupArgument?

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "A table, or JSON: with a group its outcome document.")
    var output = OutputFormat.text

    func run() throws {
        let session = try Session(coordinator, name: "cohort status")
        defer { session.close() }
        guard let group else {
            session.client.query()
            let snapshot = try session.untilAnswered()
            print(output == .text ? SnapshotText.groups(snapshot) : SnapshotText.json(snapshot), terminator: "")
            return
        }
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        try session.collect(group.target, into: collector)
        guard let document = collector.document() else { throw Failure(.usage, "there is no group \(group.text)") }
        print(output == .text ? DocumentText.render(document) : document.jsonText(.indented) + "\n", terminator: "")
    }
}

extension Session {
    /// Takes in what a group has come to so far.
    func collect(_ target: GroupTarget, into collector: OutcomeCollector) throws {
        client.watch(target)
        var isCaughtUp = false
        while !isCaughtUp {
            client.query()
            try untilAnswered { update in
                if let refusal = update.refusals.first { throw Failure(.usage, refusal.message) }
                collector.take(update) { _, _ in
                } ended: { _ in
                }
                client.consumed(weight: update.weight, [])
                if !update.caughtUp.isEmpty { isCaughtUp = true }
            }
        }
    }
}
