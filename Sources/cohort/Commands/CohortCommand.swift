internal import ArgumentParser

/// `cohort`.
struct CohortCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort",
        abstract: "Runs batches of work as task groups: they start together and end together.",
        discussion: """
            The first failure cancels the rest, a deadline holds for the whole group, every error is told in one tree, and \
            nothing outlives the group.

            EXIT STATUS of whatever runs or waits for a group: 0 all went well; 1 at least one task failed; 2 wrong usage or \
            bad input, nothing was run; 3 the coordinator was lost or cannot be reached; 124 the group's deadline fired; \
            125 somebody else cancelled it; 128+n ended here by signal n.
            """,
        version: "cohort 0.1.0",
        subcommands: [
            RunCommand.self, MapCommand.self, CoordinatorCommand.self, WorkerCommand.self, SubmitCommand.self,
            StatusCommand.self, WaitCommand.self, CancelCommand.self, ExtendCommand.self, WorkersCommand.self,
            KeygenCommand.self, ChaosCommand.self, SimCommand.self, BenchCommand.self, ChaosTaskCommand.self,
        ]
    )
}
