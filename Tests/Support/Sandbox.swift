package import Cohort
internal import CohortProcess
internal import FoundationEssentials
internal import Glibc
package import Testing

/// A place of its own for one test: a directory, in which `cohort` keeps its sockets too, and a mark on every process that is
/// started here. What is left of either when the test is over is removed.
package final class Sandbox {
    package let directory: String
    package let processes: ProcessScan
    private let environment: [(String, String)]

    package init() throws {
        var template = Array("/tmp/cohort-test-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw SystemFailure(what: "make a directory in /tmp") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let mark = (name: "COHORT_TEST_MARK", value: String(UInt64.random(in: 1 ... .max), radix: 16))
        processes = ProcessScan(mark: "\(mark.name)=\(mark.value)")
        let sockets = directory + "/run"
        guard mkdir(sockets, 0o700) == 0 else { throw SystemFailure(what: "make \(sockets)") }
        let path = String(cString: getenv("PATH"))
        environment = [
            (mark.name, mark.value), ("XDG_RUNTIME_DIR", sockets), ("TMPDIR", directory), ("LC_ALL", "C.UTF-8"),
            ("PATH", "\(Self.programs):\(path)"),
        ]
    }

    deinit {
        for process in processes.running() { kill(process.pid, SIGKILL) }
        try? FileManager.default.removeItem(atPath: directory)
    }

    /// Where the build has put `cohort`: beside the program with the tests in it.
    package static let programs: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    // MARK: Files

    package func path(_ name: String) -> String { "\(directory)/\(name)" }

    @discardableResult
    package func write(_ name: String, _ text: String) throws -> String {
        try write(name, Array(text.utf8))
    }

    @discardableResult
    package func write(_ name: String, _ bytes: [UInt8]) throws -> String {
        try Data(bytes).write(to: URL(filePath: path(name)))
        return path(name)
    }

    /// The content of a file, `nil` if there is none.
    package func read(_ name: String) -> String? {
        ProcessScan.contents(path(name)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// A pipe with a name, by which tasks tell the test how far they are, and the test lets them go on.
    package func gate(_ name: String) throws -> Gate { try Gate(path(name)) }

    // MARK: Programs

    /// Starts a program; its input stays open.
    package func start(
        _ words: [String],
        input: [UInt8]? = nil,
        environment additions: [(String, String)] = []
    ) throws -> Program {
        try Program(words, input: input, environment: environment + additions, directory: directory)
    }

    /// Runs `cohort` to its end.
    package func cohort(
        _ arguments: String...,
        input: String = "",
        environment: [(String, String)] = [],
        limit: Duration = Program.patience
    ) throws -> Finished {
        try start(["cohort"] + arguments, input: Array(input.utf8), environment: environment).wait(limit: limit)
    }

    /// Starts `cohort`; its input is empty.
    package func startCohort(_ arguments: String..., environment: [(String, String)] = []) throws -> Program {
        try start(["cohort"] + arguments, input: [], environment: environment)
    }

    /// Runs a line of shell, in which `cohort` is in the path.
    package func shell(_ line: String, limit: Duration = Program.patience) throws -> Finished {
        try start(["/bin/sh", "-c", line], input: []).wait(limit: limit)
    }

    /// Runs a batch, given as YAML, and reads its document.
    package func run(
        _ batch: String,
        _ arguments: String...,
        limit: Duration = Program.patience
    ) throws -> (document: OutcomeDocument, finished: Finished) {
        let file = try write("batch-\(UInt32.random(in: 0 ... .max)).yaml", batch)
        let words = ["cohort", "run", file, "--output", "json"] + arguments
        let finished = try start(words, input: []).wait(limit: limit)
        do {
            return (try OutcomeDocument(jsonText: finished.standardOutput), finished)
        } catch {
            throw Overrun(description: "no document: \(error)\n\(finished)")
        }
    }

    /// Records an issue for each process that was started here and still runs when the limit has passed.
    package func expectNothingSurvives(
        within limit: Duration = .seconds(2),
        location: SourceLocation = #_sourceLocation
    ) {
        let survivors = processes.survivors(after: limit)
        #expect(survivors.isEmpty, sourceLocation: location)
    }

    /// Records an issue if a private pool has left its directory.
    package func expectNoSockets(location: SourceLocation = #_sourceLocation) {
        #expect(ProcessScan.names(in: path("run")) == [], sourceLocation: location)
    }
}

/// A named pipe between a test and its tasks.
///
/// A task tells the test with `echo word > path`, and waits for it with `read word < path`.
package final class Gate {
    package let path: String
    private let descriptor: Int32
    private var text: [UInt8] = []

    package init(_ path: String) throws {
        guard mkfifo(path, 0o600) == 0 else { throw SystemFailure(what: "make \(path)") }
        self.path = path
        // Held open in both directions: tasks neither wait for the test to open it, nor ever see its end.
        descriptor = Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else { throw SystemFailure(what: "open \(path)") }
    }

    deinit { close(descriptor) }

    /// Waits until tasks have written so many lines; returns them.
    ///
    /// - Parameter program: whoever runs the tasks: what it has said is told if they do not come, at once when it has ended.
    @discardableResult
    package func await(
        lines count: Int = 1,
        of program: Program? = nil,
        limit: Duration = Program.patience
    ) throws -> [String] {
        let end = ContinuousClock.now + limit
        while text.count(where: { $0 == UInt8(ascii: "\n") }) < count {
            let left = ContinuousClock.now.duration(to: end)
            var items = [
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
                pollfd(fd: program?.pidfd ?? -1, events: Int16(POLLIN), revents: 0),
            ]
            // Its end first: what was written before that is there to be read.
            let hasEnded = poll(&items[1], 1, 0) > 0
            if left > .zero { poll(&items, hasEnded ? 1 : 2, hasEnded ? 0 : left.milliseconds) }
            guard items[0].revents != 0 else {
                guard hasEnded || left <= .zero else { continue }
                let found = String(decoding: text, as: UTF8.self)
                let text = "\(count) lines were to come through \(path), and there is '\(found)'"
                throw Overrun(description: text + (program.map { "\n\($0.soFar)" } ?? ""))
            }
            var buffer = [UInt8](repeating: 0, count: 4_096)
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 { text += buffer.prefix(count) }
        }
        let lines = text.split(separator: UInt8(ascii: "\n"), maxSplits: count, omittingEmptySubsequences: false)
        text = Array(lines.last ?? [])
        return lines.prefix(count).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Lets so many tasks that wait for a line go on.
    package func open(times count: Int = 1) {
        let bytes = Array(String(repeating: "go\n", count: count).utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
