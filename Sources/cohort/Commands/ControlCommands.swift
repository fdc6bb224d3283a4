internal import ArgumentParser
internal import Cohort
internal import CohortCore

/// `cohort cancel GROUP`.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancels a group: its tasks get their grace, then they are killed."
    )

    @Argument(help: ArgumentHelp("The group's number or name.", valueName: "group"))
    var group: GroupArgument

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: ArgumentHelp("A shorter grace than the group's own.", valueName: "time"))
    var grace: DurationArgument?

    @Option(help: "Told in the outcome.")
    var reason = "cohort cancel"

    func run() throws {
        let session = try Session(coordinator, name: "cohort cancel")
        defer { session.close() }
        try session.request { $0.cancel(group.target, grace: grace?.span, reason: reason) }
    }
}

/// `cohort extend GROUP TIME`.
struct ExtendCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "extend",
        abstract: "Sets the deadline of a running group anew: so much time from now on, or 'none'."
    )

    @Argument(help: ArgumentHelp("The group's number or name.", valueName: "group"))
    var group: GroupArgument

    @Argument(help: ArgumentHelp("Time from now on, such as 30s; or none.", valueName: "time"))
    var time: String

    @OptionGroup var coordinator: CoordinatorOptions

    func validate() throws {
        if time != "none", DurationArgument(argument: time) == nil {
            throw ValidationError(
                "bad duration '\(time)': use a number of seconds or a number with ms, s, m, h, d; or none"
            )
        }
    }

    func run() throws {
        let session = try Session(coordinator, name: "cohort extend")
        defer { session.close() }
        try session.request { $0.setDeadline(group.target, DurationArgument(argument: time)?.span) }
    }
}

/// `cohort workers`.
struct WorkersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers",
        abstract: "Lists the workers of a coordinator."
    )

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(help: "A table, or JSON.")
    var output = OutputFormat.text

    func run() throws {
        let session = try Session(coordinator, name: "cohort workers")
        defer { session.close() }
        session.client.query()
        let snapshot = try session.untilAnswered()
        print(output == .text ? SnapshotText.workers(snapshot) : SnapshotText.json(snapshot), terminator: "")
    }
}
