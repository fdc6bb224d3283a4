internal import Glibc
internal import Testing

@testable internal import CohortProcess

@Suite(.timeLimit(.minutes(5)))
struct ProcessLoopCreditTests {
    @Test func `reports no more than the credit and loses nothing`() async throws {
        var harness = try LoopHarness()
        let size = 200_000_000
        let step = 4_000_000
        let before = try residentBytes()
        harness.loop.start(1, CommandSpec(.shell("head -c \(size) /dev/zero"), outputCredit: 100_000))
        var allowed = 100_000
        var received = 0
        var probe: UInt64 = 2
        var largestChunk = 0
        var greatest = before
        reading: while true {
            switch try await harness.next() {
            case .output(1, .stdout, let bytes):
                received += bytes.count
                largestChunk = max(largestChunk, bytes.count)
                #expect(received <= allowed)
                if received == allowed {
                    // The rounds in which another command lives and dies bring nothing of the first.
                    harness.loop.start(probe, CommandSpec(.arguments(["/bin/true"])))
                }
            case .exited(probe, _):
                #expect(received == allowed)
                greatest = max(greatest, try residentBytes())
                probe += 1
                allowed += step
                harness.loop.grant(1, bytes: step)
            case .exited(1, let report):
                #expect(report.status == .exited(code: 0))
                #expect(report.stdoutBytes == size)
                #expect(report.droppedBytes == 0)
                break reading
            default: continue
            }
        }
        #expect(received == size)
        #expect(largestChunk <= 65536)
        #expect(greatest - before < 128_000_000)
    }

    @Test func `keeps what was written before the end until it is granted`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("echo abcdef; echo 12345 >&2"), outputCredit: 0))
        // It ends while nothing of its output may be reported; so does another command after it.
        _ = try await harness.run(2, CommandSpec(.arguments(["sleep", "0.05"])))
        harness.loop.grant(1, bytes: 9)
        harness.loop.grant(1, bytes: 4)
        let run = try await harness.end(of: 1)
        #expect(run.output == "abcdef\n")
        #expect(run.stderr == Array("12345\n".utf8))
        #expect(run.report.droppedBytes == 0)
    }

    @Test func `a killed command waits for no grant`() async throws {
        var harness = try LoopHarness()
        harness.loop.start(1, CommandSpec(.shell("echo ready; echo 0123456789; exec sleep 1000"), outputCredit: 6))
        try await harness.waitForOutput("ready\n", of: 1)
        harness.loop.kill(1)
        let run = try await harness.end(of: 1)
        #expect(run.report.status == .signalled(signal: SIGKILL, coreDumped: false))
        #expect(run.report.forced)
        #expect(!run.report.signalSent)
        #expect(run.stdout.isEmpty)
        #expect(run.report.stdoutBytes == 6 + run.report.droppedBytes)
    }

    @Test func `a cancelled command waits for grants until its grace ends`() async throws {
        var harness = try LoopHarness()
        let line = "exec 2>/dev/null; trap 'echo bye; exit 3' TERM; echo ready; while :; do sleep 0.01; done"
        harness.loop.start(1, CommandSpec(.shell(line), outputCredit: 6))
        try await harness.waitForOutput("ready\n", of: 1)
        harness.loop.cancel(1, grace: .seconds(3))
        let run = try await harness.end(of: 1)
        #expect(run.report.status == .exited(code: 3))
        #expect(run.report.signalSent)
        #expect(!run.report.forced)
        #expect(run.report.droppedBytes == 4)
    }

    @Test func `the credit is one for both streams`() async throws {
        var harness = try LoopHarness()
        let line = "head -c 50000 /dev/zero; head -c 50000 /dev/zero >&2"
        harness.loop.start(1, CommandSpec(.shell(line), outputCredit: 70_000))
        var received = 0
        while received < 70_000 {
            if case .output(1, _, let bytes) = try await harness.next() { received += bytes.count }
        }
        #expect(received == 70_000)
        harness.loop.grant(1, bytes: 30_000)
        let run = try await harness.end(of: 1)
        #expect(run.stdout.count + run.stderr.count == 30_000)
    }

    private func residentBytes() throws -> Int {
        let fields = ProcFile.numbers(in: try #require(ProcFile.read("/proc/self/statm")))
        return Int(fields[1]) * sysconf(Int32(_SC_PAGESIZE))
    }
}
