@testable internal import CohortProcess
internal import Glibc
internal import Testing

/// Guardians and their children, in processes of their own.
@Suite(.timeLimit(.minutes(1)))
struct GuardianTests {
    @Test func `takes the exit code of its child`() async throws {
        let program = try Program(["guarded", "exit", "7"])
        #expect(await program.rest() == ["child death exited(code: 7)"])
        #expect(await program.status() == .exited(code: 7))
    }

    @Test func `hands on SIGTERM`() async throws {
        let program = try Program(["guarded", "family"])
        let (child, grandchild) = try await program.family()
        kill(program.pid, SIGTERM)
        #expect(await program.rest() == ["child death signalled(signal: 15, coreDumped: false)"])
        #expect(await program.status() == .exited(code: 128 + SIGTERM))
        #expect(isGone(child) && isGone(grandchild))
    }

    @Test func `a killed child takes its descendants along`() async throws {
        let program = try Program(["guarded", "family"])
        let (child, grandchild) = try await program.family()
        kill(child, SIGKILL)
        #expect(await program.rest() == ["child death signalled(signal: 9, coreDumped: false)"])
        #expect(await program.status() == .exited(code: 128 + SIGKILL))
        #expect(isGone(child) && isGone(grandchild))
    }

    @Test func `the child sees that its guardian was killed`() async throws {
        let program = try Program(["guarded", "family"])
        let (_, grandchild) = try await program.family()
        kill(program.pid, SIGKILL)
        #expect(await program.rest() == ["guardian death, 0 left"])
        #expect(await program.status() == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(isGone(grandchild))
    }

    @Test func `the end of the owner is the end of all`() async throws {
        let owner = try openPipe()
        defer { close(owner.reading) }
        let program = try Program(["guarded", "family"], owner: owner.reading)
        let (child, grandchild) = try await program.family()
        close(owner.writing)
        #expect(await program.rest() == [])
        #expect(await program.status() == .exited(code: 128 + SIGKILL))
        #expect(isGone(child) && isGone(grandchild))
    }

    @Test func `its variables do not reach commands`() async throws {
        let program = try Program(["guarded", "environment"])
        let lines = await program.rest()
        #expect(lines.contains { $0.hasPrefix("\(AttemptTag.name)=") })
        #expect(!lines.contains { $0.hasPrefix("COHORT_GUARDED=") || $0.hasPrefix("COHORT_OWNER_FD=") })
    }

    @Test func `this process has no guardian`() throws {
        #expect(!Guardian.isGuarded)
        #expect(try !Guardian.watchFromChild {})
    }

    @Test func `a stray that nothing connects with its command is killed`() async throws {
        let program = try Program(["strangers"])
        #expect(await program.rest() == ["strays 1, left 0"])
        #expect(await program.status() == .exited(code: 0))
    }

    private func isGone(_ pid: Int32) -> Bool {
        ProcFile.hasEnded("/proc/\(pid)/stat")
    }
}

/// The fixture, running, and the lines it prints.
private final class Program {
    let pid: Int32
    private var lines: AsyncStream<String>.Iterator
    private var end: AsyncStream<CohortProcess.ExitStatus?>.Iterator

    init(_ arguments: [String], owner: Int32? = nil) throws {
        let pipe = try openPipe()
        var request = SpawnRequest(arguments: [try Program.path()] + arguments, standardOutput: pipe.writing)
        if let owner {
            request.passedDescriptors = [(from: owner, to: 9)]
            request.environment.set(Guardian.ownerVariable, to: "9")
        }
        defer { close(pipe.writing) }
        let process = try Spawn.spawn(request)
        close(process.pidfd)
        pid = process.pid
        let (lines, lineContinuation) = AsyncStream.makeStream(of: String.self)
        let (end, endContinuation) = AsyncStream.makeStream(of: CohortProcess.ExitStatus?.self)
        self.lines = lines.makeAsyncIterator()
        self.end = end.makeAsyncIterator()
        try startThread(named: "fixture-reader") {
            Program.read(pipe.reading) { lineContinuation.yield($0) }
            lineContinuation.finish()
            endContinuation.yield(Spawn.reap(process.pid))
        }
    }

    /// The pids of child and grandchild, once both are there.
    func family() async throws -> (child: Int32, grandchild: Int32) {
        var pids: [String: Int32] = [:]
        while pids.count < 2 {
            let line = try #require(await lines.next(isolation: nil))
            let words = line.split(separator: " ")
            try #require(words.count == 2)
            pids[String(words[0])] = Int32(words[1])
        }
        return (child: try #require(pids["child"]), grandchild: try #require(pids["grandchild"]))
    }

    /// All further lines, to the end of the output: when every process that holds it is gone.
    func rest() async -> [String] {
        var rest: [String] = []
        while let line = await lines.next(isolation: nil) {
            rest.append(line)
        }
        return rest
    }

    func status() async -> CohortProcess.ExitStatus? {
        await end.next(isolation: nil) ?? nil
    }

    /// The fixture is built into the directory of the tests.
    private static func path() throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink("/proc/self/exe", bytes.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped, bytes.count)
        }
        let executable = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let directory = executable.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(directory)/ProcessFixture"
        try #require(access(path, X_OK) == 0, "the fixture is not at \(path)")
        return path
    }

    private static func read(_ descriptor: Int32, _ report: (String) -> Void) {
        defer { close(descriptor) }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 {
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                report(String(decoding: pending[..<end], as: UTF8.self))
                pending.removeSubrange(...end)
            }
        }
    }
}
