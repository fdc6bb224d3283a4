internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// Guardians and their children, in processes of their own.
@Suite(.timeLimit(.minutes(5)))
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

    /// Any of the three levels, and any two of them, at one moment.
    @Test(arguments: [
        [Level.supervisor], [.guardian], [.child], [.supervisor, .guardian], [.supervisor, .child],
        [.guardian, .child],
    ])
    func `whatever is killed takes the tree along`(levels: [Level]) async throws {
        let program = try Program(["guarded", "family"])
        let (child, grandchild) = try await program.family()
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        #expect(guardian != program.pid)
        for level in levels {
            let pid: Int32 =
                switch level {
                case .supervisor: program.pid
                case .guardian: guardian
                case .child: child
                }
            kill(pid, SIGKILL)
        }
        let lines = await program.rest()
        _ = await program.status()
        #expect(waitForEnd(of: [guardian, child, grandchild]))
        // Whoever is left speaks for the child, whose end is never taken for an end of its own accord.
        if !levels.contains(.supervisor) {
            #expect(lines.contains("child death signalled(signal: 9, coreDumped: false)"))
        }
    }

    enum Level { case supervisor, guardian, child }

    /// Nobody is told of the end of processes that are not its children: looking again is all there is.
    private func waitForEnd(of pids: [Int32], within limit: Duration = .seconds(30)) -> Bool {
        let end = ContinuousClock.now + limit
        while !pids.allSatisfy(isGone) {
            if ContinuousClock.now > end { return false }
            usleep(1_000)
        }
        return true
    }

    @Test func `levels can be told apart by name`() async throws {
        let program = try Program(["guarded", "family"])
        let (child, _) = try await program.family()
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        func name(_ pid: Int32) -> String {
            String(decoding: ProcFile.read("/proc/\(pid)/comm") ?? [], as: UTF8.self)
        }
        #expect(name(program.pid) == "cohort-superv\n")
        #expect(name(guardian) == "cohort-guardian\n")
        kill(program.pid, SIGKILL)
        _ = await program.rest()
    }

    @Test func `what dies is started again, as often as it may be`() async throws {
        let program = try Program(["restarted", "2"])
        let lines = await program.rest()
        #expect(lines.filter { $0 == "child death exited(code: 3)" }.count == 3)
        #expect(lines.last?.contains("given up after 2 restarts") == true)
        #expect(await program.status() == .exited(code: 3))
    }

    @Test func `a signal between restarts ends them`() async throws {
        let program = try Program(["restarted", "1000"])
        kill(program.pid, SIGTERM)
        _ = await program.rest()
        // Of the signal itself if it came before there was a supervisor to take it.
        let status = try #require(await program.status())
        #expect(
            [.exited(code: 3), .exited(code: 128 + SIGTERM), .signalled(signal: SIGTERM, coreDumped: false)].contains(
                status
            )
        )
    }

    @Test func `the guardian removes what its supervisor has left`() async throws {
        var template = Array("/tmp/guardian-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        close(open(directory + "/socket", O_CREAT | O_WRONLY, 0o600))
        let program = try Program(["guarded", "family", directory])
        let (child, _) = try await program.family()
        kill(child, SIGSTOP)
        kill(program.pid, SIGKILL)
        _ = await program.rest()
        #expect(waitForEnd(of: [child]))
        let end = ContinuousClock.now + .seconds(30)
        while access(directory, F_OK) == 0, ContinuousClock.now < end { usleep(1_000) }
        #expect(access(directory, F_OK) != 0)
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

    /// A supervisor that began with its guardian would leave the rest to nobody, were it killed at that moment.
    @Test func `a supervisor that ends its tree leaves the guardian until last`() async throws {
        let owner = try openPipe()
        defer { close(owner.reading) }
        let program = try Program(["patient", "3600000", "guarded", "family"], owner: owner.reading)
        let (child, grandchild) = try await program.family()
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        // The supervisor has to make it run: it does nothing by itself for an hour.
        kill(guardian, SIGSTOP)
        close(owner.writing)
        #expect(waitForEnd(of: [guardian], within: .seconds(30)))
        #expect(isGone(child) && isGone(grandchild))
        #expect(await program.status() == .exited(code: 128 + SIGKILL))
    }

    @Test func `a guardian that does not run holds up the end of nothing`() async throws {
        let owner = try openPipe()
        defer { close(owner.reading) }
        let program = try Program(["patient", "100", "guarded", "family"], owner: owner.reading)
        let (child, grandchild) = try await program.family()
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        kill(guardian, SIGSTOP)
        close(owner.writing)
        // Whatever makes it run, it is stopped again.
        let end = ContinuousClock.now + .seconds(20)
        while !isGone(guardian), ContinuousClock.now < end { kill(guardian, SIGSTOP) }
        #expect(waitForEnd(of: [guardian, child, grandchild]))
        #expect(await program.status() == .exited(code: 128 + SIGKILL))
    }

    @Test func `a number that is no longer the program's is not taken for it`() async throws {
        let program = try Program(["guarded", "family"])
        let (child, _) = try await program.family()
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        let descriptor = try Guardian.open(child, below: guardian)
        #expect(descriptor >= 0)
        close(descriptor)
        #expect(try Guardian.open(child, below: program.pid) == -1)
        kill(child, SIGKILL)
        _ = await program.status()
        #expect(try Guardian.open(child, below: guardian) == -1)
    }

    @Test func `few descriptors are enough`() async throws {
        let program = try Program(["limited", "32", "guarded", "exit", "7"])
        #expect(await program.rest() == ["child death exited(code: 7)"])
        #expect(await program.status() == .exited(code: 7))
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
