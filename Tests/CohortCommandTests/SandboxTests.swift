internal import TestSupport
internal import Testing

/// What the tests of commands rely on.
@Suite("Gates")
struct SandboxTests {
    @Test("do not wait for a program that has ended, and tell what it has said")
    func endedProgram() throws {
        let sandbox = try Sandbox()
        let gate = try sandbox.gate("gate")
        let program = try sandbox.start(["/bin/sh", "-c", "echo one > gate; echo trouble >&2; exit 3"], input: [])
        let begin = ContinuousClock.now
        let error = #expect(throws: Overrun.self) { try gate.await(lines: 2, of: program) }
        #expect(error?.description.contains("trouble") == true, "\(error?.description ?? "")")
        #expect(begin.duration(to: .now) < Program.patience)
        // What it had written before is there.
        #expect(try gate.await(of: program) == ["one"])
    }
}
