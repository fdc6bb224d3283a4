internal import Cohort
internal import CohortCore
internal import CohortReport
internal import Glibc

/// Shows a run: results to stdout, progress and the error tree to stderr, logs and result files where asked.
final class Presenter {
    struct Options {
        var format = OutputFormat.text
        var mode = OrderedOutput.Mode.grouped
        var showsProgress = true
        var jobLog: String?
        var results: String?
        /// What is in that directory may be replaced.
        var replacesResults = false
        /// Text before each line of a task's output.
        var tag: ((Int) -> String)?
        /// Directory names of a task's results.
        var resultName: (Int) -> [String] = { [String($0)] }
        /// Values of calls are printed as results.
        var printsValues = true
    }

    private let options: Options
    private let watch: WriteWatch
    private let output: OrderedOutput?
    private let painter: ProgressPainter?
    private let jobLog: JobLog?
    private let results: ResultsDirectory?
    private var slots: [Int: ResultsDirectory.Slot] = [:]
    private var received: [Int: Int] = [:]
    /// The attempt whose output is being kept, of tasks that are at their second or a later one.
    private var attempts: [Int: UInt32] = [:]

    /// - Parameter watch: of signals, while nobody reads what is printed.
    init(_ options: Options, watch: WriteWatch) throws {
        self.options = options
        self.watch = watch
        let isDrawn = options.showsProgress && isatty(2) == 1
        let painter = isDrawn ? ProgressPainter(descriptor: 2, watch: watch) : nil
        self.painter = painter
        do throws(ReportError) {
            // What may be refused comes before what empties a file.
            results = try options.results.map { path throws(ReportError) in
                try ResultsDirectory(path: path, replaces: options.replacesResults)
            }
            jobLog = try options.jobLog.map { path throws(ReportError) in try JobLog(path: path) }
        } catch {
            throw Failure(.usage, error.description)
        }
        if options.format == .text {
            output = OrderedOutput(
                mode: options.mode,
                tag: options.tag,
                stdout: 1,
                stderr: 2,
                store: SpoolStore(),
                flushesAtOnce: false,
                watch: watch,
                onWrite: painter.map { painter in { painter.clear() } }
            )
        } else {
            output = nil
        }
    }

    // MARK: While it runs

    /// - Parameter attempt: counts the task's executions. What an earlier one has written and is not printed yet is void.
    func output(
        _ number: Int,
        attempt: UInt32,
        _ stream: CohortCore.OutputStream,
        _ bytes: ArraySlice<UInt8>
    ) throws {
        if attempt > 1, attempts[number, default: 1] < attempt { try restart(number) }
        if attempt > 1 { attempts[number] = attempt }
        let taskStream: TaskStream = stream == .standardOutput ? .stdout : .stderr
        try guardingDisk { () throws(ReportError) in
            try output?.taskOutput(number, taskStream, bytes.span.bytes)
            if let slot = try slot(of: number) { try results?.append(taskStream, bytes.span.bytes, to: slot) }
        }
        if jobLog != nil, stream == .standardOutput { received[number, default: 0] += bytes.count }
    }

    private func restart(_ number: Int) throws {
        received[number] = nil
        output?.restart(number)
        try guardingDisk { () throws(ReportError) in
            if let slot = slots[number] { try results?.restart(slot) }
        }
    }

    func ended(_ number: Int, _ ended: OutcomeCollector.Ended) throws {
        if !attempts.isEmpty { attempts[number] = nil }
        let line = options.printsValues && !ended.value.isEmpty ? ValueText.line(ended.value) : []
        try guardingDisk { () throws(ReportError) in
            if !line.isEmpty { try output?.taskOutput(number, .stdout, line.span.bytes) }
            try output?.taskEnded(number)
            if options.format == .jsonl { try print(ended.result.jsonText(.line) + "\n") }
            if jobLog != nil { try log(number, ended.result) }
            if results != nil, ended.started { try fileResult(number, ended.result, value: line) }
        }
    }

    /// Writes what the tasks have printed; to be called after each burst of news.
    func flush() throws {
        try guardingDisk { () throws(ReportError) in try output?.flush() }
    }

    /// A task that the coordinator did not accept, as its group was stopping.
    func neverStarted(_ number: Int) throws {
        try guardingDisk { () throws(ReportError) in try output?.taskEnded(number) }
    }

    var timeToNextDrawing: Duration? {
        guard let painter else { return nil }
        return painter.nextDrawing.map { max(.zero, ContinuousClock.now.duration(to: $0)) } ?? ProgressPainter.interval
    }

    func draw(_ snapshot: ProgressSnapshot) {
        guard let painter, output?.isAtLineStart ?? true else { return }
        painter.update(snapshot, at: ContinuousClock.now)
    }

    /// Says something to the person at the terminal, or to a log.
    func note(_ text: String) {
        painter?.clear()
        say("cohort: \(text)\n")
    }

    private func log(_ number: Int, _ result: TaskResult) throws(ReportError) {
        guard let jobLog else { return }
        let start = Timestamp.now.earlier(by: result.elapsed)
        let bytes = received.removeValue(forKey: number) ?? 0
        guard let entry = JobLog.Entry(sequence: number, start: start, received: bytes, result: result) else { return }
        try jobLog.append(entry)
    }

    private func slot(of number: Int) throws(ReportError) -> ResultsDirectory.Slot? {
        guard let results else { return nil }
        if let known = slots[number] { return known }
        let slot = try results.begin(sequence: number, name: options.resultName(number))
        slots[number] = slot
        return slot
    }

    private func fileResult(_ number: Int, _ result: TaskResult, value: [UInt8]) throws(ReportError) {
        guard let results, let slot = try slot(of: number) else { return }
        if !value.isEmpty { try results.append(.stdout, value.span.bytes, to: slot) }
        let failed = result.outcome == .error ? 1 : -1
        try results.end(slot, exitValue: result.exitCode ?? (result.outcome == .ok ? 0 : failed))
        slots[number] = nil
    }

    // MARK: At the end

    /// Shows the outcome: the document, or the error tree and a summary.
    func finish(_ document: OutcomeDocument) throws {
        try guardingDisk { () throws(ReportError) in
            try output?.finish()
            try results?.write(document)
            painter?.clear()
            switch options.format {
            case .json: try print(document.jsonText(.indented) + "\n")
            case .jsonl: try print(document.jsonText(.line) + "\n")
            case .text: report(document)
            }
            if let signal = watch.stopSignal { throw .interrupted(signal: signal) }
        }
    }

    /// Prints what the tasks of a finished document have written, and the values of calls, in the order of submission.
    func printOutputs(of document: OutcomeDocument) throws {
        try guardingDisk { () throws(ReportError) in
            for task in document.tasks {
                try print(task.stdout)
                if let value = task.value { try print(ValueText.line(Array(value.text(.line).utf8)[...])) }
                if !task.outcome.isFailure { say(task.stderr) }
            }
        }
        for group in document.groups { try printOutputs(of: group) }
    }

    /// Whatever could not be shown before an error is shown as it is.
    func abandon() {
        painter?.clear()
        try? output?.finish()
    }

    private func report(_ document: OutcomeDocument) {
        let isTerminal = isatty(2) == 1
        guard document.outcome != .ok || isTerminal else { return }
        let text = ErrorTreeText.render(
            document,
            options: ErrorTreeText.Options(
                color: isTerminal && getenv("NO_COLOR") == nil,
                width: TerminalSize.columns(of: 2)
            )
        )
        say(text + SummaryLine.render(document) + "\n")
    }

    /// Whoever does not read what is said beside the results does not miss it.
    private func say(_ text: String) {
        try? StreamOutput.write(Array(text.utf8).span.bytes, to: .stderr, 2, watch)
    }

    private func print(_ text: String) throws(ReportError) { try print(Array(text.utf8)) }

    private func print(_ bytes: [UInt8]) throws(ReportError) {
        try StreamOutput.write(bytes.span.bytes, to: .stdout, 1, watch)
    }

    private func guardingDisk(_ body: () throws(ReportError) -> Void) throws {
        do throws(ReportError) {
            try body()
        } catch {
            throw error.ending
        }
    }
}

extension ReportError {
    /// How a command ends that cannot print any more.
    var ending: any Error {
        switch self {
        // As a program that dies of it would end, without a word.
        case .outputClosed: ExitStatusError(code: 128 + SIGPIPE)
        case .interrupted(let signal): ExitStatusError(code: 128 + signal)
        default: Failure(.here, description)
        }
    }
}
