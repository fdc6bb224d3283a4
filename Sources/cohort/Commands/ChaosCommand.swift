internal import ArgumentParser
internal import Cohort
internal import CohortBatch
internal import CohortFaults
internal import CohortReport
internal import CohortRuntime
internal import CohortWorker
@preconcurrency internal import Glibc

/// `cohort chaos FILE`.
struct ChaosCommand: ParsableCommand {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case text
        case json
    }

    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Runs a batch file while things go wrong, and tells what became of every promise.",
        discussion: """
            The batch runs on a coordinator and workers of its own, and a plan says what happens to them: processes are \
            killed or stopped, tasks fail, are late or hang, messages are lost or corrupted. What is random comes from the \
            seed, so that a run can be repeated as far as real processes allow.

            EXIT STATUS: 0 all promises held, and the batch ended as expected; 1 a promise was broken, or it did not; 2 wrong \
            usage or bad input, nothing was run; 4 as 0, but nothing of the plan came about \
            before the batch was over; 130 interrupted.
            """
    )

    @Argument(help: ArgumentHelp("The batch file, YAML or JSON; - reads standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("The plan: what goes wrong, YAML or JSON.", valueName: "plan"))
    var faults: String

    private static let defaults = (seed: UInt64(1), timeout: DurationArgument(duration: .seconds(600)))

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("Where random choices come from (default: \(defaults.seed)).", valueName: "n"),
        transform: ValueForm.seed
    )
    var seed = defaults.seed

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "How long the batch may take: beyond that it counts as hung (default: \(defaults.timeout.text)).",
            valueName: "time"
        ),
        transform: ValueForm.limit
    )
    var timeout = defaults.timeout

    @Option(help: "How the batch is to end for this command to succeed.")
    var expect = ChaosExpectation.any

    @Option(help: "The verdict for people, or a document for programs.")
    var output = Format.text

    @Flag(help: "Show no progress on the terminal.")
    var noProgress = false

    @Flag(help: "Show what would be injected when, and run nothing.")
    var dryRun = false

    @Option(help: .hidden)
    var program: String?

    func validate() throws {
        if file == "-", faults == "-" {
            throw ValidationError("the batch and the plan cannot both be read from standard input")
        }
    }

    func run() throws {
        let signals = try SignalDescriptor([SIGINT, SIGTERM, SIGHUP])
        let plan = try loadPlan()
        let root = try BatchLoading.load(file).root
        let record: RunRecord
        do {
            let batch = try ChaosBatch(root, plan, seed: seed)
            try checkFunctions(batch)
            if dryRun {
                return print(ChaosDryRun(batch: batch, plan: plan, limit: timeout.duration).text, terminator: "")
            }
            record = try perform(batch, plan, signals)
        } catch let error as ChaosError {
            if case .usage = error { throw Failure(.usage, error.description) }
            throw Failure(.here, error.description)
        }
        let outcome = ChaosOutcome(record, expect, files: (file, faults))
        switch output {
        case .json: print(outcome.jsonText(.indented))
        case .text:
            let isTerminal = isatty(1) == 1
            let text = ChaosText(
                outcome: outcome,
                color: isTerminal && getenv("NO_COLOR") == nil,
                width: isTerminal ? TerminalSize.columns(of: 1) : nil
            )
            print(text.text, terminator: "")
        }
        if record.isInterrupted { throw ExitStatusError(code: 128 + SIGINT) }
        if outcome.exitStatus != 0 { throw ExitStatusError(code: outcome.exitStatus) }
    }

    private func loadPlan() throws -> FaultPlan {
        do throws(BatchFileError) {
            return try FaultFile.load(path: faults)
        } catch {
            throw Failure(.usage, error.description)
        }
    }

    private func perform(_ batch: ChaosBatch, _ plan: FaultPlan, _ signals: SignalDescriptor) throws -> RunRecord {
        let settings = ChaosRun.Settings(
            program: program ?? Host.executable,
            standIn: Host.executable,
            batch: batch,
            plan: plan,
            limit: timeout.duration
        )
        let run = try ChaosRun(settings, signals: signals)
        let painter = !noProgress && isatty(2) == 1 ? ProgressPainter(descriptor: 2) : nil
        defer { painter?.clear() }
        return try run.run { progress in
            painter?.update(
                ProgressSnapshot(
                    group: "\(batch.root.name), \(progress.faults) faults injected",
                    done: progress.ended,
                    failed: 0,
                    running: progress.running,
                    queued: max(0, progress.total - progress.ended - progress.running),
                    total: progress.total
                ),
                at: .now
            )
        }
    }

    /// The workers are those of this program: anything but its own functions would fail for want of one.
    private func checkFunctions(_ batch: ChaosBatch) throws {
        for task in batch.tasks {
            guard case .call(let function, _) = task.plan.work, BuiltInFunctions.registry.body(named: function) == nil
            else { continue }
            let place = "\(task.plan.location.file):\(task.plan.location.line):\(task.plan.location.column)"
            throw Failure(
                .usage,
                "\(place): no function '\(function)' is known to the workers of this run "
                    + "(built in: \(BuiltInFunctions.registry.names.joined(separator: ", ")))"
            )
        }
    }
}
