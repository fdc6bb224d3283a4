internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

/// `cohort chaos` as a user runs it.
@Suite("A batch under faults")
struct ChaosTests {
    /// Runs a batch under a plan and reads the document.
    private func chaos(
        _ sandbox: Sandbox,
        _ batch: String,
        _ plan: String,
        _ arguments: String...
    ) throws -> (document: JSONObject, finished: Finished) {
        let words = [
            "cohort", "chaos", try sandbox.write("batch.yaml", batch), "--faults", try sandbox.write("plan.yaml", plan),
        ]
        let finished = try sandbox.start(words + ["--output", "json"] + arguments, input: []).wait()
        guard case .object(let document)? = try? JSONValue(parsing: finished.standardOutput) else {
            throw Overrun(description: "no document: \(finished)")
        }
        return (document, finished)
    }

    /// The states of all promises, in their order.
    private func states(_ document: JSONObject) -> [String] {
        guard case .array(let promises)? = document["promises"] else { return [] }
        return promises.map { promise in
            guard case .object(let object) = promise, case .string(let state)? = object["state"] else { return "" }
            return state
        }
    }

    private func outcome(_ document: JSONObject) throws -> OutcomeDocument {
        try OutcomeDocument(jsonText: (document["outcome"] ?? .null).text(.line))
    }

    private func expectNothingLeft(_ sandbox: Sandbox, location: SourceLocation = #_sourceLocation) {
        sandbox.expectNothingSurvives(location: location)
        sandbox.expectNoSockets(location: location)
    }

    private static let thumbnails = """
        group: nightly
        tasks:
          - group: thumbnails
            retries: 6
            task_timeout: 30s
            for_each: {n: {range: [1, 20]}}
            name: "resize-{n}"
            run: "sleep 0.1; echo {n}"
          - {name: score, call: demo.sleep, args: {seconds: 0.2}, timeout: 4s, retries: 6}
        """

    @Test("workers and supervisors are killed, tasks fail, hang and are late, and a batch with retries comes through")
    func kills() throws {
        let sandbox = try Sandbox()
        let plan = """
            faults:
              - {kill: worker, every: 300ms, times: 3}
              - {kill: supervisor, at: 500ms}
              - fail: {task: "resize-*", p: 0.2}
              - delay: {task: "resize-*", by: 100ms, p: 0.2}
              - hang: {task: score, attempt: 1}
            """
        let (document, finished) = try chaos(sandbox, Self.thumbnails, plan, "--seed", "3", "--expect", "ok")
        #expect(finished.code == 0, "\(finished)")
        let expected = ["held", "held", "held", "untested", "held", "held", "untested", "held", "untested"]
        #expect(states(document) == expected, "\(finished)")
        #expect(document["verdict"] == "held" && document["as_expected"] == true && document["seed"] == "3")
        let outcome = try outcome(document)
        #expect(outcome.tally.ok == 21)
        #expect(outcome.tasks.map(\.command) == [#"demo.sleep({"seconds":0.2})"#])
        #expect(outcome.groups.first?.tasks.first?.command == "sleep 0.1; echo 1")
        #expect(outcome.groups.first?.tasks.map(\.stdout) == (1...20).map { "\($0)\n" })
        guard case .array(let faults)? = document["faults"] else {
            Issue.record("no faults are told")
            return
        }
        let kinds = faults.map { fault -> String in
            guard case .object(let object) = fault, case .string(let what)? = object["what"] else { return "" }
            return what
        }
        // A worker that has just been killed may not be there for the next one.
        #expect(kinds.count { $0 == "kill" || $0 == "missed" } == 4)
        #expect(kinds.count { $0 == "hang" } == 1)
        #expect(kinds.contains("fail") && kinds.contains("delay"))
        expectNothingLeft(sandbox)
    }

    @Test("messages are lost, repeated, corrupted and late, connections break, and the batch comes out right")
    func messages() throws {
        let sandbox = try Sandbox()
        let plan = """
            faults:
              - frames: {drop: 0.05, duplicate: 0.1, corrupt: 0.05, delay: 5ms, disconnect: 0.3}
            """
        let (document, finished) = try chaos(sandbox, Self.thumbnails, plan, "--seed", "3", "--expect", "ok")
        #expect(finished.code == 0, "\(finished)")
        #expect(states(document).filter { $0 == "broken" }.isEmpty, "\(finished)")
        guard case .object(let messages)? = document["messages"] else {
            Issue.record("no messages are told")
            return
        }
        for key in ["dropped", "delayed", "duplicated", "corrupted"] {
            guard case .int(let count)? = messages[key] else {
                Issue.record("\(key) is not told")
                continue
            }
            #expect(count > 0, "\(key)")
        }
        expectNothingLeft(sandbox)
    }

    @Test("a coordinator and a worker that stop for a moment hold up the batch and no more")
    func freezes() throws {
        let sandbox = try Sandbox()
        let plan = """
            faults:
              - {freeze: worker, at: 200ms, for: 500ms}
              - {freeze: coordinator, at: 400ms, for: 700ms}
            """
        let (document, finished) = try chaos(sandbox, Self.thumbnails, plan, "--expect", "ok")
        #expect(finished.code == 0, "\(finished)")
        #expect(try outcome(document).tally.ok == 21)
        expectNothingLeft(sandbox)
    }

    @Test("a coordinator that is killed, and whose disk is full for a while, goes on from its journal")
    func restart() throws {
        let sandbox = try Sandbox()
        let plan = """
            faults:
              - {kill: coordinator, at: 300ms}
              - {fill: state, at: 1s, for: 1s}
            """
        let (document, finished) = try chaos(sandbox, Self.thumbnails, plan, "--expect", "ok")
        #expect(finished.code == 0, "\(finished)")
        #expect(states(document).filter { $0 == "broken" }.isEmpty, "\(finished)")
        #expect(try outcome(document).tally.ok == 21)
        expectNothingLeft(sandbox)
    }

    @Test("a batch without retries does not come through, and says so in its own words")
    func noRetries() throws {
        let sandbox = try Sandbox()
        let batch = "group: bare\ntasks:\n- {name: bad, run: 'exit 0'}\n- {name: long, run: sleep 60}\n"
        let plan = "faults:\n- fail: {task: bad, status: 7, message: no disk}\n"
        let (document, finished) = try chaos(sandbox, batch, plan, "--expect", "ok")
        #expect(finished.code == 1)
        #expect(document["verdict"] == "held" && document["as_expected"] == false)
        #expect(
            document["conclusion"]
                == "7 promises held, 2 not put to the test; the batch: it was to end ok, and ended with errors"
        )
        let expected = ["held", "held", "held", "held", "held", "held", "held", "untested", "untested"]
        #expect(states(document) == expected, "\(finished)")
        let failed = try #require(try outcome(document).tasks.first)
        #expect(failed.exitCode == 7 && failed.stderr == "cohort chaos: no disk\n" && failed.command == "exit 0")
        let again = try chaos(sandbox, batch, plan, "--expect", "errors")
        #expect(again.finished.code == 0)
        expectNothingLeft(sandbox)
    }

    @Test("a task that hangs without a timeout is told as what it is, in the time that was given")
    func hang() throws {
        let sandbox = try Sandbox()
        for timeout in ["1s", "8s", "30s"] {
            let (document, finished) = try chaos(
                sandbox,
                "grace: 100ms\ntasks: [{name: score, call: demo.sleep, args: {seconds: 0}}]",
                "faults: [{hang: {task: score}}]",
                "--timeout",
                timeout
            )
            // Where it has not begun by then, nothing is shown.
            if document["injected"] == .bool(false), timeout != "30s" { continue }
            #expect(finished.code == 1, "\(finished)")
            #expect(states(document)[5] == "untested" && document["verdict"] == "held", "\(finished)")
            return expectNothingLeft(sandbox)
        }
    }

    @Test("the same seed means the same, and says so beforehand")
    func dryRun() throws {
        let sandbox = try Sandbox()
        let batch = try sandbox.write("batch.yaml", Self.thumbnails)
        let plan = try sandbox.write(
            "plan.yaml",
            "faults:\n- {kill: worker, p: 0.5, times: 2}\n- fail: {task: \"resize-1*\", p: 0.2}\n- frames: {drop: 0.1, from: 1s}\n"
        )
        let first = try sandbox.cohort("chaos", batch, "--faults", plan, "--seed", "5", "--dry-run")
        #expect(first.code == 0 && first.standardError.isEmpty, "\(first)")
        #expect(first.lines.first == "21 tasks on 2 workers with 2 slots each, restarts 5/1m, seed 5")
        #expect(first.lines.contains("fault 3, line 4: messages: drop 0.1, from 1s"))
        #expect(first.lines.count { $0.hasPrefix("  at ") } == 2)
        #expect(first.lines.contains { $0.hasPrefix("  thumbnails/resize-1") })
        let again = try sandbox.cohort("chaos", batch, "--faults", plan, "--seed", "5", "--dry-run")
        #expect(again.output == first.output)
        let other = try sandbox.cohort("chaos", batch, "--faults", plan, "--seed", "6", "--dry-run")
        #expect(other.output != first.output)
    }

    @Test("a plan with a mistake runs nothing")
    func badPlan() throws {
        let sandbox = try Sandbox()
        let batch = try sandbox.write("batch.yaml", "tasks: [{run: ls}]")
        let plan = try sandbox.write("plan.yaml", "faults:\n- {kill: wroker, at: 1s}\n")
        let finished = try sandbox.cohort("chaos", batch, "--faults", plan)
        #expect(finished.code == 2 && finished.output.isEmpty)
        #expect(
            finished.standardError.contains("plan.yaml:2:10: 'kill' must be one of worker, supervisor, coordinator")
        )
    }

    @Test("a batch that is over before anything of the plan came about is told so, with a status of its own")
    func vain() throws {
        let sandbox = try Sandbox()
        let plan = "faults:\n- {kill: worker, at: 5m}\n"
        let (document, finished) = try chaos(sandbox, "tasks: [{run: 'true'}]", plan)
        #expect(finished.code == 4, "\(finished)")
        #expect(document["injected"] == .bool(false))
        guard case .string(let conclusion)? = document["conclusion"] else {
            Issue.record("no conclusion in \(finished)")
            return
        }
        #expect(conclusion.contains("nothing was injected"))
    }

    @Test("interrupted, it ends the batch and everything else")
    func interrupted() throws {
        let sandbox = try Sandbox()
        let gate = try sandbox.gate("gate")
        let batch = try sandbox.write("batch.yaml", "tasks: [{run: 'echo begun > \(gate.path); sleep 60'}]")
        let plan = try sandbox.write("plan.yaml", "faults: []")
        let program = try sandbox.startCohort("chaos", batch, "--faults", plan)
        try gate.await()
        program.send(SIGINT)
        let finished = try program.wait()
        #expect(finished.code == 130, "\(finished)")
        expectNothingLeft(sandbox)
    }

    @Test("killed, it takes everything with it, and the next run removes its files")
    func killed() throws {
        let sandbox = try Sandbox()
        let gate = try sandbox.gate("gate")
        let batch = try sandbox.write("batch.yaml", "tasks: [{run: 'echo begun > \(gate.path); sleep 60'}]")
        let plan = try sandbox.write("plan.yaml", "faults: []")
        let program = try sandbox.startCohort("chaos", batch, "--faults", plan)
        try gate.await()
        program.send(SIGKILL)
        _ = try program.wait()
        sandbox.expectNothingSurvives()
        let empty = try sandbox.write("empty.yaml", "tasks: [{run: 'true'}]")
        #expect(try sandbox.cohort("chaos", empty, "--faults", plan).code == 0)
        sandbox.expectNoSockets()
    }
}
