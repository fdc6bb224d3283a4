internal import ArgumentParser
internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortReport
internal import CohortWorker

/// `cohort run FILE`.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a batch file as one group and waits for it."
    )

    @Argument(help: ArgumentHelp("The batch file, YAML or JSON; - reads standard input.", valueName: "file"))
    var file: String

    @OptionGroup var pool: PoolOptions

    @Option(help: "What goes to standard output: the tasks' output, the outcome document, or a line for each task.")
    var output = OutputFormat.text

    @OptionGroup var results: ResultsOptions

    @Flag(help: "Show no progress on the terminal.")
    var noProgress = false

    @Flag(help: "Show what would run, and run nothing.")
    var dryRun = false

    func run() throws {
        let plan = try BatchLoading.load(file)
        if dryRun { return print(DryRun.render(plan), terminator: "") }
        let interruption = try Interruption()
        let holder = CollectorHolder()
        let source = BatchSource(plan.root, detached: false, output: .stream, directory: pool.directory) {
            holder.collector
        }
        if pool.connect == nil { try checkFunctions(source) }
        let keepsTasks = output == .json || results.directory != nil
        let collector = OutcomeCollector(keepsTasks: keepsTasks, fillsResults: output == .jsonl) {
            source.describe($0, $1)
        }
        holder.collector = collector
        for spec in source.groupSpecs { collector.open(spec) }
        var options = Presenter.Options()
        options.format = output
        options.showsProgress = !noProgress
        options.results = results.directory
        options.replacesResults = results.force
        options.resultName = source.resultName
        let watch = WriteWatch()
        try Running.run(
            pool: pool,
            source: source,
            presenter: try Presenter(options, watch: watch),
            watch: watch,
            collector: collector,
            root: .key(BatchSource.rootKey),
            interruption: interruption
        )
    }

    /// A pool of one's own has just the built-in functions: anything else would wait for ever.
    private func checkFunctions(_ source: BatchSource) throws {
        for (name, task) in source.functions where BuiltInFunctions.registry.body(named: name) == nil {
            let place = "\(task.location.file):\(task.location.line):\(task.location.column)"
            throw Failure(
                .usage,
                "\(place): no function '\(name)' is known here; use --connect with a worker that offers it "
                    + "(built in: \(BuiltInFunctions.registry.names.joined(separator: ", ")))"
            )
        }
    }
}

/// Lets a source ask the collector that needs the source to be made.
final class CollectorHolder {
    weak var collector: OutcomeCollector?
}

enum BatchLoading {
    static func load(_ file: String) throws -> BatchPlan {
        do throws(BatchFileError) {
            let plan = try BatchFile.load(path: file == "-" ? "/dev/stdin" : file)
            for warning in plan.warnings { Failure(.usage, "warning: \(warning)").report() }
            return plan
        } catch {
            throw Failure(.usage, error.description)
        }
    }
}

enum Running {
    /// Runs a tree of groups to its end, shows the outcome, and ends the process with the status that it has earned.
    static func run(
        pool: PoolOptions,
        source: any TaskSource,
        presenter: Presenter,
        watch: WriteWatch,
        collector: OutcomeCollector,
        root: GroupTarget,
        interruption: Interruption
    ) throws {
        let connection = try Connection(pool, name: "cohort run")
        let engine = GroupEngine(
            connection: connection,
            source: source,
            presenter: presenter,
            collector: collector,
            root: root,
            interruption: interruption
        )
        engine.attend(to: watch)
        let result: (document: OutcomeDocument, status: Int32)
        do {
            result = try engine.run()
        } catch {
            withExtendedLifetime(engine) { presenter.abandon() }
            connection.close()
            throw error
        }
        // The pool goes first: when the outcome is told, nothing runs any more.
        connection.close()
        try withExtendedLifetime(engine) { try presenter.finish(result.document) }
        if result.status != 0 { throw ExitStatusError(code: result.status) }
    }
}
