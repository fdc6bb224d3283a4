internal import ArgumentParser

/// `cohort-harness`: what is shown on real processes at a length that no test suite has time for.
@main
struct HarnessCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort-harness",
        abstract: "Kills real processes of Cohort many times over, and counts what became of the work.",
        discussion: "EXIT STATUS: 0 nothing was lost; 1 something was; 2 wrong usage.",
        subcommands: [RestartsCommand.self]
    )
}
