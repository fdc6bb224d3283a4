internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("A coordinator and workers")
    struct ClusterTests {
        private let sandbox: Sandbox
        private let cluster: Cluster
        /// Tasks say here that they run, and who runs them.
        private let started: Gate
        /// Tasks wait here.
        private let go: Gate

        init() throws {
            sandbox = try Sandbox()
            cluster = try Cluster(sandbox)
            started = try sandbox.gate("started")
            go = try sandbox.gate("go")
        }

        // MARK: The commands

        @Test("submit prints a number, by which status, wait and cancel know the group; so does its name")
        func submitAndWait() throws {
            let one = try cluster.worker("one")
            let two = try cluster.worker("two")
            let number = try cluster.submit(
                """
                group: nightly
                tasks:
                  - {name: a, run: "echo up > \(started.path); read x < \(go.path); echo done a"}
                  - {name: b, run: "echo up > \(started.path); read x < \(go.path); echo done b"}
                """
            )
            try started.await(lines: 2)
            try cluster.waitUntilRunning(2)
            let status = try cluster.cohort("status")
            #expect(status.code == 0)
            #expect(status.standardOutput.contains("nightly"))
            #expect(status.standardOutput.contains("running"))
            #expect(status.standardOutput.contains("2 workers with 4 slots"))
            let group = try #require(try cluster.status().groups.first)
            #expect(group.id == number)
            #expect(group.counts["running"] == 2)
            let soFar = try OutcomeDocument(
                jsonText: try cluster.cohort("status", number, "--output", "json").standardOutput
            )
            #expect(soFar.group == "nightly")
            let left = try #require(soFar.unfinished)
            #expect(left.running == 2 && left.queued == 0)
            #expect(left.tasks.map(\.name) == ["a", "b"])
            #expect(left.tasks.allSatisfy { ["one", "two"].contains($0.worker) && $0.host != nil })
            let text = try cluster.cohort("status", "nightly").lines
            #expect(text.first?.hasPrefix("group nightly: running: 2 running in ") == true, "\(text)")
            #expect(text.count == 4 && text[2].hasPrefix("a") && text[3].hasPrefix("b"), "\(text)")
            let byName = try cluster.start("wait", "nightly", "--output", "json")
            go.open(times: 2)
            let (document, code) = try cluster.wait(number)
            #expect(code == 0)
            #expect(document.outcome == .ok)
            #expect(document.tasks.map(\.stdout) == ["done a\n", "done b\n"])
            let named = try OutcomeDocument(jsonText: try byName.wait().standardOutput)
            #expect(named.tasks == document.tasks)
            // What has ended can still be asked for.
            #expect(try cluster.wait("nightly").code == 0)
            #expect(try cluster.cohort("status").standardOutput.contains("ok"))
            withExtendedLifetime((one, two)) {}
        }

        @Test("wait prints what the tasks have written, and exits as run would have")
        func waitStatuses() throws {
            let worker = try cluster.worker("one", slots: 4)
            let fine = try cluster.submit("group: fine\ntasks: [{run: echo hello}]")
            let broken = try cluster.submit("group: broken\ntasks: [{name: bad, run: 'echo why >&2; exit 8'}]")
            let late = try cluster.submit("group: late\ntimeout: 200ms\ntasks: [{run: sleep 315.5}]")
            let stopped = try cluster.submit("group: stopped\ntasks: [{run: sleep 315.5}]")
            #expect(try cluster.cohort("cancel", stopped, "--reason", "no longer needed").code == 0)
            let hello = try cluster.cohort("wait", fine)
            #expect(hello.standardOutput == "hello\n")
            #expect(hello.code == 0)
            let failure = try cluster.cohort("wait", broken)
            #expect(failure.code == 1)
            for text in ["bad: exit status 8", "why"] { #expect(failure.standardError.contains(text)) }
            #expect(try cluster.cohort("wait", late).code == 124)
            let cancelled = try cluster.wait(stopped)
            #expect(cancelled.code == 125)
            #expect(cancelled.document.cancelReason == "no longer needed")
            withExtendedLifetime(worker) {}
        }

        @Test("cancel ends a group with its grace; a shorter one with --grace")
        func cancelling() throws {
            let worker = try cluster.worker("one")
            let number = try cluster.submit(
                "grace: 1h\ntasks: [{run: \"trap '' TERM; echo up > \(started.path); while :; do sleep 315.5; done\"}]"
            )
            try started.await()
            #expect(try cluster.cohort("cancel", number, "--grace", "200ms").code == 0)
            let (document, code) = try cluster.wait(number)
            #expect(code == 125)
            #expect(document.tasks.first?.outcome == .cancelled)
            #expect(document.tasks.first?.forced == true)
            withExtendedLifetime(worker) {}
        }

        @Test("extend moves the deadline of a running group, or takes it away")
        func extending() throws {
            let worker = try cluster.worker("one")
            let number = try cluster.submit(
                "timeout: 10m\ntasks: [{run: \"echo up > \(started.path); sleep 315.5\"}]"
            )
            try started.await()
            #expect(try cluster.cohort("extend", number, "2h").code == 0)
            #expect(try #require(try cluster.status().groups.first?.deadlineIn) > 7_000)
            #expect(try cluster.cohort("extend", number, "none").code == 0)
            #expect(try cluster.status().groups.first?.deadlineIn == nil)
            #expect(try cluster.cohort("extend", number, "100ms").code == 0)
            #expect(try cluster.wait(number).code == 124)
            withExtendedLifetime(worker) {}
        }

        @Test("A group that is not known is told by each command, with status 2")
        func unknownGroup() throws {
            for command in [["status", "ghost"], ["wait", "ghost"], ["cancel", "4711"], ["extend", "ghost", "1m"]] {
                let finished = try sandbox.start(["cohort"] + command + ["--connect", cluster.endpoint], input: [])
                    .wait()
                #expect(finished.code == 2, "\(command) \(finished)")
                #expect(finished.standardError.contains(command[1]), "\(command) \(finished)")
            }
            #expect(try cluster.cohort("status").standardOutput.contains("no groups"))
        }

        @Test("workers lists the workers, with what they do")
        func listing() throws {
            #expect(try cluster.cohort("workers").standardOutput == "no workers\n")
            let worker = try cluster.worker("one", slots: 3)
            let lines = try cluster.cohort("workers").lines
            #expect(lines.count == 2)
            #expect(lines[0].hasPrefix("WORKER"))
            #expect(lines[1].split(separator: " ").contains("one"))
            #expect(lines[1].split(separator: " ").contains("3"))
            #expect(lines[1].hasSuffix("ready"))
            withExtendedLifetime(worker) {}
        }

        @Test("run and map use the workers of a running coordinator, where the user is")
        func remoteRuns() throws {
            let worker = try cluster.worker("one")
            let mapped = try sandbox.shell(
                "mkdir -p here && cd here && cohort map -k --connect \(cluster.endpoint) 'pwd; echo {}' ::: 1 2"
            )
            let here = sandbox.path("here")
            #expect(mapped.lines == [here, "1", here, "2"])
            let (document, finished) = try sandbox.run("tasks: [{run: pwd}]", "--connect", cluster.endpoint)
            #expect(finished.code == 0)
            #expect(document.tasks.first?.stdout == sandbox.directory + "\n")
            #expect(document.tasks.first?.worker == "one")
            withExtendedLifetime(worker) {}
        }

        @Test("A run that somebody else cancels ends with status 125")
        func cancelledByOthers() throws {
            let worker = try cluster.worker("one")
            let file = try sandbox.write("b.yaml", "group: mine\ntasks: [{run: \"echo up > started; sleep 315.5\"}]")
            let run = try cluster.start("run", file)
            try started.await()
            #expect(try cluster.cohort("cancel", "mine").code == 0)
            let finished = try run.wait()
            #expect(finished.code == 125)
            #expect(finished.standardError.contains("group mine: cancelled"))
            withExtendedLifetime(worker) {}
        }

        @Test("The end of an attached client ends its group; a detached group goes on")
        func clientGone() throws {
            let worker = try cluster.worker("one")
            let detached = try cluster.submit(
                "group: detached\ntasks: [{run: 'echo up > \(started.path); read x < \(go.path); echo still here'}]"
            )
            let file = try sandbox.write("b.yaml", "group: attached\ntasks: [{run: 'echo up > started; sleep 315.5'}]")
            let run = try cluster.start("run", file)
            try started.await(lines: 2)
            run.send(SIGKILL)
            _ = try run.wait()
            #expect(sandbox.processes.waitForEnd(of: "sleep 315.5", limit: .seconds(4)))
            go.open()
            #expect(try cluster.wait(detached).document.tasks.first?.stdout == "still here\n")
            withExtendedLifetime(worker) {}
        }

        // MARK: Workers that come and go

        @Test("A worker that starts later takes work at once")
        func lateWorker() throws {
            let number = try cluster.submit("group: waits\ntasks: [{run: echo \"ran on $COHORT_SLOT\"}]")
            let status = try cluster.status()
            #expect(status.groups.first?.state == "waiting")
            #expect(status.workers.isEmpty)
            let worker = try cluster.worker("late")
            let (document, code) = try cluster.wait(number)
            #expect(code == 0)
            #expect(document.tasks.first?.worker == "late")
            withExtendedLifetime(worker) {}
        }

        @Test(
            "A worker is killed with SIGKILL: what ran on it is lost, the rest is done by the other worker",
            arguments: WorkerPart.allCases
        )
        func killedWorker(part: WorkerPart) throws {
            let one = try cluster.worker("one", slots: 2)
            var batch = "group: survives\non_error: continue\ntasks:\n"
            for _ in 1...2 { batch += "  - {run: \"echo up > \(started.path); sleep 315.5\"}\n" }
            for number in 1...6 { batch += "  - {name: rest-\(number), run: echo \(number)}\n" }
            let number = try cluster.submit(batch)
            try started.await(lines: 2)
            let victim = try sandbox.processID(of: part)
            let two = try cluster.worker("two", slots: 2)
            try cluster.waitUntilRunning(2)
            kill(victim, SIGKILL)
            let (document, code) = try cluster.wait(number)
            #expect(code == 1)
            #expect(document.tally == OutcomeCounts(ok: 6, lost: 2))
            #expect(document.tasks.prefix(2).allSatisfy { $0.outcome == .lost && $0.worker == "one" })
            #expect(document.tasks.dropFirst(2).allSatisfy { $0.worker == "two" })
            let leaves = try #require(document.error?.leaves)
            #expect(leaves.allSatisfy { $0.type == .workerLost })
            #expect(leaves.allSatisfy { $0.command == "echo up > \(started.path); sleep 315.5" }, "\(leaves)")
            try cluster.coordinator.waitForError("worker=one [CohortCoordinator] worker lost")
            let log = cluster.coordinator.standardError.split(separator: "\n").filter { $0.contains("worker lost") }
            #expect(log.allSatisfy { $0.contains("worker=one") } && log.count == 1, "\(log)")
            #expect(sandbox.processes.waitForEnd(of: "sleep 315.5"))
            #expect(try cluster.status().workers.map(\.name) == ["two"])
            // One that has nothing to do is missed as well.
            two.send(SIGKILL)
            try cluster.coordinator.waitForError("worker=two [CohortCoordinator] worker lost")
            withExtendedLifetime(one) {}
        }

        @Test("When a worker's supervisor is killed, its worker is named: where it ran, and in the coordinator's log")
        func killedSupervisor() throws {
            // The shell keeps what is written after the supervisor's end.
            let shell = try sandbox.start([
                "sh", "-c", "cohort worker --connect \(cluster.endpoint) --slots 1 --name orphan & read x",
            ])
            try shell.waitForError("connected")
            let pid = try cluster.processID(ofWorker: "orphan")
            let supervisor = try sandbox.processID(of: .supervisor)
            kill(supervisor, SIGKILL)
            try shell.waitForError(", has died; the worker and all that it ran were ended\n")
            let told = "cohort worker: the supervisor of worker process \(pid) (orphan on "
            #expect(shell.standardError.contains(told), "\(shell.standardError)")
            #expect(shell.standardError.contains("), process \(supervisor), has died;"))
            try cluster.coordinator.waitForError("worker lost")
            let log =
                cluster.coordinator.standardError.split(separator: "\n").first { $0.contains("worker lost") } ?? ""
            #expect(log.contains(" pid=\(pid) ") && log.contains("worker=orphan") && log.contains("host="), "\(log)")
            shell.closeInput()
            #expect(try shell.wait().code != nil)
        }

        @Test("Workers of one name are taken, and marked wherever workers are told of")
        func namesakes() throws {
            let first = try cluster.worker("twin", slots: 1)
            #expect(try !cluster.cohort("status").standardOutput.contains("twin"))
            let second = try cluster.worker("twin", slots: 1)
            try cluster.coordinator.waitForError("several workers have one name")
            let pids = try cluster.status().workers.map(\.pid)
            #expect(pids.allSatisfy { cluster.coordinator.standardError.contains("\($0) on ") })
            let status = try cluster.cohort("status").standardOutput
            #expect(status.contains("workers 1, 2 are all called 'twin': "), "\(status)")
            let workers = try cluster.cohort("workers").lines
            let mark = "ready  not the only one of this name"
            #expect(workers.dropFirst().allSatisfy { $0.hasSuffix(mark) }, "\(workers)")
            first.send(SIGTERM)
            _ = try first.wait()
            #expect(try cluster.cohort("workers").lines.last?.hasSuffix("ready") == true)
            withExtendedLifetime(second) {}
        }

        @Test("A worker that dies is started again, as often as its budget allows, and then says so")
        func restarts() throws {
            let worker = try cluster.worker("phoenix", slots: 1, restarts: "1/1h")
            let (document, _) = try cluster.wait(
                try cluster.submit(
                    """
                    on_error: continue
                    tasks:
                      - {name: killer, run: 'kill -9 $PPID; sleep 315.5'}
                      - {name: after, run: echo done}
                    """
                )
            )
            #expect(document.tasks.map(\.outcome) == [.lost, .ok], "\(document)")
            #expect(document.tasks.last?.stdout == "done\n")
            kill(try cluster.processID(ofWorker: "phoenix"), SIGKILL)
            let finished = try worker.wait()
            #expect(finished.code == 128 + SIGKILL)
            #expect(finished.standardError.contains("killed by signal 9, and is started again"), "\(finished)")
            #expect(finished.standardError.contains("given up after 1 restarts"), "\(finished)")
        }

        @Test("Where retries allow, tasks of a killed worker run again on another")
        func retriedAfterLoss() throws {
            let one = try cluster.worker("one", slots: 1)
            let number = try cluster.submit(
                """
                tasks:
                  - name: again
                    retries: 1
                    run: 'echo up > \(started.path); test $COHORT_ATTEMPT = 2 && echo second || sleep 315.5'
                """
            )
            try started.await()
            let two = try cluster.worker("two", slots: 1)
            try cluster.waitUntilRunning(1)
            kill(try cluster.processID(ofWorker: "one"), SIGKILL)
            let (document, code) = try cluster.wait(number)
            #expect(code == 0)
            let task = try #require(document.tasks.first)
            #expect(task.attempts == 2)
            #expect(task.worker == "two")
            #expect(task.stdout == "second\n")
            withExtendedLifetime((one, two)) {}
        }

        @Test("SIGTERM drains a worker: what runs finishes, what waits goes to others, status 0")
        func workerDrain() throws {
            let one = try cluster.worker("one", slots: 1)
            let number = try cluster.submit(
                """
                tasks:
                  - {name: runs, run: "echo up > \(started.path); read x < \(go.path); echo finished"}
                  - {name: waits, run: echo later}
                """
            )
            try started.await()
            one.send(SIGTERM)
            try one.waitForError("draining")
            let two = try cluster.worker("two", slots: 1)
            try cluster.wait(until: "one drains") { $0.workers.contains { $0.name == "one" && $0.draining } }
            go.open()
            let (document, code) = try cluster.wait(number)
            #expect(code == 0)
            #expect(document.tasks.map(\.stdout) == ["finished\n", "later\n"])
            #expect(document.tasks.map(\.worker) == ["one", "two"])
            #expect(try one.wait().code == 0)
            try cluster.wait(until: "only two is there") { $0.workers.map(\.name) == ["two"] }
            withExtendedLifetime(two) {}
        }

        @Test("A worker that drains ends at once, with what it runs, if its coordinator goes first")
        func drainWithoutCoordinator() throws {
            let worker = try cluster.worker("one")
            _ = try cluster.submit(
                "grace: 1h\ntasks: [{run: \"trap '' TERM; echo up > \(started.path); while :; do sleep 315.5; done\"}]"
            )
            try started.await()
            worker.send(SIGTERM)
            try worker.waitForError("draining")
            // The first asks the coordinator to cancel what runs and wait for it, the second not to wait.
            cluster.coordinator.send(SIGTERM)
            cluster.coordinator.send(SIGINT)
            #expect(try cluster.coordinator.wait().code == 0)
            let finished = try worker.wait()
            #expect(finished.code != nil)
            #expect(finished.standardError.contains("ended the session"), "\(finished)")
            sandbox.expectNothingSurvives()
        }

        // MARK: The coordinator's end

        @Test("SIGTERM drains the coordinator: no new groups, open ones are cancelled with their grace, status 0")
        func coordinatorDrain() throws {
            let worker = try cluster.worker("one")
            let number = try cluster.submit(
                """
                group: open
                grace: 10m
                tasks: [{run: "trap 'read x < \(go.path); echo tidied > tidied; exit 9' TERM; echo up > \(started.path); sleep 315.5 & wait"}]
                """
            )
            try started.await()
            let waiter = try cluster.start("wait", number, "--output", "json")
            // One client is the waiter, one is this question.
            try cluster.untilWatched()
            cluster.coordinator.send(SIGTERM)
            let file = try sandbox.write("more.yaml", "tasks: [{run: echo more}]")
            var refused = try cluster.cohort("submit", file)
            // The signal and the client race to the coordinator.
            while refused.code == 0 { refused = try cluster.cohort("submit", file) }
            #expect(refused.code == 3)
            #expect(refused.standardError.contains("shutting down") || refused.standardError.contains("drain"))
            go.open()
            #expect(try cluster.coordinator.wait().code == 0)
            let finished = try waiter.wait()
            #expect(finished.code == 125, "\(finished)")
            #expect(sandbox.read("tidied") == "tidied\n")
            // A worker waits for the next coordinator, until it is told otherwise.
            try worker.waitForError("looking for a coordinator there again")
            worker.send(SIGTERM)
            _ = try worker.wait()
            sandbox.expectNothingSurvives()
        }

        @Test(
            "A coordinator that is killed takes nothing with it for long: clients end with status 3, workers come back"
        )
        func coordinatorKilled() throws {
            let worker = try cluster.worker("one")
            let number = try cluster.submit("tasks: [{run: \"echo up > \(started.path); sleep 315.5\"}]")
            try started.await()
            let waiter = try cluster.start("wait", number)
            cluster.coordinator.send(SIGKILL)
            _ = try cluster.coordinator.wait()
            let finished = try waiter.wait()
            #expect(finished.code == 3)
            try worker.waitForError("looking for a coordinator there again")
            #expect(sandbox.processes.waitForEnd(of: "sleep 315.5"))
            let next = try sandbox.startCohort("coordinator", "--bind", cluster.endpoint)
            try next.waitForError("worker joined")
            next.send(SIGINT)
            #expect(try next.wait().code == 0)
        }

        @Test("Over ipc:// it is the same")
        func ipc() throws {
            let cluster = try Cluster(sandbox, bind: "ipc://\(sandbox.path("socket"))")
            let worker = try cluster.worker("one")
            #expect(
                try cluster.wait(try cluster.submit("tasks: [{run: echo hi}]")).document.tasks.first?.stdout == "hi\n"
            )
            withExtendedLifetime(worker) {}
        }
    }
}
