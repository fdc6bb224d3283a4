internal import Glibc
internal import Testing

@testable internal import CohortProcess

@Suite(.timeLimit(.minutes(5)))
struct ProcessLoopTests {
    @Test(arguments: [(0, "true"), (1, "false"), (42, "exit 42")] as [(Int32, String)])
    func `reports the exit code`(code: Int32, line: String) async throws {
        var harness = try LoopHarness()
        let run = try await harness.run(1, CommandSpec(.shell(line)))
        #expect(run.report.status == .exited(code: code))
        #expect(!run.report.forced && !run.report.signalSent)
        #expect(run.report.strays == 0)
        #expect(run.report.elapsed > .zero)
    }

    @Test func `reports a signal that was not sent from here`() async throws {
        var harness = try LoopHarness()
        let run = try await harness.run(1, CommandSpec(.shell("ulimit -c 0; kill -SEGV $$")))
        #expect(run.report.status == .signalled(signal: SIGSEGV, coreDumped: false))
        #expect(!run.report.forced && !run.report.signalSent)
    }

    @Test func `separates stdout from stderr and keeps the tail of stderr`() async throws {
        var harness = try LoopHarness()
        let line = "echo out; i=0; while [ $i -lt 1000 ]; do echo line-$i >&2; i=$((i+1)); done"
        let run = try await harness.run(1, CommandSpec(.shell(line)))
        let expected = (0..<1000).map { "line-\($0)\n" }.joined()
        #expect(run.output == "out\n")
        #expect(run.stderr == Array(expected.utf8))
        #expect(run.report.stderrTail == Array(expected.utf8.suffix(4096)))
        #expect(run.report.stdoutBytes == 4)
        #expect(run.report.stderrBytes == expected.utf8.count)
        #expect(run.report.droppedBytes == 0)
    }

    @Test func `counts CPU time`() async throws {
        var harness = try LoopHarness()
        let run = try await harness.run(1, CommandSpec(.shell("i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done")))
        #expect(run.report.userTime + run.report.systemTime > .milliseconds(5))
        #expect(run.report.userTime + run.report.systemTime < .seconds(50))
    }

    @Test func `passes environment and working directory`() async throws {
        var harness = try LoopHarness()
        let run = try await harness.run(
            1,
            CommandSpec(
                .shell("echo $A-$B; pwd; echo $COHORT_GUARDED$COHORT_OWNER_FD"),
                environment: [("A", "1"), ("B", "x y"), ("A", "2")],
                workingDirectory: "/usr"
            )
        )
        #expect(run.output == "2-x y\n/usr\n\n")
    }

    @Test func `searches the PATH that the command is given`() async throws {
        var harness = try LoopHarness()
        let spec = CommandSpec(.arguments(["true"]), environment: [("PATH", "/nowhere:/etc")])
        #expect(await harness.failure(spec) == "cannot run 'true': no such file or directory in PATH (/nowhere:/etc)")
        let run = try await harness.run(1, CommandSpec(.arguments(["true"]), environment: [("PATH", "/nowhere:/bin")]))
        #expect(run.report.status == .exited(code: 0))
    }

    @Test func `says why a command cannot start`() async throws {
        var harness = try LoopHarness()
        let missing = await harness.failure(CommandSpec(.arguments(["./no-such-program"])))
        #expect(missing == "cannot run './no-such-program': no such file or directory")
        let plain = await harness.failure(CommandSpec(.arguments(["/etc/passwd"])))
        #expect(plain == "cannot run '/etc/passwd': permission denied (is it executable?)")
        let directory = await harness.failure(CommandSpec(.arguments(["/etc"])))
        #expect(directory == "cannot run '/etc': is a directory")
        let nowhere = await harness.failure(CommandSpec(.shell("true"), workingDirectory: "/no/such/place"))
        #expect(nowhere == "cannot enter working directory '/no/such/place': no such file or directory")
        #expect(await harness.failure(CommandSpec(.arguments([]))) == "the command is empty")
        let torn = await harness.failure(CommandSpec(.arguments(["echo", "a\0b"])))
        #expect(torn == "argument 1 of 'echo' contains a NUL byte")
        let named = await harness.failure(CommandSpec(.arguments(["true"]), environment: [("A=B", "")]))
        #expect(named?.contains("\"A=B\"") == true)
    }

    @Test func `refuses a second command of the same name`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.arguments(["sleep", "1000"])))
        harness.loop.start(1, CommandSpec(.arguments(["true"])))
        guard case .started = try await harness.next(), case .startFailed(1, let error) = try await harness.next()
        else {
            Issue.record("expected one start and one failure")
            return
        }
        #expect(error.description == "a command with the number 1 is already running")
    }

    @Test func `feeds stdin and closes it`() async throws {
        var harness = try LoopHarness()
        let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let spec = CommandSpec(.arguments(["cat"]), standardInput: bytes, outputCredit: .max)
        let large = try await harness.run(1, spec)
        #expect(large.stdout == bytes)
        let small = try await harness.run(2, CommandSpec(.arguments(["cat"]), standardInput: Array("hello".utf8)))
        #expect(small.output == "hello")
        let none = try await harness.run(3, CommandSpec(.arguments(["cat"])))
        #expect(none.stdout.isEmpty && none.report.status == .exited(code: 0))
    }

    @Test func `does not mind stdin that is not read`() async throws {
        var harness = try LoopHarness()
        let spec = CommandSpec(.arguments(["true"]), standardInput: Array(repeating: 7, count: 1_000_000))
        let run = try await harness.run(1, spec)
        #expect(run.report.status == .exited(code: 0))
    }

    @Test func `gives programs default signals and no descriptors but three`() async throws {
        var harness = try LoopHarness()
        let run = try await harness.run(
            1,
            CommandSpec(.shell("ls /proc/self/fd; grep -E 'Sig(Blk|Ign)' /proc/self/status"))
        )
        let lines = run.output.split(whereSeparator: \.isWhitespace)
        // The fourth is the directory that ls itself reads.
        #expect(lines == ["0", "1", "2", "3", "SigBlk:", "0000000000000000", "SigIgn:", "0000000000000000"])
    }

    @Test func `runs many commands, each reported once`() async throws {
        var harness = try LoopHarness()
        var exited: [UInt64: Int] = [:]
        for id in 1...8 as ClosedRange<UInt64> {
            harness.loop.start(id, CommandSpec(.arguments(["/bin/true"])))
        }
        while exited.count < 500 {
            if case .exited(let id, let report) = try await harness.next() {
                exited[id, default: 0] += 1
                #expect(report.status == .exited(code: 0))
                if id + 8 <= 500 {
                    harness.loop.start(id + 8, CommandSpec(.arguments(["/bin/true"])))
                }
            }
        }
        #expect(exited.values.allSatisfy { $0 == 1 })
        #expect(exited.keys.max() == 500)
    }

    @Test func `stop ends what runs and leaves nothing`() async throws {
        var harness = try LoopHarness()
        let mark = Mark()
        for id in 1...4 as ClosedRange<UInt64> {
            let line = "trap '' TERM; setsid sleep 86397 & echo up; wait"
            harness.loop.start(id, CommandSpec(.shell(line), environment: [mark.variable]))
            try await harness.waitForOutput("up", of: id)
        }
        harness.loop.stop()
        #expect(mark.processes.isEmpty)
        var ended: Set<UInt64> = []
        while ended.count < 4 {
            if case .exited(let id, let report) = try await harness.next() {
                #expect(report.status == .signalled(signal: SIGKILL, coreDumped: false))
                #expect(report.forced)
                ended.insert(id)
            }
        }
    }
}
