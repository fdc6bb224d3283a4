internal import ArgumentParser
internal import Cohort
internal import CohortFaults

/// `cohort sim`.
struct SimCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "sim",
        abstract: "Simulates whole clusters under faults, and checks every promise.",
        discussion: """
            One thread holds a coordinator, workers and clients, the same code as the real ones, over a simulated network, \
            disk and clock. A seed decides what is asked of them and what goes wrong: processes that are killed or frozen, \
            connections that break, stall and come back, slow disks, cancels and deadlines. After so many steps everything \
            is healed, and must come to its end.

            A seed that breaks a promise is told with the evidence and with the few injections that it takes. The same seed \
            gives the same run on every machine.

            EXIT STATUS: 0 all promises were kept; 1 one was broken; 2 wrong usage.
            """
    )

    @Option(help: ArgumentHelp("The first seed.", valueName: "n"))
    var seed: UInt64 = 1

    @Option(help: ArgumentHelp("How many seeds.", valueName: "count"))
    var seeds = 1

    @Option(help: ArgumentHelp("Steps of each seed before everything is healed.", valueName: "n"))
    var steps = 2_000

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp("How many seeds at once.", valueName: "n")
    )
    var jobs = 1

    @Option(
        help: ArgumentHelp("Leave out these of the seed's injections, for example 3,7-9.", valueName: "numbers")
    )
    var without: String?

    @Option(help: "A summary for people, or a document for programs.")
    var output = Format.text

    func validate() throws {
        let ranges = [("--seeds", seeds, 1_000_000_000), ("--steps", steps, 100_000_000), ("--jobs", jobs, 4_096)]
        for (name, count, limit) in ranges where count < 1 || count > limit {
            throw ValidationError("\(name) \(count): it must be from 1 to \(limit)")
        }
        guard let without else { return }
        if InjectionNumbers(without) == nil {
            throw ValidationError("--without \(without): not a list of numbers and ranges, such as 3,7-9")
        }
        if seeds != 1 { throw ValidationError("--without speaks of the injections of one seed, not of \(seeds)") }
    }

    func run() throws {
        var configuration = SimulatorRun.Configuration(firstSeed: seed, seeds: seeds, steps: steps, jobs: jobs)
        if let without, let numbers = InjectionNumbers(without) { configuration.without = numbers }
        let report = SimulatorRun(configuration).run()
        switch output {
        case .text: print(report.text, terminator: "")
        case .json: print(report.jsonText(.indented))
        }
        if report.failure != nil { throw ExitStatusError(code: 1) }
    }
}
