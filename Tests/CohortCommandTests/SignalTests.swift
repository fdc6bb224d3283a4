internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Signals and sudden ends")
    struct SignalTests {
        private let sandbox: Sandbox
        /// Tasks say here that they run.
        private let started: Gate

        init() throws {
            sandbox = try Sandbox()
            started = try sandbox.gate("started")
        }

        /// A batch of tasks that tidy up when they are asked to end, and would otherwise run for long.
        private let tidyBatch = """
            group: long
            grace: 10m
            tasks:
              - {name: tidy, run: "trap 'sleep 0.2; echo tidied > tidied; exit 9' TERM; echo up > started; sleep 315.5 & wait"}
              - {name: long, run: "sleep 314.5 & echo up > started; sleep 315.5"}
            """

        @Test(
            "A signal gives tasks their grace, the report is printed, and the status says which signal",
            arguments: [(SIGINT, 130), (SIGTERM, 143), (SIGHUP, 129)] as [(Int32, Int32)]
        )
        func firstSignal(signal: Int32, status: Int32) throws {
            let file = try sandbox.write("b.yaml", tidyBatch)
            let run = try sandbox.startCohort("run", file, "-j", "2")
            try started.await(lines: 2)
            run.send(signal)
            let finished = try run.wait()
            #expect(finished.code == status)
            #expect(sandbox.read("tidied") == "tidied\n")
            #expect(finished.standardError.contains("group long: cancelled"), "\(finished)")
            #expect(finished.standardError.contains("2 cancelled"))
            sandbox.expectNothingSurvives(within: .zero)
            sandbox.expectNoSockets()
        }

        @Test("After a signal the document is printed as well")
        func documentAfterSignal() throws {
            let file = try sandbox.write("b.yaml", tidyBatch)
            let run = try sandbox.startCohort("run", file, "-j", "2", "--output", "json")
            try started.await(lines: 2)
            run.send(SIGINT)
            let finished = try run.wait()
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            #expect(finished.code == 130)
            #expect(document.outcome == .cancelled)
            #expect(document.cancelled)
            #expect(document.tasks.map(\.outcome) == [.cancelled, .cancelled])
        }

        @Test("Map ends by a signal as run does, and starts nothing that still waits")
        func map() throws {
            let command = "echo up > started; echo {} >> ran; sleep 315.5"
            let map = try sandbox.startCohort("map", "-j", "2", command, ":::", "1", "2", "3", "4")
            try started.await(lines: 2)
            map.send(SIGINT)
            let finished = try map.wait()
            #expect(finished.code == 130)
            #expect(finished.standardError.contains("4 cancelled"), "\(finished)")
            sandbox.expectNothingSurvives(within: .zero)
            sandbox.expectNoSockets()
        }

        @Test("A second SIGINT kills at once what does not want to end")
        func secondSignal() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                grace: 1h
                tasks:
                  - {name: deaf, run: "trap '' TERM; echo up > started; while :; do sleep 315.5; done"}
                """
            )
            let run = try sandbox.startCohort("run", file)
            try started.await()
            run.send(SIGINT)
            try run.waitForError("interrupted")
            run.send(SIGINT)
            let finished = try run.wait()
            #expect(finished.code == 130)
            #expect(finished.standardError.contains("1 cancelled"), "\(finished)")
            sandbox.expectNothingSurvives(within: .zero)
            sandbox.expectNoSockets()
        }

        /// Waits until a program can write no more to its stdout.
        private func untilStalled(_ program: Program) throws {
            let end = ContinuousClock.now + Program.patience
            while program.unreadOutput < 4_000 || program.unreadOutput + 4_096 <= program.outputRoom {
                guard ContinuousClock.now < end else { throw Overrun(description: "little output: \(program.soFar)") }
                usleep(2_000)
            }
        }

        @Test("Signals are heard while nobody reads the output: the first cancels, the second ends the run")
        func unreadOutput() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                grace: 1h
                tasks:
                  - {name: much, run: "head -c 10000000 /dev/zero"}
                  - {name: tidy, run: "trap 'echo ended > started; exit 9' TERM; echo up > started; sleep 315.5 & wait"}
                """
            )
            let run = try sandbox.startCohort("run", file, "-j", "2")
            #expect(try started.await() == ["up"])
            try untilStalled(run)
            run.send(SIGINT)
            #expect(try started.await() == ["ended"])
            run.send(SIGINT)
            let finished = try run.waitUnread()
            #expect(finished.code == 130, "\(finished)")
            #expect(finished.output.count < 1_000_000)
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }

        @Test("A run that was killed ends, and reports, though nobody reads what its tasks have printed")
        func unreadAfterKill() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                grace: 1h
                on_error: continue
                tasks:
                  - {name: stubborn, run: "trap '' TERM; echo up > started; head -c 200000 /dev/zero; sleep 316.5"}
                """
            )
            let run = try sandbox.startCohort("run", file)
            #expect(try started.await() == ["up"])
            run.send(SIGINT)
            try run.waitForError("waiting for running tasks to end")
            run.send(SIGINT)
            let finished = try run.waitUnread()
            #expect(finished.code == 130, "\(finished)")
            #expect(finished.standardError.contains("1 cancelled"), "\(finished)")
            sandbox.expectNothingSurvives()
        }

        @Test("Who prints what has ended and is not read ends with the first signal")
        func unreadDocument() throws {
            let cluster = try Cluster(sandbox)
            let worker = try cluster.worker("one")
            // More than a pipe takes, though of each task only the last part is kept.
            let number = try cluster.submit(
                "tasks: [{for_each: {n: [1, 2, 3, 4]}, run: 'head -c 100000 /dev/zero'}]"
            )
            #expect(try cluster.wait(number).code == 0)
            for words in [["wait", number], ["status", number, "--output", "json"]] {
                let reader = try sandbox.start(["cohort"] + words + ["--connect", cluster.endpoint], input: [])
                try untilStalled(reader)
                reader.send(SIGTERM)
                let finished = try reader.waitUnread()
                #expect(finished.code == 143, "\(words): \(finished.status) \(finished.standardError)")
            }
            withExtendedLifetime(worker) {}
        }

        @Test("A second SIGINT ends shielded tasks too")
        func secondSignalAgainstShield() throws {
            let file = try sandbox.write(
                "b.yaml",
                "tasks: [{name: kept, shield: true, run: 'echo up > started; sleep 315.5'}]"
            )
            let run = try sandbox.startCohort("run", file)
            try started.await()
            run.send(SIGINT)
            try run.waitForError("interrupted")
            run.send(SIGINT)
            #expect(try run.wait().code == 130)
            sandbox.expectNothingSurvives(within: .zero)
        }

        @Test("SIGKILL of the client leaves nothing 2 s later, what tasks have put in the background included")
        func killedClient() throws {
            let file = try sandbox.write(
                "b.yaml",
                """
                tasks:
                  - {run: "echo up > started; sleep 315.5"}
                  - {run: "setsid sh -c 'trap \\"\\" TERM HUP INT; echo up > started; while :; do sleep 314.5; done' & sleep 315.5"}
                  - {call: demo.spin}
                """
            )
            let run = try sandbox.startCohort("run", file, "-j", "4")
            try started.await(lines: 2)
            run.send(SIGKILL)
            _ = try run.wait()
            sandbox.expectNothingSurvives(within: .seconds(2))
            sandbox.expectNoSockets()
        }

        @Test(
            "When a process of the pool's worker is killed the run ends and tells so; nothing survives",
            arguments: WorkerPart.allCases
        )
        func killedWorker(part: WorkerPart) throws {
            let file = try sandbox.write("b.yaml", tidyBatch)
            let run = try sandbox.startCohort("run", file, "-j", "2", "--output", "json")
            try started.await(lines: 2)
            try sandbox.waitUntilRunning(2, at: try sandbox.privateEndpoint)
            kill(try sandbox.processID(of: part), SIGKILL)
            let finished = try run.wait()
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            #expect(finished.code == 1)
            #expect(document.outcome == .errors)
            #expect(document.tasks.allSatisfy { $0.outcome == .lost }, "\(finished)")
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }

        @Test("When no worker will come any more the run ends with status 3 and says why; nothing survives")
        func noWorkerLeft() throws {
            let file = try sandbox.write(
                "b.yaml",
                "on_error: continue\nlimit: 1\ntasks:\n"
                    + (1...20).map { "  - {name: killer-\($0), run: 'kill -9 $PPID; sleep 315.5'}\n" }.joined()
            )
            let run = try sandbox.startCohort("run", file, "-j", "1", "--output", "json")
            let finished = try run.wait()
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            // As many as there were workers: the first, and five more.
            #expect(document.tally == OutcomeCounts(cancelled: 14, lost: 6), "\(finished)")
            #expect(finished.code == 3)
            #expect(finished.standardError.contains("no worker is left"), "\(finished)")
            #expect(finished.standardError.contains("given up after 5 restarts"), "\(finished)")
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }

        @Test("When the pool's coordinator is killed the run ends with status 3; nothing survives")
        func killedCoordinator() throws {
            let file = try sandbox.write("b.yaml", tidyBatch)
            let run = try sandbox.startCohort("run", file, "-j", "2")
            try started.await(lines: 2)
            for process in sandbox.processes.running() where process.command.contains(" coordinator --bind") {
                kill(process.pid, SIGKILL)
            }
            let finished = try run.wait()
            #expect(finished.code == 3)
            #expect(finished.standardError.contains("coordinator"), "\(finished)")
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
        }
    }
}
