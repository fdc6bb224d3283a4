internal import ArgumentParser

/// `cohort-harness blame`: kills workers, and compares what is blamed with what had begun.
struct BlameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blame",
        abstract: "Kills workers under commands and calls, and looks at who is blamed and what ran twice.",
        discussion: """
            First one task that kills its worker, among others on four workers with prefetch: it alone may be lost. Then \
            workers are killed at random while many short tasks run: each must have one outcome, none may begin twice, \
            and of those that are lost one a kill may never have begun.
            """
    )

    @Option(help: "Tasks beside the one that kills its worker.")
    var innocents = 200

    @Option(help: "Tasks under random kills.")
    var tasks = 10_000

    @Option(help: "How often a worker is killed meanwhile.")
    var kills = 100

    @Option(help: "Seconds that each of the two may take.")
    var limit = 900.0

    @Option(help: "The seed of the moments of the kills, and of what is killed.")
    var seed: UInt64 = 1

    func validate() throws {
        guard innocents > 0, tasks > 0, kills > 0 else { throw ValidationError("there must be tasks, and a kill") }
    }

    func run() throws {
        let workplace = try Workplace()
        let result: BlameTrial.Result
        do {
            result = try BlameTrial(self, in: workplace).run()
        } catch {
            print("logs: \(workplace.directory)")
            throw error
        }
        print(result.text)
        workplace.clear()
        if !result.isClean { throw ExitCode.failure }
    }
}
