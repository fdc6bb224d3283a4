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

    private static let defaults = (seed: UInt64(1), seeds: 1, steps: 2_000, jobs: 1)

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("The first seed (default: \(defaults.seed)).", valueName: "n"),
        transform: ValueForm.seed
    )
    var seed = defaults.seed

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many seeds (default: \(defaults.seeds)).", valueName: "count"),
        transform: ValueForm.number(1...1_000_000_000, such: 1_000)
    )
    var seeds = defaults.seeds

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Steps of each seed before everything is healed (default: \(defaults.steps)).",
            valueName: "n"
        ),
        transform: ValueForm.number(1...100_000_000, such: 2_000)
    )
    var steps = defaults.steps

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        parsing: .unconditional,
        help: ArgumentHelp("How many seeds at once (default: \(defaults.jobs)).", valueName: "n"),
        transform: ValueForm.number(1...4_096, such: 2)
    )
    var jobs = defaults.jobs

    @Option(
        help: ArgumentHelp("Leave out these of the seed's injections, for example 3,7-9.", valueName: "numbers")
    )
    var without: String?

    @Option(help: "A summary for people, or a document for programs.")
    var output = Format.text

    func validate() throws {
        guard let without else { return }
        if InjectionNumbers(without) == nil {
            throw ValidationError("--without \(without): give numbers and ranges, such as 3,7-9")
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
