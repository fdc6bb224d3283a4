/// Prints the output of many tasks that run at once, without mixing it up.
///
/// What cannot be printed yet waits in an `OutputSpool`; every chunk is taken at once, so a task never waits for its turn
/// to print. Bytes pass through unchanged, save that with tags, and between lines of several tasks, a last line without a
/// line break gets one. Not thread-safe.
package final class OrderedOutput {
    /// When the output of a task is printed.
    package enum Mode: Sendable {
        /// As a whole when the task has ended, in the order of ending.
        case grouped
        /// In the order of the tasks' numbers; that of the first unfinished task as it comes.
        case keepOrder
        /// Line by line as it comes, lines of several tasks mixed.
        case lineBuffered
    }

    private struct Line: Hashable {
        var number: Int
        var stream: TaskStream
    }

    private let mode: Mode
    private let tag: ((Int) -> String)?
    /// Tags of tasks that have written something: whoever knows them may have forgotten a task when its turn comes.
    private var tags: [Int: String] = [:]
    private let store: SpoolStore
    private let onWrite: (() -> Void)?
    private let flushesAtOnce: Bool
    private var stdout: OutputWriter
    private var stderr: OutputWriter
    /// Output of tasks whose turn has not come.
    private var spools: [Int: OutputSpool] = [:]
    /// Unfinished lines (`lineBuffered`).
    private var lines: [Line: OutputSpool] = [:]
    /// The first unfinished task (`keepOrder`).
    private var head: Int
    /// Finished tasks after `head` (`keepOrder`).
    private var ended: Set<Int> = []

    /// - Parameters:
    ///   - tag: Of the task with this number; each of its lines is printed after the tag and a tab.
    ///   - stdout: Descriptor for what tasks write to stdout; stays open.
    ///   - stderr: Descriptor for what tasks write to stderr; stays open.
    ///   - firstNumber: The lowest number of a task (`keepOrder`).
    ///   - flushesAtOnce: What is printed is written at once. If not, `flush` is to be called after each burst of calls.
    ///   - watch: Of signals, while a stream takes nothing.
    ///   - onWrite: Called before anything is printed, to clear a line of progress.
    package init(
        mode: Mode,
        tag: ((Int) -> String)? = nil,
        stdout: Int32,
        stderr: Int32,
        store: SpoolStore,
        firstNumber: Int = 1,
        flushesAtOnce: Bool = true,
        watch: WriteWatch = WriteWatch(),
        onWrite: (() -> Void)? = nil
    ) {
        self.mode = mode
        self.tag = tag
        self.stdout = OutputWriter(stream: .stdout, descriptor: stdout, watch: watch)
        self.stderr = OutputWriter(stream: .stderr, descriptor: stderr, watch: watch)
        self.store = store
        self.head = firstNumber
        self.flushesAtOnce = flushesAtOnce
        self.onWrite = onWrite
    }

    /// What was printed last ended in a line break: something else may be drawn on the terminal.
    package var isAtLineStart: Bool { stdout.isAtLineStart && stderr.isAtLineStart }

    /// - Returns: How many bytes are printed or spooled now, hence need no longer be kept elsewhere: all of them.
    @discardableResult
    package func taskOutput(_ number: Int, _ stream: TaskStream, _ bytes: RawSpan) throws(ReportError) -> Int {
        if let tag, tags[number] == nil { tags[number] = tag(number) }
        switch mode {
        case .lineBuffered:
            try printLines(Line(number: number, stream: stream), bytes)
        case .keepOrder where number == head:
            onWrite?()
            try print(number, stream, bytes)
            if flushesAtOnce { try flush() }
        case .grouped, .keepOrder:
            try spool(of: number).append(stream, bytes)
        }
        return bytes.byteCount
    }

    /// The task begins anew: what it has written and is still kept here is void. What is printed stays.
    package func restart(_ number: Int) {
        spools[number] = nil
        for stream in TaskStream.allCases { lines[Line(number: number, stream: stream)] = nil }
    }

    /// No more output will come from the task. Tasks that never ran must be told too (`keepOrder`): others wait for them.
    package func taskEnded(_ number: Int) throws(ReportError) {
        switch mode {
        case .grouped:
            try printSpool(of: number)
            tags[number] = nil
        case .lineBuffered:
            for stream in TaskStream.allCases { try endLine(Line(number: number, stream: stream)) }
            tags[number] = nil
        case .keepOrder:
            guard number >= head else { return }
            ended.insert(number)
            while ended.remove(head) != nil {
                try endTask()
                tags[head] = nil
                head += 1
                // The new head prints what it has kept, and from now on directly.
                try printSpool(of: head, isEnded: false)
            }
        }
        if flushesAtOnce { try flush() }
    }

    /// Prints all that is still held, in the order of the tasks' numbers: no task will be heard of any more.
    package func finish() throws(ReportError) {
        try endTask()
        for number in spools.keys.sorted() { try printSpool(of: number) }
        for line in lines.keys.sorted(by: { ($0.number, $0.stream.rawValue) < ($1.number, $1.stream.rawValue) }) {
            try endLine(line)
        }
        try flush()
    }

    // MARK: - Whole tasks

    private func spool(of number: Int) -> OutputSpool {
        if let spool = spools[number] { return spool }
        let spool = OutputSpool(store: store)
        spools[number] = spool
        return spool
    }

    private func printSpool(of number: Int, isEnded: Bool = true) throws(ReportError) {
        guard let spool = spools.removeValue(forKey: number) else { return }
        onWrite?()
        try spool.drain { stream, bytes throws(ReportError) in
            try print(number, stream, bytes)
        }
        if isEnded { try endTask() }
    }

    /// A tag in the middle of a line would be taken for output.
    private func endTask() throws(ReportError) {
        guard tag != nil else { return }
        try stdout.endLine()
        try stderr.endLine()
    }

    // MARK: - Single lines

    private func printLines(_ line: Line, _ bytes: RawSpan) throws(ReportError) {
        var rest = 0
        if let end = bytes.lastOffset(of: UInt8(ascii: "\n")) {
            rest = end + 1
            onWrite?()
            if let begun = lines.removeValue(forKey: line) {
                try begun.drain { stream, bytes throws(ReportError) in
                    try print(line.number, stream, bytes)
                }
            }
            try print(line.number, line.stream, bytes.extracting(0..<rest))
            if flushesAtOnce { try flush() }
        }
        guard rest < bytes.byteCount else { return }
        let spool = lines[line] ?? OutputSpool(store: store)
        lines[line] = spool
        try spool.append(line.stream, bytes.extracting(rest..<bytes.byteCount))
    }

    private func endLine(_ line: Line) throws(ReportError) {
        guard lines[line] != nil else { return }
        try printLines(line, [UInt8(ascii: "\n")].span.bytes)
    }

    // MARK: - Printing

    private func print(_ number: Int, _ stream: TaskStream, _ bytes: RawSpan) throws(ReportError) {
        let prefix = tag.map { Array((tags[number] ?? $0(number)).utf8) + [UInt8(ascii: "\t")] }
        // Both may go to the same terminal: what came first must be there first.
        switch stream {
        case .stdout:
            try stderr.flush()
            if let prefix { try stdout.write(bytes, prefix: prefix) } else { try stdout.write(bytes) }
        case .stderr:
            try stdout.flush()
            if let prefix { try stderr.write(bytes, prefix: prefix) } else { try stderr.write(bytes) }
        }
    }

    /// Writes what has been printed so far.
    package func flush() throws(ReportError) {
        try stdout.flush()
        try stderr.flush()
    }
}
