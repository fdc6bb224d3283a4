internal import ArgumentParser
internal import CohortProcess
internal import CohortRuntime
internal import CohortWorker
internal import Glibc

/// `cohort worker`.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker",
        abstract: "Starts a worker, which runs tasks for a coordinator.",
        discussion: """
            SIGTERM drains it: running tasks finish, the others go back to the coordinator. A second SIGTERM, or SIGINT, \
            kills what runs.

            To a coordinator that wants keys it shows the one in --key, which must be listed there as worker, or as both if \
            tasks here open groups of their own.
            """
    )

    @Option(help: ArgumentHelp("The coordinator.", valueName: "endpoint"))
    var connect = CoordinatorOptions.defaultEndpoint

    @OptionGroup var keys: KeyOptions

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many tasks run at once (default: the cores).", valueName: "n"),
        transform: ValueForm.slots
    )
    var slots: Int?

    @Option(
        help: ArgumentHelp("What the worker is called in reports (default: host and process id).", valueName: "name")
    )
    var name: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How often it is started again when it dies, in how long; 0 for never (default: 5/60s).",
            valueName: "n/time"
        ),
        transform: ValueForm.restarts
    )
    var restarts = RestartBudget.standard

    @Flag(name: .long, help: .hidden)
    var `private` = false

    func validate() throws { try CoordinatorOptions.check(connect) }

    func run() throws {
        let keys = `private` ? nil : try keys.load()
        do {
            try WorkerMain.run(
                endpoint: connect,
                name: name,
                keys: keys,
                slots: slots ?? Host.cores,
                functions: BuiltInFunctions.registry,
                isPrivate: `private`,
                restarts: restarts
            )
        } catch let end as WorkerMain.EndedError {
            throw Failure(.coordinator, end.description)
        }
    }
}
