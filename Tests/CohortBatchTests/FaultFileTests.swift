internal import Testing

@testable internal import CohortBatch

@Suite("Fault plans")
struct FaultFileTests {
    private func plan(_ text: String) throws(BatchFileError) -> FaultPlan {
        try FaultFile.parse(text, fileName: "faults.yaml")
    }

    /// The faults of a plan with this one entry.
    private func fault(_ entry: String) throws(BatchFileError) -> FaultPlan.Kind? {
        try plan("faults:\n- \(entry)\n").faults.first?.kind
    }

    private func errors(_ text: String) -> [String] {
        do {
            _ = try plan(text)
            return []
        } catch {
            return error.diagnostics.map { "\($0.line ?? 0):\($0.column ?? 0): \($0.message)" }
        }
    }

    @Test("Everything that a plan can hold")
    func everything() throws {
        let plan = try plan(
            """
            faults:
              - kill: worker
                at: 3s
              - {kill: supervisor, every: 2s, times: 3}
              - {kill: coordinator, p: 0.1}
              - {freeze: coordinator, at: 0, for: 2s}
              - fail: {task: "resize-*", p: 0.1, status: 3, message: no disk}
              - delay: {task: "a/b*", by: 500ms, p: 0.5}
              - hang: {task: score, attempt: 1}
              - frames: {drop: 0.01, delay: 20ms, duplicate: 0.02, corrupt: 0.001, disconnect: 1, from: 2s, for: 5s}
              - {fill: state, at: 1s, for: 4s}
            pool: {workers: 3, slots: 4, restarts: 7/1m30s}
            """
        )
        let kinds: [FaultPlan.Kind] = [
            .process(ProcessFault(.kill, .worker, .at(.seconds(3)))),
            .process(ProcessFault(.kill, .supervisor, .every(.seconds(2)), times: 3)),
            .process(ProcessFault(.kill, .coordinator, .perSecond(0.1))),
            .process(ProcessFault(.freeze(.seconds(2)), .coordinator, .at(.zero))),
            .task(TaskFault(.fail(status: 3, message: "no disk"), pattern: "resize-*", probability: 0.1)),
            .task(TaskFault(.delay(.milliseconds(500)), pattern: "a/b*", probability: 0.5)),
            .task(TaskFault(.hang, pattern: "score", attempt: 1)),
            .frames(
                FrameFault(
                    drop: 0.01,
                    duplicate: 0.02,
                    corrupt: 0.001,
                    delay: .milliseconds(20),
                    disconnect: 1,
                    from: .seconds(2),
                    length: .seconds(5)
                )
            ),
            .fill(FillFault(at: .seconds(1), length: .seconds(4))),
        ]
        #expect(plan.faults.map(\.kind) == kinds)
        #expect(plan.faults.map(\.location.line) == [2, 4, 5, 6, 7, 8, 9, 10, 11])
        #expect(plan.pool == FaultPlan.Pool(workers: 3, slots: 4, restarts: .init(count: 7, period: .seconds(90))))
    }

    @Test("What is left out has a default, and JSON is read as well")
    func defaults() throws {
        let plan = try plan(#"{"faults": [{"fail": {"task": "x"}}]}"#)
        #expect(plan.pool == FaultPlan.Pool(workers: 2, slots: 2, restarts: .init(count: 5, period: .seconds(60))))
        let failure = TaskFault.Action.fail(status: 1, message: "this failure is injected")
        #expect(plan.faults.first?.kind == .task(TaskFault(failure, pattern: "x")))
        #expect(try self.plan("faults: []").faults.isEmpty)
    }

    @Test(
        "Mistakes of the whole",
        arguments: [
            ("[a]", "1:1: a fault plan is a map, not a list: put the list under 'faults:'"),
            ("pool: {}", "1:1: a fault plan needs 'faults'; 'faults: []' injects none"),
            ("fault: []", "1:1: unknown key 'fault' in a fault plan; did you mean 'faults'?"),
            ("faults: {kill: worker}", "1:9: 'faults' must be a list, not a map: start each with '- '"),
            (
                "faults: [kill]",
                "1:10: a fault is a map, not text: write 'kill: worker' or another of them"
            ),
            (
                "faults: []\npool: {worker: 3}",
                "2:8: unknown key 'worker' in 'pool'; did you mean 'workers'?"
            ),
            ("faults: []\npool: {workers: 0}", "2:17: 'workers' must be between 1 and 64, not 0"),
            (
                "faults: []\npool: {restarts: 5}",
                "2:18: 'restarts' must be so many in so long, such as 5/60s, not '5'"
            ),
        ]
    )
    func whole(text: String, message: String) {
        #expect(errors(text) == [message])
    }

    @Test(
        "Mistakes of a fault",
        arguments: [
            ("{kil: worker, at: 1s}", "2:4: unknown key 'kil' in a fault; did you mean 'kill'?"),
            ("{at: 1s}", "2:3: a fault needs one of kill, freeze, fail, delay, hang, frames, fill"),
            (
                "{kill: wroker, at: 1s}",
                "2:10: 'kill' must be one of worker, supervisor, coordinator, not 'wroker'; did you mean 'worker'?"
            ),
            (
                "{kill: worker}",
                "2:4: 'kill' needs 'at' (once), 'every' (again and again) or 'p' (a probability a second)"
            ),
            ("{kill: worker, at: 1s, every: 2s}", "2:26: 'kill' has either 'at', 'every' or 'p': remove all but one"),
            ("{kill: worker, at: 1s, times: 2}", "2:26: 'times' goes with 'every' and 'p': 'at' is once"),
            (
                "{kill: worker, at: 1s, for: 2s}",
                "2:26: 'for' does not go with 'kill', which is for good: use 'freeze', or remove it"
            ),
            ("{kill: worker, p: 1.5}", "2:21: 'p' is a probability: more than 0, at most 1, not '1.5'"),
            (
                "{kill: worker, at: soon}",
                "2:22: bad duration 'soon': use a number of seconds or a number with ms, s, m, h, d"
            ),
            ("{freeze: worker, at: 1s}", "2:4: 'freeze' needs 'for': how long until it goes on"),
            (
                "{kill: worker, at: 1s, hang: {task: x}}",
                "2:26: a fault has one action, and 'kill' is it: make 'hang' another fault"
            ),
            ("{hang: score}", "2:10: 'hang' must be a map, not text: write 'hang: {task: \"name*\"}'"),
            ("{hang: {p: 0.5}}", "2:4: 'hang' needs 'task': a pattern for names"),
            ("{hang: {task: x, by: 1s}}", "2:20: unknown key 'by' in 'hang'; it can have task, p, attempt"),
            (
                "{hang: {task: x}, p: 0.5}",
                "2:21: 'p' does not go beside 'hang'; in its braces there can be task, p, attempt"
            ),
            ("{delay: {task: x}}", "2:4: 'delay' needs 'by': how much later the task begins"),
            ("{fail: {task: x, status: 0}}", "2:28: 'status' must be between 1 and 255, not 0"),
            ("{fail: {task: x, attempt: 0}}", "2:29: 'attempt' must be between 1 and 1000001, not 0"),
            ("{frames: {}}", "2:4: 'frames' does nothing: give it drop, delay, duplicate, corrupt or disconnect"),
            ("{frames: {drop: no}}", "2:19: 'drop' is a probability: more than 0, at most 1, not 'no'"),
            ("{fill: disk, at: 1s, for: 1s}", "2:10: 'fill' must be state, not 'disk'"),
            ("{fill: state, at: 1s}", "2:4: 'fill' needs 'for': how long the disk stays full"),
        ]
    )
    func entries(entry: String, message: String) {
        #expect(errors("faults:\n- \(entry)\n") == [message])
    }

    @Test("All mistakes are told at once, with the line that is meant")
    func frames() throws {
        let text = "faults:\n- {kill: worker}\n- {hang: {task: x, p: 2}}\n"
        let error = #expect(throws: BatchFileError.self) { try plan(text) }
        #expect(error?.diagnostics.count == 2)
        #expect(error?.description.contains("faults.yaml:3:23: 'p' is a probability") == true)
        #expect(error?.description.contains("  3 | - {hang: {task: x, p: 2}}\n    |                       ^") == true)
    }

    @Test("A file that cannot be read says why")
    func files() {
        let error = #expect(throws: BatchFileError.self) { try FaultFile.load(path: "/no/such/plan.yaml") }
        #expect(error?.description == "/no/such/plan.yaml: no such file")
        #expect(errors("") == ["0:0: it is empty: a fault plan needs 'faults'"])
    }
}
