internal import ArgumentParser
internal import CohortFaults
internal import FoundationEssentials

/// `cohort chaos-task`: stands in for the program of a task in `cohort chaos`.
struct ChaosTaskCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: ChaosBatch.standInCommand,
        abstract: "Runs the program of a task under faults; not for people.",
        shouldDisplay: false
    )

    @Argument(help: .hidden)
    var order: String

    @Argument(parsing: .postTerminator, help: .hidden)
    var words: [String]

    func run() throws {
        guard let order = try? JSONDecoder().decode(InjectionOrder.self, from: Data(order.utf8)) else {
            throw Failure(
                .usage,
                "chaos-task is started by cohort chaos, which tells it what to do; this order is none"
            )
        }
        try InjectedCommand.run(order, words)
    }
}
