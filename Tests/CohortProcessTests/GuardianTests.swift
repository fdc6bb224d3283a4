internal import Glibc
internal import Testing

@testable internal import CohortProcess

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

    private func isGone(_ pid: Int32) -> Bool {
        ProcFile.hasEnded("/proc/\(pid)/stat")
    }
}
