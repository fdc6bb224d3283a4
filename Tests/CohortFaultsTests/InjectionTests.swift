internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortFaults
internal import Testing

@Suite("What happens to which task")
struct InjectionTests {
    private func batch(_ text: String, _ plan: String, seed: UInt64 = 1) throws -> ChaosBatch {
        try ChaosBatch(
            BatchFile.parse(text, fileName: "batch.yaml").root,
            FaultFile.parse(plan, fileName: "plan.yaml"),
            seed: seed
        )
    }

    private static let thousand = "for_each: {n: {range: [1, 1000]}}\nname: 'n-{n}'\nrun: 'true'\nretries: 1\n"

    /// The tasks whose first or second attempt fails.
    private func failing(seed: UInt64, attempt: Int = 1) throws -> [String] {
        let batch = try batch(Self.thousand, "faults: [{fail: {task: 'n-*', p: 0.1}}]", seed: seed)
        return batch.tasks.filter { batch.order(for: $0).decision(attempt: attempt).ending != nil }.map(\.path)
    }

    @Test("the same seed strikes the same attempts, another one strikes others, and about as many as it should")
    func seeds() throws {
        let first = try failing(seed: 7)
        #expect(try failing(seed: 7) == first)
        #expect(try failing(seed: 8) != first)
        #expect(try failing(seed: 7, attempt: 2) != first)
        for seed in 1...5 as ClosedRange<UInt64> { #expect((60...140).contains(try failing(seed: seed).count)) }
    }

    @Test("patterns are for names, and with a slash for paths")
    func patterns() throws {
        let text = """
            tasks:
              - {name: fetch, run: ls}
              - {group: thumbs, tasks: [{name: fetch, run: ls}, {name: "a[1]", run: ls}]}
            """
        let struck = { (pattern: String) in
            try self.batch(text, "faults: [{hang: {task: '\(pattern)'}}]").tasks.filter { !$0.rules.isEmpty }.map(
                \.path
            )
        }
        #expect(try struck("fetch") == ["fetch", "thumbs/fetch"])
        #expect(try struck("thumbs/*") == ["thumbs/fetch", "thumbs/a[1]"])
        #expect(try struck("f*h") == ["fetch", "thumbs/fetch"])
        #expect(try struck("a[1]") == ["thumbs/a[1]"])
    }

    @Test("a pattern that fits no task is an error with its place: it would test nothing")
    func noTask() throws {
        let error = #expect(throws: ChaosError.self) {
            try batch("tasks: [{name: a, run: ls}]", "faults:\n- hang: {task: b}\n")
        }
        #expect(error?.description == "plan.yaml:2:3: no task of the batch is called 'b'; there are a")
    }

    @Test("delays add up, only the named attempt is struck, and of failure and hang the first in the plan counts")
    func decisions() throws {
        let plan = """
            faults:
              - delay: {task: a, by: 1s}
              - delay: {task: a, by: 500ms, attempt: 2}
              - fail: {task: a, attempt: 2, status: 9, message: no}
              - hang: {task: a}
            """
        let batch = try batch("tasks: [{name: a, run: ls, retries: 2}]", plan)
        let order = batch.order(for: batch.tasks[0])
        let first = order.decision(attempt: 1)
        #expect(first.delay == .seconds(1) && first.ending == .hang && first.rules == [0, 3])
        let second = order.decision(attempt: 2)
        #expect(second.delay == .milliseconds(1_500) && second.ending == .fail(status: 9, message: "no"))
        #expect(second.rules == [0, 1, 2])
    }

    @Test("moments and workers come from the seed alone, in the order of time")
    func schedule() throws {
        let plan = try FaultFile.parse(
            """
            faults:
              - {kill: worker, every: 2s, times: 3}
              - {freeze: coordinator, at: 3s, for: 1s}
              - {kill: supervisor, p: 0.5}
            pool: {workers: 3}
            """,
            fileName: "plan.yaml"
        )
        let entries = { (seed: UInt64) in
            var schedule = FaultSchedule(plan, seed: seed, horizon: .seconds(60))
            var found: [FaultSchedule.Entry] = []
            while let entry = schedule.next() { found.append(entry) }
            return found
        }
        let all = entries(5)
        #expect(all == entries(5))
        #expect(all != entries(6))
        #expect(all.map(\.at) == all.map(\.at).sorted())
        #expect(all.filter { $0.rule == 0 }.map(\.at) == [.seconds(2), .seconds(4), .seconds(6)])
        #expect(all.filter { $0.rule == 1 }.map(\.at) == [.seconds(3)])
        #expect((15...45).contains(all.filter { $0.rule == 2 }.count))
        #expect(Set(all.map(\.worker)) == [0, 1, 2])
    }

    @Test("the rewritten batch is one that cohort run reads, and asks for the same")
    func document() throws {
        let text = """
            group: all
            timeout: 1m
            on_error: continue
            limit: 3
            grace: 1.5
            env: {A: "x y"}
            tasks:
              - {name: "a\\u0085b{c}", run: [printf, "%s\\n", "{x}"], timeout: 2s, retries: {limit: 2, backoff: 10ms}, cwd: /tmp}
              - {name: sh, run: "cat; echo \\"$A\\"", stdin: "1\\u0000\\n2", shield: true}
              - {group: inner, on_error: first, shield: true, tasks: [{name: call, call: demo.echo, args: {k: [1, null]}}]}
            """.replacing("\\u0085", with: "é")
        let plan = try BatchFile.parse(text, fileName: "batch.yaml")
        let batch = try ChaosBatch(plan.root, FaultPlan(faults: []), seed: 1)
        let rewritten = try BatchFile.parse(
            batch.document(program: "/bin/cohort", evidence: "/tmp/e"),
            fileName: "batch.json"
        )
        let again = try ChaosBatch(rewritten.root, FaultPlan(faults: []), seed: 1)
        #expect(again.tasks.map(\.path) == batch.tasks.map(\.path))
        #expect(again.groups.map(\.policy) == [.continue, .first])
        #expect(again.groups.map(\.grace) == [.milliseconds(1_500), .milliseconds(1_500)])
        #expect(rewritten.root.timeout == .seconds(60) && rewritten.root.limit == 3)
        for (new, old) in zip(again.tasks, batch.tasks) {
            #expect(new.plan.timeout == old.plan.timeout && new.plan.retries == old.plan.retries)
            #expect(new.plan.shield == old.plan.shield && new.plan.stdin == old.plan.stdin)
            #expect(new.plan.workingDirectory == old.plan.workingDirectory)
            if !old.isCall { #expect(new.plan.environment.starts(with: old.plan.environment)) }
        }
        guard case .argv(let words) = again.tasks[0].plan.work else {
            Issue.record("a command has become something else")
            return
        }
        #expect(words.map { String(decoding: $0, as: UTF8.self) }.suffix(4) == ["--", "printf", "%s\n", "{x}"])
        guard case .call(let function, _) = again.tasks[2].plan.work else {
            Issue.record("a call has become something else")
            return
        }
        #expect(function == ChaosBatch.standInFunction)
    }

    @Test("evidence is read as it was written, and nothing else is")
    func evidence() {
        let facts: [Evidence.Fact] = [.started, .injected(rule: 3), .exited(code: 255), .signalled(9)]
        for fact in facts {
            let evidence = Evidence(
                fact,
                task: 12,
                attempt: 2,
                process: 4_711,
                parent: 4_700,
                at: .init(nanoseconds: 5)
            )
            #expect(Evidence(line: evidence.line[...]) == evidence)
        }
        for line in [
            "", "start", "start 1 1 2 3", "start 1 1 2 3 4 5", "exit 1 1 2 3 4", "stop 1 1 2 3 4", "start -1 1 2 3 4",
        ] {
            #expect(Evidence(line: line[...]) == nil)
        }
    }
}
