internal import ArgumentParser
internal import Cohort
internal import CohortCore

/// `cohort cancel GROUP`.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancels a group: its tasks get their grace, then they are killed."
    )

    @Argument(help: GroupArgument.help, transform: ValueForm.group)
    var group: GroupArgument

    @OptionGroup var coordinator: CoordinatorOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A shorter grace than the group's own.", valueName: "time"),
        transform: ValueForm.time
    )
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
        abstract: "Moves the deadline of a running group.",
        discussion: "30s sets it to thirty seconds from now, +30s to thirty seconds later than it is, none removes it."
    )

    @Argument(help: GroupArgument.help, transform: ValueForm.group)
    var group: GroupArgument

    @Argument(help: ArgumentHelp("30s, +30s or none.", valueName: "time"))
    var time: String

    @OptionGroup var coordinator: CoordinatorOptions

    func validate() throws {
        do {
            _ = try span()
        } catch {
            throw ValidationError("bad time '\(time)': \(error), with + before it to add to the deadline; or none")
        }
    }

    private var isRelative: Bool { time.hasPrefix("+") }

    /// `nil` for no deadline.
    private func span() throws -> TimeSpan? {
        time == "none" ? nil : try ValueForm.time(String(isRelative ? time.dropFirst() : time[...])).span
    }

    func run() throws {
        let session = try Session(coordinator, name: "cohort extend")
        defer { session.close() }
        let span = try span()
        try session.request(isRepeatable: !isRelative) { client in
            if isRelative, let span {
                client.extendDeadline(group.target, by: span)
            } else {
                client.setDeadline(group.target, span)
            }
        }
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
        let client = session.client
        session.askAgain = { _ in client.query() }
        client.query()
        let snapshot = try session.untilAnswered()
        try session.print(output == .text ? SnapshotText.workers(snapshot) : SnapshotText.json(snapshot))
    }
}
