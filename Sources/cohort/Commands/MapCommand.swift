internal import ArgumentParser
internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortReport
internal import CohortRuntime
internal import CohortWire
internal import CohortWorker
internal import Glibc

/// `cohort map CMD ::: ARGS`.
struct MapCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "map",
        abstract: "Runs a command once for each argument, as one group.",
        discussion: """
            Arguments come after :::, from files after ::::, or, without either, line by line from standard input, read as \
            needed. Several sources give every combination; :::+ and ::::+ link a source to the one before.

            Replacement strings: {} the argument, {.} without its extension, {/} its last part, {//} its directory, {/.} \
            its last part without extension, {#} the task's number, {%} the slot's, {1} {2} … the argument of a source \
            (also {1.} and so on). Without any, the argument is appended.

            With --call the words are the JSON argument of a function instead of a command: {} stands for the value \
            as a string.
            """
    )

    @OptionGroup var pool: PoolOptions

    @Flag(name: [.customShort("k"), .long], help: "Print output in the order of the arguments.")
    var keepOrder = false

    @Flag(help: "Begin each line of output with the task's argument and a tab.")
    var tag = false

    @Flag(help: "Print output line by line as it comes, lines of several tasks mixed.")
    var lineBuffer = false

    @Flag(name: [.customShort("0"), .long], help: "Arguments in files and on standard input end with NUL.")
    var null = false

    @Option(help: ArgumentHelp("Call this function instead of running a command.", valueName: "function"))
    var call: String?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A deadline for the whole, such as 30s or 10m.", valueName: "time"),
        transform: ValueForm.limit
    )
    var timeout: DurationArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("A limit for each attempt of a task.", valueName: "time"),
        transform: ValueForm.limit
    )
    var taskTimeout: DurationArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How long a cancelled task may clean up.", valueName: "time"),
        transform: ValueForm.time
    )
    var grace: DurationArgument?

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp("How many further attempts a failed task gets (default: 0).", valueName: "n"),
        transform: ValueForm.number(0...1_000_000, such: 3)
    )
    var retries = 0

    @Flag(help: "Run all tasks whatever happens, and report all failures.")
    var keepGoing = false

    @Option(help: ArgumentHelp("Write GNU parallel's log of ended tasks.", valueName: "file"))
    var joblog: String?

    @OptionGroup var results: ResultsOptions

    @Option(help: "What goes to standard output: the tasks' output, the outcome document, or a line for each task.")
    var output = OutputFormat.text

    @Option(help: ArgumentHelp("What the group is called.", valueName: "name"))
    var group = "map"

    @Flag(help: "Show no progress on the terminal.")
    var noProgress = false

    @Flag(help: "Show what would run, and run nothing.")
    var dryRun = false

    @Argument(
        parsing: .captureForPassthrough,
        help: ArgumentHelp("Command, then sources.", valueName: "command ::: args")
    )
    var words: [String] = []

    func validate() throws {
        // What comes first is taken for the command, and with it all that follows.
        if ["-h", "--help", "-help"].contains(words.first) { throw CleanExit.helpRequest(self) }
        if words.first == "--version" { throw CleanExit.message(CohortCommand.configuration.version) }
        if let word = words.first, word.hasPrefix("-"), word.count > 1 {
            throw ValidationError(ParallelOption.advice(for: word, among: Self.optionNames))
        }
        if call?.isEmpty == true { throw ValidationError("--call wants the name of a function, such as demo.echo") }
        if keepOrder, lineBuffer { throw ValidationError("-k and --line-buffer exclude each other") }
    }

    /// As the help lists them.
    private static var optionNames: [String] {
        helpMessage().split { " ,\n".contains($0) }.filter { $0.hasPrefix("--") }.map { String($0) }
    }

    func run() throws {
        let interruption = try Interruption()
        let (render, input) = try parse()
        let items = try usage { try input.makeItems() }
        if dryRun { return try show(items, render) }
        let reader = try MapReader(items, window: MapSource.window, render: render)
        let source = MapSource(reader: reader, spec: spec, template: template, count: input.count)
        let collector = OutcomeCollector(keepsTasks: output == .json, fillsResults: output == .jsonl) {
            source.describe($0, $1)
        }
        collector.open(spec)
        var options = Presenter.Options()
        options.format = output
        options.mode = keepOrder ? .keepOrder : lineBuffer ? .lineBuffered : .grouped
        options.showsProgress = !noProgress
        options.jobLog = joblog
        options.results = results.directory
        options.replacesResults = results.force
        options.tag = tag ? { source.values($0) } : nil
        let watch = WriteWatch()
        try Running.run(
            pool: pool,
            source: source,
            presenter: try Presenter(options, watch: watch),
            watch: watch,
            collector: collector,
            root: .key(MapSource.rootKey),
            interruption: interruption
        )
    }

    private var spec: GroupSpec {
        GroupSpec(
            key: MapSource.rootKey,
            name: group,
            policy: keepGoing ? .continue : .cancel,
            timeout: timeout?.span,
            grace: grace?.span
        )
    }

    private var template: TaskTemplate {
        TaskTemplate(
            name: group,
            function: call ?? "",
            timeout: taskTimeout?.span,
            retries: UInt32(retries),
            output: .stream,
            spec: CommandSettings(workingDirectory: pool.directory).bytes
        )
    }

    /// The template and the sources; errors say what to do.
    private func parse() throws -> (render: @Sendable (MapItem) throws -> Work, input: MapInput) {
        try usage {
            let (command, input) = try MapInput.split(Self.bytes(of: words), nullSeparated: null)
            if let call {
                let argument = command.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
                let template = try CallTemplate(
                    function: call,
                    arguments: argument.isEmpty || argument == "{}" ? nil : argument,
                    sourceCount: input.sources.count
                )
                if pool.connect == nil, BuiltInFunctions.registry.body(named: call) == nil {
                    throw TemplateError(
                        "no function '\(call)' is known here; use --connect with a worker that offers it "
                            + "(built in: \(BuiltInFunctions.registry.names.joined(separator: ", ")))"
                    )
                }
                return ({ try template.renderedWork(for: $0) }, input)
            }
            let template = try CommandTemplate(command: command, sourceCount: input.sources.count)
            return ({ template.renderedWork(for: $0) }, input)
        }
    }

    /// The words as they stand on the command line, of which they are the end: names of files need not be text, and `words`
    /// has been made into text.
    private static func bytes(of words: [String]) -> [[UInt8]] {
        let all = UnsafeBufferPointer(start: CommandLine.unsafeArgv, count: Int(CommandLine.argc))
        return all.suffix(words.count).map { word in
            word.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? []
        }
    }

    private func usage<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.usage, "\(error)")
        }
    }

    private func show(_ items: MapItems, _ render: (MapItem) throws -> Work) throws {
        var items = items
        while let item = try usage({ try items.next() }) {
            print(DryRun.command(of: try usage { try render(item) }))
        }
    }
}
