internal import ArgumentParser
internal import CohortWorker

@main
enum HarnessMain {
    static func main() async throws {
        // The hosts of its calls are this program too.
        try await EvidenceWorkerCommand.worker().serveIfStarted()
        await HarnessCommand.main()
    }
}

/// `cohort-harness`: what is shown on real processes at a length that no test suite has time for.
struct HarnessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort-harness",
        abstract: "Kills real processes of Cohort many times over, and counts what became of the work.",
        discussion: "EXIT STATUS: 0 nothing was lost; 1 something was; 2 wrong usage.",
        subcommands: [
            BlameCommand.self, FloodsCommand.self, RestartsCommand.self, SurvivorsCommand.self,
            EvidenceWorkerCommand.self,
        ]
    )
}
