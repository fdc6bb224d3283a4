internal import ArgumentParser
internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortRuntime

/// `cohort submit FILE`.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit",
        abstract: "Hands a batch file to a coordinator and returns: the group goes on without this client.",
        discussion: "Prints the group's number, by which status, wait and cancel know it."
    )

    @Argument(help: ArgumentHelp("The batch file, YAML or JSON; - reads standard input.", valueName: "file"))
    var file: String

    @OptionGroup var coordinator: CoordinatorOptions

    func run() throws {
        let plan = try BatchLoading.load(file)
        let source = BatchSource(plan.root, detached: true, output: .tail, directory: Host.workingDirectory) { nil }
        let session = try Session(coordinator, name: "cohort submit")
        defer { session.close() }
        let client = session.client
        session.askAgain = { isKnown in
            guard isKnown else {
                throw Failure(.coordinator, "the coordinator has been started anew and does not know the group")
            }
            client.query()
        }
        try source.submit(to: client)
        // The answer to a query comes after everything that was sent before it has been taken in.
        client.query()
        var number: GroupID?
        try session.untilAnswered { update in
            for opened in update.opened where opened.key == BatchSource.rootKey { number = opened.group }
            for refusal in update.refusals where refusal.code != .shuttingDown {
                throw Failure(refusal.code == .draining ? .coordinator : .usage, refusal.message)
            }
        }
        guard let number else { throw Failure(.coordinator, "the coordinator has not opened the group") }
        print(number.value)
    }
}
