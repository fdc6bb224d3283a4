internal import Cohort
internal import FoundationEssentials
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// Commands that look at a group of somebody else, and change at most its deadline.
    @Suite("Observing a group")
    struct ObservingTests {
        private let sandbox: Sandbox
        private let cluster: Cluster
        private let worker: Program
        /// The slow task waits here.
        private let go: Gate
        /// Tasks say here that they run.
        private let started: Gate

        init() throws {
            sandbox = try Sandbox()
            cluster = try Cluster(sandbox)
            worker = try cluster.worker("one", slots: 3)
            go = try sandbox.gate("go")
            started = try sandbox.gate("started")
        }

        private func slowAnd(_ task: String) throws -> String {
            try cluster.submit(
                "on_error: continue\ntasks:\n  - {name: slow, run: 'read x < \(go.path)'}\n  - \(task)"
            )
        }

        @Test("status of a run of somebody else counts what has ended, runs and waits, and names what runs")
        func attached() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                group: mine
                limit: 1
                tasks:
                  - {name: first, run: echo first}
                  - {name: slow, run: "echo > \(started.path); read x < \(go.path)"}
                  - {name: next, run: echo next}
                  - {group: inner, tasks: [{name: deep, run: "echo > \(started.path); read x < \(go.path)"}]}
                """
            )
            let run = try cluster.start("run", file)
            try started.await(lines: 2)
            try cluster.waitUntilRunning(2)
            let shown = try cluster.cohort("status", "mine", "--output", "json")
            let document = try OutcomeDocument(jsonText: shown.standardOutput)
            #expect(document.counts == OutcomeCounts(ok: 1), "\(shown)")
            #expect(document.unfinished?.running == 2 && document.unfinished?.queued == 1, "\(shown)")
            #expect(document.unfinished?.tasks.map(\.name) == ["slow"])
            #expect(document.groups.first?.unfinished?.tasks.map(\.name) == ["deep"])
            #expect(try cluster.cohort("status", "mine").standardOutput.contains("\ninner/deep"))
            let waiting = try cluster.start("wait", "mine", "--output", "json")
            // It has asked by the time at which there are two clients, and one that asks after it has been answered.
            try cluster.wait(until: "run and wait are there") { $0.clients >= 3 }
            go.open(times: 2)
            #expect(try run.wait().code == 0)
            let told = try waiting.wait()
            #expect(try OutcomeDocument(jsonText: told.standardOutput).tally == OutcomeCounts(ok: 4), "\(told)")
        }

        @Test("wait --until first-completed ends with the first task, and leaves the others alone")
        func firstCompleted() throws {
            let quick = try sandbox.gate("quick")
            let number = try slowAnd("{name: quick, run: 'read x < \(quick.path); echo here'}")
            try cluster.waitUntilRunning(2)
            quick.open()
            let first = try cluster.cohort("wait", number, "--until", "first-completed")
            #expect(first.code == 0)
            #expect(first.standardOutput == "here\n")
            #expect(first.standardError.contains("task quick: ok"))
            #expect(try cluster.status().groups.first?.counts["running"] == 1)
            go.open(times: 1)
            #expect(try cluster.wait(number).document.tasks.map(\.outcome) == [.ok, .ok])
        }

        @Test("wait --until first-failed passes over what ends well, and exits with 1")
        func firstFailed() throws {
            let number = try slowAnd("{name: fine, run: 'true'}\n  - {name: bad, run: 'exit 8'}")
            let failed = try cluster.cohort("wait", number, "--until", "first-failed", "--output", "json")
            #expect(failed.code == 1)
            let result = try JSONDecoder().decode(TaskResult.self, from: Data(failed.standardOutput.utf8))
            #expect(result.name == "bad")
            go.open(times: 1)
            #expect(try cluster.wait(number).code == 1)
        }

        @Test("Where no task fails, wait --until first-failed ends with the group")
        func noneFailed() throws {
            let number = try cluster.submit("tasks: [{run: 'true'}]")
            #expect(try cluster.cohort("wait", number, "--until", "first-failed").code == 0)
        }

        @Test("wait --timeout gives up waiting with status 124, and the group goes on")
        func waitingTooLong() throws {
            let number = try slowAnd("{run: 'true'}")
            let late = try cluster.cohort("wait", number, "--timeout", "100ms")
            #expect(late.code == 124)
            #expect(late.standardError.contains("has not ended; it goes on"))
            go.open(times: 1)
            #expect(try cluster.wait(number).code == 0)
        }

        @Test("extend +TIME adds to the deadline there is, and says where there is none")
        func extendingByMore() throws {
            let number = try cluster.submit("timeout: 1h\ntasks: [{run: 'read x < \(go.path)'}]")
            #expect(try cluster.cohort("extend", number, "+2h").code == 0)
            let left = try #require(try cluster.status().groups.first?.deadlineIn)
            #expect((10_700...10_800).contains(left))
            #expect(try cluster.cohort("extend", number, "none").code == 0)
            let refused = try cluster.cohort("extend", number, "+30s")
            #expect(refused.code == 2)
            #expect(refused.standardError.contains("has no deadline to extend"))
            go.open(times: 1)
            #expect(try cluster.wait(number).code == 0)
        }

        @Test("status --watch shows each change of a group, and ends with it")
        func watching() throws {
            let number = try slowAnd("{name: quick, run: 'true'}")
            let watch = try cluster.start("status", number, "--watch", "--interval", "10ms", "--output", "jsonl")
            try watch.waitForOutput("\"ok\": 1")
            go.open(times: 1)
            let lines = try watch.wait().lines
            let documents = try lines.map { try OutcomeDocument(jsonText: $0) }
            let half = try #require(documents.first { $0.counts?.ok == 1 })
            #expect(half.unfinished?.tasks.map(\.name) == ["slow"])
            #expect(half.tasks.map(\.name) == ["quick"])
            #expect(documents.last?.outcome == .ok && documents.last?.unfinished == nil)
            // Each differs from the one before in more than its times.
            let states = documents.map { document in
                "\(document.counts, default: "-") \(document.unfinished?.running ?? 0) \(document.tasks.map(\.name))"
            }
            #expect(zip(states, states.dropFirst()).allSatisfy { $0 != $1 }, "\(states)")
        }

        @Test("status --watch of a run of somebody else follows what is open in it, and counts what has closed once")
        func watchingAttached() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                group: mine
                tasks:
                  - {name: slow, run: "read x < \(go.path)"}
                  - {group: inner, tasks: [{name: quick, run: "read x < \(started.path)"}]}
                """
            )
            let run = try cluster.start("run", file)
            try cluster.waitUntilRunning(2)
            let watch = try cluster.start("status", "mine", "--watch", "--interval", "10ms")
            try watch.waitForOutput("\ninner/quick")
            started.open(times: 1)
            try watch.waitForOutput("group mine: running: 1 ok, 1 running in")
            go.open(times: 1)
            #expect(try run.wait().code == 0)
            let shown = try watch.wait()
            #expect(shown.code == 0)
            #expect(shown.lines.last { !$0.isEmpty }?.hasPrefix("group mine: ok: 2 ok in") == true, "\(shown)")
        }

        @Test("status and wait say why none of a group's tasks runs")
        func waiting() throws {
            let reason = "no worker offers missing.function"
            let number = try cluster.submit("tasks: [{group: inner, tasks: [{call: missing.function}]}]")
            let shown = try cluster.cohort("status", number).standardOutput
            #expect(shown.hasSuffix("\nwaiting: \(reason)\n"), "\(shown)")
            let json = try cluster.cohort("status", number, "--output", "json").standardOutput
            let document = try OutcomeDocument(jsonText: json)
            #expect(document.unfinished?.waiting == reason && document.unfinished?.queued == 1)
            let wait = try cluster.start("wait", number, "--output", "json")
            try wait.waitForError("cohort: no task has started yet: \(reason)\n")
            #expect(try cluster.cohort("cancel", number).code == 0)
            let told = try wait.wait()
            #expect(told.code == 125)
            #expect(try OutcomeDocument(jsonText: told.standardOutput).outcome == .cancelled)
        }
    }
}
