internal import ArgumentParser

/// `cohort bench`.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "bench", abstract: "Measures this build on this machine.")

    func run() throws {}
}
