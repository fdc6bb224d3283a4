internal import ArgumentParser
internal import Cohort
internal import CohortWorker
internal import FoundationEssentials
@preconcurrency internal import Glibc

/// The runner, and every process of the pools that it opens.
@main
struct Conformance {
    static func main() async throws {
        try await worker().serveIfStarted()
        await ConformanceCommand.main()
    }

    /// The one function that the processes of all pools run.
    static func worker() throws -> Worker {
        var worker = Worker()
        try worker.register(ProgramInput.function) { input, context in try await input.run(context) }
        return worker
    }
}

/// The command line of the runner.
struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cohort-conformance",
        abstract: "Runs conformance scenarios on Cohort, and checks what they expect.",
        discussion: """
            Without --check it prints the outcome of each scenario as JSON. Every scenario gets a pool of its own, with \
            worker processes that run its tasks for real.

            The exit status is 0 if all is as expected, 1 if a scenario failed, 2 if one could not be run.
            """
    )

    @Argument(help: ArgumentHelp("Files of scenarios, or folders with them.", valueName: "path"))
    var paths: [String]

    @Flag(help: "Compare the outcomes with what the scenarios expect.")
    var check = false

    @Option(help: "How many scenarios run side by side.")
    var jobs = 4

    @Option(help: "Factor by which all times are stretched.")
    var scale = 1.0

    @Option(help: "How much longer than expected a script may take, in seconds.")
    var slack = 0.6

    @Option(help: "How often a scenario is run, at most, before it has failed. For machines that are busy otherwise.")
    var attempts = 1

    func validate() throws {
        guard (1...64).contains(jobs) else { throw ValidationError("--jobs must be from 1 to 64") }
        guard (1...100).contains(attempts) else { throw ValidationError("--attempts must be from 1 to 100") }
        guard (0.1...100).contains(scale) else { throw ValidationError("--scale must be from 0.1 to 100") }
        guard (0...1_000).contains(slack) else { throw ValidationError("--slack must be from 0 to 1000 seconds") }
    }

    func run() async throws {
        let runner = ScenarioRunner(worker: try Conformance.worker(), scale: scale)
        let files: [String]
        do throws(RunError) {
            files = try ScenarioFiles.find(paths)
        } catch {
            fputs("cohort-conformance: \(error)\n", stderr)
            throw ExitCode(2)
        }
        let comparison = check ? Comparison(slack: slack) : nil
        var report = Report()
        await Batch(files: files, jobs: jobs, attempts: attempts, comparison: comparison).run(runner, &report)
        if check { report.summarize() }
        if report.broken > 0 { throw ExitCode(2) }
        if report.failed > 0 { throw ExitCode(1) }
    }
}
