internal import Glibc
internal import Testing

@testable internal import CohortProcess

@Suite(.timeLimit(.minutes(5)))
struct ProcessTreeTests {
    @Test func `finds and kills everything below a process`() async throws {
        var harness = try LoopHarness()
        let line =
            "(sleep 86396 & exec sleep 86396) & setsid sleep 86396 & sleep 86396 & echo up; wait; echo over"
        harness.loop.start(1, CommandSpec(.shell(line)))
        guard case .started(1, let pid) = try await harness.next() else {
            Issue.record("not started")
            return
        }
        try await harness.waitForOutput("up", of: 1)
        // The last of them are started by others than the one that has said so.
        while ProcessTree.descendants(of: pid).count < 4 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(ProcessTree.descendants(of: pid).count == 4)
        #expect(ProcessTree.killDescendants(of: pid).isEmpty)
        let run = try await harness.end(of: 1)
        #expect(run.output == "over\n")
        #expect(run.report.status == .exited(code: 0))
    }

    @Test func `nothing is below a process that is gone`() {
        #expect(ProcessTree.descendants(of: .max).isEmpty)
        #expect(ProcessTree.killDescendants(of: .max).isEmpty)
    }
}
