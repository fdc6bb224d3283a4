internal import ArgumentParser

/// `cohort-harness survivors`: kills random parts of real clusters, and looks for what is left.
struct SurvivorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "survivors",
        abstract: "Kills sets of processes at random moments while tasks build trees that are hard to kill.",
        discussion: """
            Half of the batches run in pools of their own, half through a coordinator. Each is killed once: one role, or \
            any set of client, coordinator, supervisor, worker and the shells of tasks, at one moment or within a few \
            milliseconds, in its start-up or later. Processes are found by a mark in their environment.
            """
    )

    @Option(help: "How many sets are killed.")
    var kills = 1_000

    @Option(help: "How many batches run at a time.")
    var lanes = 8

    @Option(help: "The latest moment of a kill, in milliseconds after the start.")
    var latest = 1_500

    @Option(help: "The seed of what is killed, and when.")
    var seed: UInt64 = 1

    @Flag(help: "Let control groups be used where they are to be had.")
    var controlGroups = false

    func validate() throws {
        guard kills > 0, (1...64).contains(lanes), latest > 0 else {
            throw ValidationError("there must be a kill, from 1 to 64 lanes, and a time")
        }
    }

    func run() throws {
        let workplace = try Workplace()
        defer { workplace.clear() }
        let result = try SurvivorsTrial(self, in: workplace).run()
        print(result.text)
        if !result.isClean { throw ExitCode.failure }
    }
}
