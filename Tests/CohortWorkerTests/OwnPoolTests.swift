internal import CCohortProcess
internal import CohortProcess
internal import Glibc
internal import Synchronization
internal import Testing

@testable internal import CohortWorker

/// Programs with a pool of their own, looked at from outside.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct OwnPoolTests {
    /// A running program of the fixture.
    private final class Program: Sendable {
        let process: SpawnedProcess
        private let output: Int32
        private let isReaped = Mutex(false)
        /// Where its pools put their directories.
        let temporary = TestDirectory()

        init(_ arguments: [String]) throws {
            var (reading, writing): (Int32, Int32) = (-1, -1)
            guard cohort_pipe(&reading, &writing) == 0 else { throw CallPoolError(step: "pipe", errno: errno) }
            output = reading
            defer { close(writing) }
            var request = SpawnRequest(arguments: [CallPoolHarness.fixture, "pool"] + arguments)
            request.environment.set("XDG_RUNTIME_DIR", to: temporary.path)
            request.standardOutput = writing
            process = try Spawn.spawn(request)
        }

        deinit {
            if !isReaped.withLock({ $0 }) {
                kill(process.pid, SIGKILL)
                _ = Spawn.reap(process.pid)
            }
            close(output)
            close(process.pidfd)
        }

        /// Waits for its end; returns how it ended and what it has printed. A test that takes too long kills it.
        func end() async -> (status: CohortProcess.ExitStatus?, output: [Substring]) {
            let pid = process.pid
            return await withTaskCancellationHandler {
                await withCheckedContinuation { continuation in
                    pthread(named: "fixture") { [self] in
                        let text = read()
                        let status = isReaped.withLock { isReaped in
                            isReaped = true
                            return Spawn.reap(pid)
                        }
                        continuation.resume(returning: (status, text.split(separator: "\n")))
                    }
                }
            } onCancel: {
                isReaped.withLock { if !$0 { kill(pid, SIGKILL) } }
            }
        }

        /// All that it prints.
        private func read() -> String {
            var text: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4_096)
            while case let count = Glibc.read(output, &buffer, buffer.count), count > 0 { text += buffer[..<count] }
            return String(decoding: text, as: UTF8.self)
        }

        private func pthread(named name: String, _ body: @escaping @Sendable () -> Void) {
            do { try PosixThread.start(named: name, body) } catch { body() }
        }
    }

    private func pids(_ files: TestDirectory) async throws -> [Int32] {
        var pids: [Int32] = []
        for name in ["parent", "call", "child", "grandchild"] { pids.append(try await files.pid(name)) }
        return pids
    }

    @Test func callsCommandsAndNestedGroupsRun() async throws {
        let program = try Program(["results"])
        let (status, output) = await program.end()
        #expect(status == .exited(code: 0))
        #expect(output == ["hello", "3"])
        #expect(program.temporary.names == [])
    }

    @Test func whatTheBodyThrowsComesOut() async throws {
        let program = try Program(["throws"])
        let (status, output) = await program.end()
        #expect(status == .exited(code: 0))
        #expect(output == ["refused"])
        #expect(program.temporary.names == [])
    }

    @Test func aCancelEndsEverything() async throws {
        let files = TestDirectory()
        let program = try Program(["cancelled", files.path])
        let pids = try await pids(files)
        let (status, output) = await program.end()
        #expect(status == .exited(code: 0))
        #expect(output == ["cancelled"])
        #expect(pids.allSatisfy(hasEnded))
        #expect(program.temporary.names == [])
    }

    @Test func theDeathOfTheWorkerIsTold() async throws {
        let files = TestDirectory()
        let program = try Program(["death", files.path])
        let pids = try await pids(files)
        // The supervisor is the only child of the program.
        for child in ProcessTree.children(of: program.process.pid) { kill(child, SIGKILL) }
        let (status, output) = await program.end()
        #expect(status == .exited(code: 0))
        #expect(output.first == "errors" && output.count == 2)
        try await CohortWorkerTests.end(of: pids)
        #expect(program.temporary.names == [])
    }

    @Test func nothingOutlivesAProgramThatIsKilled() async throws {
        let files = TestDirectory()
        let program = try Program(["family", files.path])
        let pids = try await pids(files)
        kill(program.process.pid, SIGKILL)
        let (status, _) = await program.end()
        #expect(status == .signalled(signal: SIGKILL, coreDumped: false))
        try await CohortWorkerTests.end(of: pids)
        while !program.temporary.names.isEmpty { try await Task.sleep(for: .milliseconds(1)) }
    }

    @Test func membershipComesBackAsItWas() {
        let membership = PoolMembership(endpoint: "ipc:///tmp/a b/socket", slots: 3)
        #expect(PoolMembership(membership.value) == membership)
        for value in ["", "3", "0 ipc:///x", "x ipc:///x"] { #expect(PoolMembership(value) == nil) }
    }
}
