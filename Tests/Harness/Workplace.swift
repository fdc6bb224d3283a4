internal import CohortProcess
internal import Glibc

/// A directory for one run of the harness: logs, sockets and what tasks leave as evidence. Removed with all that was started
/// in it.
final class Workplace {
    let directory: String
    private var started: [Started] = []

    init() throws {
        var template = Array("/tmp/cohort-harness-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw HarnessError("cannot make a directory in /tmp") }
        directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }

    /// Starts a program of this build; its streams go to files called after `name`.
    func start(_ name: String, _ words: [String], environment: [(String, String)] = []) throws -> Started {
        let process = try Started(
            words,
            output: path("\(name).out"),
            error: path("\(name).err"),
            environment: environment + [("TMPDIR", directory), ("XDG_RUNTIME_DIR", directory)]
        )
        started.append(process)
        return process
    }

    /// Ends a program that was started here, and forgets it.
    func end(_ process: Started) {
        process.kill()
        started.removeAll { $0 === process }
    }

    /// Ends what still runs and removes the directory.
    func clear() {
        for process in started { process.kill() }
        started.removeAll()
        Files.remove(directory)
    }

    /// Where the build has put `cohort`: beside this program.
    static let programs: String = {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        let path = String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        return path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    }()

    static let cohort = programs + "/cohort"
}

/// A program that runs, with its streams in files.
final class Started {
    let pid: Int32
    private let pidfd: Int32
    private let errorPath: String
    private let outputPath: String
    private var status: ExitStatus?

    init(_ words: [String], output: String, error: String, environment: [(String, String)]) throws {
        outputPath = output
        errorPath = error
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        // Added to, so that the log of a program that is started again holds all its lives.
        let out = open(output, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        let err = open(error, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        defer { for descriptor in [null, out, err] { close(descriptor) } }
        var request = SpawnRequest(
            arguments: words,
            standardInput: null,
            standardOutput: out,
            standardError: err
        )
        for (name, value) in environment { request.environment.set(name, to: value) }
        request.newProcessGroup = true
        let process = try Spawn.spawn(request)
        pid = process.pid
        pidfd = process.pidfd
    }

    deinit { close(pidfd) }

    var output: String { Files.read(outputPath) }
    var errorText: String { Files.read(errorPath) }

    /// SIGKILL, and waits until it is gone.
    func kill() {
        guard status == nil else { return }
        _ = Glibc.kill(pid, SIGKILL)
        status = Spawn.reap(pid)
    }

    func send(_ signal: Int32) { _ = Glibc.kill(pid, signal) }

    var hasEnded: Bool {
        var item = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        return status != nil || poll(&item, 1, 0) > 0
    }

    /// Waits for its end.
    ///
    /// - Returns: `nil` if it has not come within the limit.
    func wait(seconds: Double) -> ExitStatus? {
        if let status { return status }
        var item = pollfd(fd: pidfd, events: Int16(POLLIN), revents: 0)
        guard poll(&item, 1, Int32(clamping: Int(seconds * 1_000))) > 0 else { return nil }
        status = Spawn.reap(pid)
        return status
    }
}

/// The harness itself cannot go on.
struct HarnessError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
