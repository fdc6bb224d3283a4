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
            """
    )

    @Option(help: ArgumentHelp("The coordinator.", valueName: "endpoint"))
    var connect = CoordinatorOptions.defaultEndpoint

    @Option(help: ArgumentHelp("How many tasks run at once (default: the cores).", valueName: "n"))
    var slots: Int?

    @Option(
        help: ArgumentHelp("What the worker is called in reports (default: host and process id).", valueName: "name")
    )
    var name: String?

    @Option(
        help: ArgumentHelp(
            "How often it is started again when it dies, in how long; 0 for never (default: 5/60s).",
            valueName: "n/time"
        )
    )
    var restarts: RestartsArgument?

    @Flag(name: .long, help: .hidden)
    var `private` = false

    func validate() throws {
        if let slots, slots < 1 || slots > 4_096 {
            throw ValidationError("--slots \(slots): the number of tasks at once must be from 1 to 4096")
        }
    }

    func run() throws {
        try WorkerMain.run(
            endpoint: connect,
            name: name,
            slots: slots ?? Host.cores,
            functions: BuiltInFunctions.registry,
            isPrivate: `private`,
            restarts: restarts?.budget ?? .standard
        )
    }
}
