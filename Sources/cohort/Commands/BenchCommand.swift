internal import ArgumentParser
internal import Cohort
internal import CohortCore

/// `cohort bench`.
struct BenchCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measures this build on this machine.",
        discussion: """
            Calls and commands that do nothing, so that what is measured is Cohort's own cost; what a waiting task takes of \
            the coordinator's memory; and how long a run takes to its first result. Figures are worth comparing only with \
            others that were taken on the same machine, in the same minute, with nothing else running.
            """
    )

    @Option(help: ArgumentHelp("Use a running coordinator instead of pools of one's own.", valueName: "endpoint"))
    var connect: String?

    @OptionGroup var keys: KeyOptions

    private static let defaults = (jobs: 2, calls: 300_000, commands: 2_000, queued: 1_000_000)
    private static let count = ValueForm.number(1...Limits().unfinishedTasks, such: 100_000)

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        parsing: .unconditional,
        help: ArgumentHelp(
            "How many tasks run at once in a pool of one's own (default: \(defaults.jobs)).",
            valueName: "n"
        ),
        transform: ValueForm.slots
    )
    var jobs = defaults.jobs

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many calls (default: \(defaults.calls)).", valueName: "n"),
        transform: count
    )
    var calls = defaults.calls

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many commands (default: \(defaults.commands)).", valueName: "n"),
        transform: count
    )
    var commands = defaults.commands

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many tasks wait at once (default: \(defaults.queued)).", valueName: "n"),
        transform: count
    )
    var queued = defaults.queued

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What to measure (default: all that can be).", valueName: "name")
    )
    var only: [Benchmark] = []

    @Option(help: "A table for people, or a document for programs.")
    var output = Format.text

    func validate() throws {
        if let connect {
            try CoordinatorOptions.check(connect)
        } else if keys.isGiven {
            throw ValidationError("--server-key and --key go with --connect; a pool of one's own is private as it is")
        }
        if connect != nil, let benchmark = only.first(where: \.needsOwnPool) {
            throw ValidationError("--only \(benchmark.rawValue) is measured on a pool of one's own, not with --connect")
        }
    }

    func run() throws {
        let possible = Benchmark.allCases.filter { connect == nil || !$0.needsOwnPool }
        let settings = BenchmarkSettings(
            calls: calls,
            commands: commands,
            queued: queued,
            slots: jobs,
            endpoint: connect,
            keys: keys
        )
        var run = BenchmarkRun(settings)
        try run.measure(only.isEmpty ? possible : possible.filter(only.contains))
        switch output {
        case .text: print(run.report.text, terminator: "")
        case .json: print(run.report.jsonText(.indented))
        }
    }
}
