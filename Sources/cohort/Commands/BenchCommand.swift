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

    @Option(
        name: [.customShort("j", allowingJoined: true), .long],
        help: ArgumentHelp("How many tasks run at once in a pool of one's own.", valueName: "n")
    )
    var jobs = 2

    @Option(help: ArgumentHelp("How many calls.", valueName: "n"))
    var calls = 300_000

    @Option(help: ArgumentHelp("How many commands.", valueName: "n"))
    var commands = 2_000

    @Option(help: ArgumentHelp("How many tasks wait at once.", valueName: "n"))
    var queued = 1_000_000

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("What to measure (default: all that can be).", valueName: "name")
    )
    var only: [Benchmark] = []

    @Option(help: "A table for people, or a document for programs.")
    var output = Format.text

    func validate() throws {
        if jobs < 1 || jobs > 4_096 {
            throw ValidationError("-j \(jobs): the number of tasks at once must be from 1 to 4096")
        }
        for (name, count) in [("calls", calls), ("commands", commands), ("queued", queued)] {
            let limit = Limits().unfinishedTasks
            if count < 1 || count > limit { throw ValidationError("--\(name) \(count): it must be from 1 to \(limit)") }
        }
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
