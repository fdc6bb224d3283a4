internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// How commands end, and that nothing of them is left when they have.
@Suite(.timeLimit(.minutes(5)))
struct ProcessLoopEndTests {
    @Test func `cancel asks with SIGTERM`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("echo up; exec sleep 1000")))
        try await harness.waitForOutput("up", of: 1)
        harness.loop.cancel(1, grace: .seconds(300))
        let run = try await harness.end(of: 1)
        #expect(run.report.status == .signalled(signal: SIGTERM, coreDumped: false))
        #expect(run.report.signalSent)
        #expect(!run.report.forced)
        #expect(run.report.elapsed < .seconds(60))
    }

    @Test func `cancel reaches a stopped command`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("echo up; kill -STOP $$; sleep 1000")))
        try await harness.waitForOutput("up", of: 1)
        harness.loop.cancel(1, grace: .seconds(300))
        let run = try await harness.end(of: 1)
        #expect(run.report.status == .signalled(signal: SIGTERM, coreDumped: false))
    }

    @Test func `whoever ignores SIGTERM is killed at the end of the grace`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("trap '' TERM; echo up; while :; do sleep 0.01; done")))
        try await harness.waitForOutput("up", of: 1)
        let started = ContinuousClock.now
        harness.loop.cancel(1, grace: .milliseconds(100))
        let run = try await harness.end(of: 1)
        let elapsed = ContinuousClock.now - started
        #expect(run.report.status == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(run.report.forced && run.report.signalSent)
        #expect(elapsed >= .milliseconds(100))
        // Generous, for a busy machine.
        #expect(elapsed < .seconds(60))
    }

    @Test func `a second cancel only shortens the grace`() async throws {
        var harness = try LoopHarness()
        let line = "trap 'echo term' TERM; echo up; while :; do sleep 0.01; done"
        harness.loop.start(1, CommandSpec(.shell(line)))
        try await harness.waitForOutput("up", of: 1)
        harness.loop.cancel(1, grace: .seconds(3000))
        try await harness.waitForOutput("term", of: 1)
        harness.loop.cancel(1, grace: .milliseconds(50))
        harness.loop.cancel(1, grace: .seconds(Int64.max))
        let run = try await harness.end(of: 1)
        #expect(run.report.forced)
        // SIGTERM was sent once.
        #expect(run.stdout.isEmpty)
    }

    @Test func `words about unknown commands are ignored`() async throws {
        var harness = try LoopHarness()
        harness.loop.cancel(9, grace: .zero)
        harness.loop.kill(9)
        harness.loop.grant(9, bytes: 1)
        let run = try await harness.run(9, CommandSpec(.arguments(["true"])))
        #expect(run.report.status == .exited(code: 0))
        #expect(!run.report.signalSent)
    }

    @Test func `cancel ends the whole group`() async throws {
        var harness = try LoopHarness()
        let mark = Mark()
        let line = "sleep 1000 & echo up; sleep 1000"
        harness.loop.start(1, CommandSpec(.shell(line), environment: [mark.variable]))
        try await harness.waitForOutput("up", of: 1)
        harness.loop.cancel(1, grace: .seconds(300))
        let run = try await harness.end(of: 1)
        #expect(run.report.elapsed < .seconds(60))
        #expect(mark.processes.isEmpty)
    }

    @Test func `a background process is killed when its command ends`() async throws {
        var harness = try LoopHarness()
        let mark = Mark()
        // It holds the pipes as well, which keeps nobody waiting.
        let run = try await harness.run(1, CommandSpec(.shell("sleep 86397 & echo done"), environment: [mark.variable]))
        #expect(run.report.status == .exited(code: 0))
        #expect(run.output == "done\n")
        #expect(run.report.elapsed < .seconds(60))
        #expect(!run.report.forced)
        #expect(mark.processes.isEmpty)
    }

    @Test(arguments: [
        "setsid --fork sleep 86397; true",
        "setsid --fork sh -c 'setsid --fork sleep 86397; sleep 86397' >/dev/null 2>&1 </dev/null; true",
        "(setsid sh -c 'trap \"\" TERM HUP INT; sleep 86397 & echo up; sleep 86397' &) | read line",
    ])
    func `processes that left session and parents are killed`(line: String) async throws {
        var harness = try LoopHarness()
        let mark = Mark()
        let run = try await harness.run(1, CommandSpec(.shell(line), environment: [mark.variable]))
        #expect(run.report.status == .exited(code: 0))
        #expect(mark.processes.isEmpty)
    }

    @Test func `an orphan of a running command lives as long as the command`() async throws {
        var harness = try LoopHarness()
        let mark = Mark()
        let line = "setsid --fork sleep 86397; echo up; exec sleep 86397"
        harness.loop.start(1, CommandSpec(.shell(line), environment: [mark.variable]))
        try await harness.waitForOutput("up", of: 1)
        // Commands that end look for what they left behind, and find the orphan of another.
        for id in 2...5 as ClosedRange<UInt64> {
            let others = Mark()
            let line = "setsid --fork sleep 86397; true"
            let other = try await harness.run(id, CommandSpec(.shell(line), environment: [others.variable]))
            #expect(other.report.status == .exited(code: 0))
            #expect(others.processes.isEmpty)
        }
        #expect(mark.processes.count == 2)
        harness.loop.cancel(1, grace: .seconds(300))
        _ = try await harness.end(of: 1)
        #expect(mark.processes.isEmpty)
    }

    @Test(arguments: [
        // Nothing connects it with its command: other session, no environment.
        "env -i /usr/bin/setsid --fork /bin/sleep 86398 </dev/null >/dev/null 2>&1",
        // It starts another of its kind in a session of its own and goes, some hundreds of times: should it get away, it
        // ends by itself.
        #"export HOPS=300 HOP='[ $HOPS -gt 0 ] || exit; HOPS=$((HOPS - 1)); sleep 0.002; (setsid sh -c "$HOP" &)'; "#
            + #"(setsid sh -c "$HOP" &) | sleep 0.05"#,
    ])
    func `whatever hides is found by a loop that claims all children`(line: String) async throws {
        for mode in ["command", "command-beside-host"] {
            let program = try Program([mode, line])
            #expect(await program.rest() == ["exited(code: 0), strays, 0 left"])
            #expect(await program.status() == .exited(code: 0))
        }
    }

    @Test func `a pipe held outside of the tree keeps nobody waiting`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("trap 'echo end; exit' USR1; echo up; while :; do sleep 0.01; done")))
        guard case .started(1, let pid) = try await harness.next() else {
            Issue.record("not started")
            return
        }
        try await harness.waitForOutput("up", of: 1)
        let held = open("/proc/\(pid)/fd/1", O_WRONLY | O_CLOEXEC)
        try #require(held >= 0)
        defer { close(held) }
        kill(pid, SIGUSR1)
        let run = try await harness.end(of: 1)
        #expect(run.output == "end\n")
        #expect(run.report.elapsed < .seconds(60))
    }
}
