internal import Cohort
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("cohort run")
    struct RunTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        // MARK: Failure policies

        @Test("One of eight fails: the others are cancelled with all they have started, long before they would end")
        func failureCancels() throws {
            let running = try sandbox.gate("running")
            let wait = "for task in 1 2 3 4 5 6 7; do read x < running; done"
            var batch = "grace: 10m\ntasks:\n  - {name: bad, run: '\(wait); echo no luck >&2; exit 3'}\n"
            for number in 1...7 {
                batch += "  - {name: long-\(number), run: [sh, -c, 'sleep 314.5 & echo up > running; sleep 315.5']}\n"
            }
            let (document, finished) = try sandbox.run(batch, "-j", "8")
            withExtendedLifetime(running) {}
            #expect(finished.code == 1)
            #expect(document.outcome == .errors)
            #expect(document.elapsed < Program.patience)
            #expect(document.tally == OutcomeCounts(error: 1, cancelled: 7))
            let bad = document.tasks[0]
            #expect(bad.outcome == .error)
            #expect(bad.exitCode == 3)
            #expect(bad.stderr == "no luck\n")
            #expect(document.tasks.dropFirst().allSatisfy { $0.outcome == .cancelled && $0.started && !$0.forced })
            let leaf = try #require(document.error?.leaves.first)
            #expect(document.error?.count == 1)
            #expect(leaf.type == .commandFailed)
            #expect(leaf.exitCode == 3)
            #expect(leaf.stderr == "no luck\n")
            #expect(leaf.worker != nil && leaf.host != nil)
            sandbox.expectNothingSurvives(within: .zero)
            sandbox.expectNoSockets()
        }

        @Test("on_error: continue runs all 200, tells all 50 failures and keeps the 150 results")
        func continuePolicy() throws {
            let (document, finished) = try sandbox.run(
                """
                group: sweep
                on_error: continue
                for_each: {n: {range: [1, 200]}}
                run: 'if [ $(({n} % 4)) -eq 0 ]; then echo bad {n} >&2; exit 9; else echo good {n}; fi'
                """
            )
            #expect(finished.code == 1)
            #expect(document.tally == OutcomeCounts(ok: 150, error: 50))
            #expect(document.error?.leaves.count == 50)
            #expect(document.error?.leaves.allSatisfy { $0.exitCode == 9 && $0.stderr.hasPrefix("bad ") } == true)
            let good = document.tasks.filter { $0.outcome == .ok }.map(\.stdout)
            #expect(good == (1...200).filter { $0 % 4 != 0 }.map { "good \($0)\n" })
        }

        @Test("on_error: first takes the quickest success and cancels the rest")
        func firstPolicy() throws {
            let (document, finished) = try sandbox.run(
                """
                on_error: first
                tasks:
                  - {name: slow, run: sleep 315.5}
                  - {name: broken, run: exit 1}
                  - {name: quick, run: echo found}
                  - {name: slower, run: sleep 315.5}
                """,
                "-j",
                "2"
            )
            #expect(finished.code == 0)
            #expect(document.outcome == .ok)
            let outcomes = Dictionary(uniqueKeysWithValues: document.tasks.map { ($0.name, $0.outcome) })
            #expect(outcomes == ["slow": .cancelled, "broken": .error, "quick": .ok, "slower": .cancelled])
            sandbox.expectNothingSurvives(within: .zero)
        }

        @Test("on_error: first with no success tells every failure")
        func firstPolicyAllFail() throws {
            let (document, finished) = try sandbox.run(
                "on_error: first\ntasks: [{run: exit 1}, {run: exit 2}, {run: exit 4}]"
            )
            #expect(finished.code == 1)
            #expect(document.error?.leaves.compactMap(\.exitCode).sorted() == [1, 2, 4])
        }

        @Test("The errors of a nested group are a node of the outer group's tree")
        func nestedGroups() throws {
            let (document, finished) = try sandbox.run(
                """
                group: outer
                on_error: continue
                tasks:
                  - {name: fine, run: echo fine}
                  - group: inner
                    on_error: continue
                    tasks:
                      - {name: one, run: exit 11}
                      - {name: two, run: exit 12}
                  - {name: alone, run: exit 13}
                """
            )
            #expect(finished.code == 1)
            guard case .group(let outer) = document.error else { throw Overrun(description: "no group: \(finished)") }
            #expect(outer.group == "outer")
            #expect(outer.errors.count == 2)
            let inner = outer.errors.lazy.compactMap { node in
                if case .group(let group) = node { group } else { nil }
            }.first
            #expect(inner?.group == "inner")
            #expect(inner?.errors.flatMap(\.leaves).compactMap(\.exitCode).sorted() == [11, 12])
            #expect(document.groups.map(\.group) == ["inner"])
            #expect(document.groups.first?.outcome == .errors)
            #expect(document.groups.first?.version == nil)
            #expect(document.tally == OutcomeCounts(ok: 1, error: 3))
        }

        @Test("A failure in a nested group cancels the outer group, and the text report draws the tree")
        func nestedFailureSpreads() throws {
            let file = try sandbox.write(
                "nested.yaml",
                """
                group: outer
                tasks:
                  - {name: long, run: sleep 315.5}
                  - group: inner
                    tasks:
                      - {name: bad, run: "echo broken >&2; exit 5"}
                """
            )
            let finished = try sandbox.cohort("run", file, "-j", "2")
            #expect(finished.code == 1)
            for text in [
                "1 error in group outer", "└─ group inner: 1 error", "└─ bad: exit status 5", "broken", "1 cancelled",
            ] {
                #expect(finished.standardError.contains(text), "\(finished)")
            }
            sandbox.expectNothingSurvives(within: .zero)
        }

        @Test("A shielded task is not cancelled by a sibling's failure; the group waits for it")
        func shield() throws {
            let go = try sandbox.gate("go")
            let (document, finished) = try sandbox.run(
                """
                tasks:
                  - {name: commit, shield: true, run: "read x < go; sleep 0.3; echo saved"}
                  - {name: other, run: sleep 315.5}
                  - {name: bad, run: "echo go > go; exit 1"}
                """,
                "-j",
                "3"
            )
            #expect(finished.code == 1)
            #expect(document.tasks.map(\.outcome) == [.ok, .cancelled, .error])
            #expect(document.tasks[0].stdout == "saved\n")
            withExtendedLifetime(go) {}
        }

        @Test("limit bounds how many tasks of a group run at once, whatever the slots")
        func limit() throws {
            let (started, go) = (try sandbox.gate("started"), try sandbox.gate("go"))
            let file = try sandbox.write(
                "b.yaml",
                """
                limit: 2
                for_each: {n: {range: [1, 10]}}
                run: 'echo + >> log; echo up > started; read x < go; echo - >> log'
                """
            )
            let run = try sandbox.startCohort("run", file, "-j", "8")
            try started.await(lines: 2)
            go.open(times: 10)
            #expect(try run.wait().code == 0)
            let log = try #require(sandbox.read("log"))
            #expect(log.split(separator: "\n").count == 20)
            #expect(log.mostAtOnce == 2)
        }

        // MARK: Deadlines

        @Test("Ten tasks under a timeout end with status 124, and one that ignores SIGTERM is forced")
        func deadline() throws {
            let hasShown = try [1, 8, 30].contains { try deadline(seconds: $0) }
            #expect(hasShown, "they have not all begun")
        }

        /// - Returns: false if not all tasks had begun by then, and nothing was shown.
        private func deadline(seconds: Int) throws -> Bool {
            // Each kind has a grace of its own: what ends by itself is not forced, however slow the machine is.
            var batch = "group: hasty\ntimeout: \(seconds)s\ngrace: 10m\ntasks:\n"
            for _ in 1...9 { batch += "  - {run: 'echo up >> up-\(seconds); sleep 305.5'}\n" }
            let deaf = "trap '' TERM; echo up >> up-\(seconds); while :; do sleep 305.5; done"
            batch += "  - {group: deaf, grace: 500ms, tasks: [{name: deaf, run: \"\(deaf)\"}]}\n"
            let (document, finished) = try sandbox.run(batch, "-j", "10")
            guard sandbox.read("up-\(seconds)")?.split(separator: "\n").count == 10 else { return false }
            #expect(finished.code == 124)
            #expect(document.outcome == .timeout)
            #expect(document.timedOut)
            #expect(document.deadlineOf == "hasty")
            #expect(document.elapsed >= .seconds(seconds))
            #expect(document.elapsed < .seconds(seconds) + Program.patience)
            #expect(document.tally.cancelled == 10)
            #expect(document.tasks.allSatisfy { !$0.forced })
            #expect(document.groups.flatMap(\.tasks).map(\.forced) == [true])
            sandbox.expectNothingSurvives(within: .zero)
            return true
        }

        @Test("A deadline ends tasks that spin or take no notice by force, calls too")
        func stubbornCalls() throws {
            let hasShown = try [600, 5_000, 30_000].contains { try stubbornCalls(milliseconds: $0) }
            #expect(hasShown, "they have not all begun")
        }

        /// - Returns: false if not all calls had begun by then, and nothing was shown.
        private func stubbornCalls(milliseconds: Int) throws -> Bool {
            let (document, finished) = try sandbox.run(
                """
                timeout: \(milliseconds)ms
                grace: 300ms
                tasks:
                  - {name: spin, call: demo.spin}
                  - {name: stubborn, call: demo.stubborn}
                  - {group: polite, grace: 10m, tasks: [{name: sleep, call: demo.sleep, args: 315.5}]}
                """,
                "-j",
                "3"
            )
            let tasks = document.tasks + document.groups.flatMap(\.tasks)
            guard tasks.allSatisfy(\.started) else { return false }
            #expect(finished.code == 124)
            #expect(tasks.map(\.outcome) == [.cancelled, .cancelled, .cancelled])
            #expect(tasks.map(\.forced) == [true, true, false])
            #expect(document.elapsed < .milliseconds(milliseconds) + Program.patience)
            sandbox.expectNothingSurvives(within: .zero)
            return true
        }

        @Test("The report names the deadline that fired, that of a nested group too")
        func nestedDeadline() throws {
            let (document, finished) = try sandbox.run(
                """
                group: outer
                timeout: 10m
                on_error: continue
                tasks:
                  - {name: fine, run: echo fine}
                  - {group: inner, timeout: 300ms, tasks: [{run: sleep 315.5}]}
                """
            )
            #expect(finished.code == 1)
            #expect(document.groups.first?.outcome == .timeout)
            #expect(document.groups.first?.deadlineOf == "inner")
            let leaf = try #require(document.error?.leaves.first)
            #expect(leaf.type == .groupTimeout)
            #expect(leaf.group == "inner")
        }

        @Test("A task's own timeout is an error of the task")
        func taskTimeout() throws {
            let (document, finished) = try sandbox.run("tasks: [{name: slow, run: sleep 315.5, timeout: 300ms}]")
            #expect(finished.code == 1)
            #expect(document.tasks.first?.outcome == .timeout)
            #expect(document.error?.leaves.first?.type == .taskTimeout)
        }

        // MARK: Retries

        @Test("A task that fails twice is tried again after its backoff, and then counts as a success")
        func retries() throws {
            let (document, finished) = try sandbox.run(
                """
                tasks:
                  - name: flaky
                    run: 'echo $COHORT_ATTEMPT >> count; test $(wc -l < count) -ge 3 && echo done'
                    retries: {limit: 3, backoff: 200ms}
                """
            )
            #expect(finished.code == 0)
            let task = try #require(document.tasks.first)
            #expect(task.outcome == .ok)
            #expect(task.attempts == 3)
            #expect(task.stdout == "done\n")
            #expect(sandbox.read("count") == "1\n2\n3\n")
            #expect(document.elapsed >= .milliseconds(400))
        }

        @Test("A task that fails for good is one leaf, with its last attempt")
        func retriesSpent() throws {
            let (document, finished) = try sandbox.run(
                "tasks: [{name: hopeless, run: 'echo try $COHORT_ATTEMPT >&2; exit 6', retries: 2}]"
            )
            #expect(finished.code == 1)
            let leaf = try #require(document.error?.leaves.first)
            #expect(document.error?.count == 1)
            #expect(leaf.attempt == 3)
            #expect(leaf.attempts == 3)
            #expect(leaf.stderr == "try 3\n")
        }
    }
}
