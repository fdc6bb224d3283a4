internal import ArgumentParser
internal import CohortProcess
internal import FoundationEssentials

/// `cohort-harness restarts`: kills the coordinator again and again while a detached batch runs.
struct RestartsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restarts",
        abstract: "Kills a coordinator with a journal many times during one detached batch.",
        discussion: """
            Every task writes its number to a file when it begins, so that what ran twice or never is seen there, whatever \
            the coordinator says. `cohort wait` watches the batch from its beginning to its end.
            """
    )

    @Option(help: "How often the coordinator is killed.")
    var kills = 100

    @Option(help: "Tasks of the batch.")
    var tasks = 5_000

    @Option(help: "How long each task sleeps, in milliseconds.")
    var duration = 20

    @Option(help: "Workers.")
    var workers = 2

    @Option(help: "Slots of each worker.")
    var slots = 4

    @Option(help: "Seconds that the batch may take.")
    var limit = 900.0

    @Option(help: "The seed of the moments of the kills.")
    var seed: UInt64 = 1

    @Flag(help: "Keep the directory with the logs and the journal, and print its path.")
    var keep = false

    func validate() throws {
        guard kills >= 0, tasks > kills, workers > 0, slots > 0 else {
            throw ValidationError("there must be more tasks than kills, and a worker with a slot")
        }
    }

    func run() throws {
        let workplace = try Workplace()
        let trial = RestartTrial(self, in: workplace)
        let result: RestartTrial.Result
        do {
            result = try trial.run()
        } catch {
            print("logs: \(workplace.directory)")
            throw error
        }
        print(result.text)
        if keep || !result.isClean { print("logs: \(workplace.directory)") } else { workplace.clear() }
        if !result.isClean { throw ExitCode.failure }
    }
}
