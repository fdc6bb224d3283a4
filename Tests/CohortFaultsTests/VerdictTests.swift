internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortFaults
internal import CohortProcess
internal import Testing

/// Every promise is broken once by evidence that was made up, and nothing else is found broken by it.
@Suite("The verdict")
struct VerdictTests {
    private func states(_ run: FabricatedRun) -> [Verdict.State] { run.verdict().findings.map(\.state) }

    @Test("a run in which nothing happens puts four promises to the test, and they hold")
    func quiet() throws {
        let run = try FabricatedRun()
        let expected: [Verdict.State] = [
            .held, .held, .held, .untested, .held, .untested, .untested, .untested, .untested,
        ]
        #expect(states(run) == expected)
        #expect(!run.verdict().isBroken)
        #expect(run.verdict()[.atMostOnce]?.summary == "3 executions of 3 tasks")
    }

    // MARK: 1

    @Test("a task with two outcomes breaks the first promise")
    func twoOutcomes() throws {
        var run = try FabricatedRun()
        var document = run.document()
        document.tasks[1] = document.tasks[0]
        document.counts = OutcomeCounts(ok: 3, error: 0, timeout: 0, cancelled: 0, lost: 0)
        run.record.document = document
        let broken = run.verdict()[.oneOutcome]
        #expect(broken?.breaches == ["a has 2 outcomes: ok, ok", "b has no outcome, though it was executed 1 times"])
    }

    @Test("an outcome that its evidence contradicts breaks the first promise")
    func wrongOutcome() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 1)
        run.note(.started, 1, at: 100)
        run.note(.exited(code: 4), 1, at: 200)
        expect(run, breaks: .oneOutcome, "b is told to be ok, and exited with 4")
        run.removeEvidence(of: 1)
        run.note(.started, 1, at: 100)
        expect(run, breaks: .oneOutcome, "b is told to be ok at attempt 1, which never came to its end")
        run.removeEvidence(of: 1)
        expect(run, breaks: .oneOutcome, "b is told to be ok at attempt 1, which never began")
    }

    @Test("a task that is told never to have started and did breaks the first promise")
    func startedUntold() throws {
        var run = try FabricatedRun()
        run.results[1].started = false
        run.results[1].outcome = .cancelled
        run.results[1].attempts = 0
        let breach = "b is told never to have started, and attempt 1 began at 0.101 s in process 1001"
        #expect(run.verdict()[.oneOutcome]?.breaches == [breach])
    }

    @Test("a client that leaves without an outcome breaks the first promise, unless its coordinator was taken from it")
    func noDocument() throws {
        var run = try FabricatedRun()
        run.record.status = .exited(code: 3)
        run.record.message = "cohort: nothing was heard from the coordinator\n"
        var verdict = Verdict(run.record)
        let breach = "the client left at 1.000 s without an outcome: cohort: nothing was heard from the coordinator"
        #expect(verdict[.oneOutcome]?.breaches == [breach])
        #expect(verdict[.everyErrorTold]?.state == .held)
        let kill = Incident(
            .killed(executing: [], unknown: 0),
            .coordinator,
            processes: [50],
            at: FabricatedRun.instant(200)
        )
        run.record.incidents = [kill]
        verdict = Verdict(run.record)
        #expect(verdict[.oneOutcome]?.state == .untested)
        #expect(verdict[.noSilentHang]?.state == .held)
        run.record.keepsState = true
        #expect(Verdict(run.record)[.oneOutcome]?.state == .broken)
        run.record.message = ""
        #expect(Verdict(run.record)[.everyErrorTold]?.breaches == ["the client left without a word, status 3"])
    }

    // MARK: 2

    @Test("an attempt that begins twice breaks the second promise")
    func twice() throws {
        var run = try FabricatedRun()
        run.note(.started, 2, parent: 200, at: 300)
        let breach =
            "g/c: attempt 1 began 2 times: at 0.102 s in process 1002, at 0.300 s in process 1002"
        expect(run, breaks: .atMostOnce, breach)
    }

    @Test("an attempt beyond those that are allowed, or beyond those that are told, breaks the second promise")
    func tooMany() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 1)
        run.results[1].attempts = 2
        for attempt in 1...2 {
            run.note(.started, 1, attempt: attempt, at: 100 * attempt)
            run.note(.exited(code: attempt == 1 ? 1 : 0), 1, attempt: attempt, at: 100 * attempt + 50)
        }
        expect(run, breaks: .atMostOnce, "b: attempt 2 began at 0.200 s in process 1001, and 1 are allowed")
        run = try FabricatedRun()
        run.note(.started, 0, attempt: 2, at: 600)
        run.note(.exited(code: 1), 0, attempt: 2, at: 700)
        let breaches = run.verdict()[.atMostOnce]?.breaches
        #expect(
            breaches == [
                "a: attempt 1 succeeded at 0.500 s, and attempt 2 began at 0.600 s in process 1000",
                "a: attempt 2 began at 0.600 s in process 1000, and 1 attempt are told",
            ]
        )
    }

    @Test("a retry after a failure is what was asked for")
    func retry() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 0)
        run.results[0].attempts = 2
        run.note(.started, 0, at: 100)
        run.note(.exited(code: 1), 0, at: 200)
        run.note(.started, 0, attempt: 2, at: 300)
        run.note(.exited(code: 0), 0, attempt: 2, at: 400)
        #expect(!run.verdict().isBroken)
        #expect(
            run.verdict()[.atMostOnce]?.summary == "4 executions of 3 tasks, 1 of them retries that were asked for"
        )
    }

    // MARK: 3

    @Test("a process that is there when the batch has ended breaks the third promise")
    func leftAtClose() throws {
        var run = try FabricatedRun()
        run.record.leftAtClose = [RunRecord.Leftover(pid: 7, command: "sleep 5", worker: 0)]
        expect(run, breaks: .structure, "process 7 was there when the batch had ended at 1.000 s: sleep 5")
        let freeze = Incident(.frozen(.seconds(1)), .worker, worker: 0, at: FabricatedRun.instant(100))
        run.record.incidents = [freeze]
        #expect(run.verdict()[.structure]?.state == .held)
    }

    @Test("a task that begins when the batch has ended breaks the third promise")
    func lateStart() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 2)
        run.note(.started, 2, at: 1_200)
        run.note(.exited(code: 0), 2, at: 1_300)
        expect(run, breaks: .structure, "g/c began 1.200 s, after the batch had ended at 1.000 s")
    }

    // MARK: 5

    @Test("a process that outlives everything breaks the fifth promise")
    func survivor() throws {
        var run = try FabricatedRun()
        run.record.survivors = [RunRecord.Leftover(pid: 8, command: "sleep 99")]
        expect(run, breaks: .nothingSurvives, "process 8 is still there 2 s after the end of the pool: sleep 99")
    }

    @Test("a task that outlives its worker by more than 2 s breaks the fifth promise")
    func orphan() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 1)
        run.fail(1, .lost, exitCode: nil)
        run.note(.started, 1, at: 100)
        let execution = Execution(task: 1, attempt: 1)
        run.record.incidents = [FabricatedRun.kill([execution], at: 200)]
        run.record.gone = [execution: FabricatedRun.instant(2_100)]
        run.record.ended = FabricatedRun.instant(5_000)
        #expect(!run.verdict().isBroken)
        run.record.gone = [execution: FabricatedRun.instant(2_300)]
        expect(run, breaks: .nothingSurvives, "b ran on for 2.100 s after worker 1 was killed at 0.200 s")
        // Its own process ends in time, and what that has started does not.
        run.note(.signalled(9), 1, at: 210)
        expect(run, breaks: .nothingSurvives, "b ran on for 2.100 s after worker 1 was killed at 0.200 s")
    }

    // MARK: 6

    @Test(
        "a client that still waits at the end of the time breaks the sixth promise, unless the batch hangs as planned"
    )
    func hang() throws {
        var run = try FabricatedRun(plan: "faults: [{hang: {task: b}}]")
        run.record.ended = nil
        run.record.evidence.removeAll { $0.task == 2 && $0.fact != .started }
        let breaches = Verdict(run.record)[.noSilentHang]?.breaches
        #expect(breaches == ["after 1m the client still waited; 1 task had begun and not ended: g/c"])
        run.record.evidence.removeAll { $0.task == 2 }
        run.record.evidence.removeAll { $0.task == 1 && $0.fact != .started }
        let finding = Verdict(run.record)[.noSilentHang]
        #expect(finding?.state == .untested)
        #expect(finding?.summary == "after 1m, b still hung, as planned: the batch sets no timeout for it")
    }

    // MARK: 7

    @Test("a failed task without its leaf breaks the seventh promise")
    func untold() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 1)
        run.note(.started, 1, at: 100)
        run.note(.exited(code: 3), 1, at: 900)
        run.fail(1)
        #expect(run.verdict()[.everyErrorTold]?.state == .held)
        run.record.document = run.document(leaves: [])
        expect(run, breaks: .everyErrorTold, "b has failed and has 0 leaves in the tree of errors")
    }

    // MARK: 8

    @Test("a task that is lost although nobody touched its worker breaks the eighth promise")
    func falseBlame() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 1)
        run.fail(1, .lost, exitCode: nil)
        run.note(.started, 1, parent: 300, at: 100)
        run.record.incidents = [FabricatedRun.kill([], at: 200)]
        run.record.gone = [Execution(task: 1, attempt: 1): FabricatedRun.instant(250)]
        let breach = "b is lost, and the worker that ran it, process 300, was neither killed nor stopped"
        expect(run, breaks: .exactBlame, breach)
    }

    @Test(
        "an attempt that is charged and never began breaks the eighth promise, unless it was about to begin in a kill"
    )
    func unseen() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 0)
        run.results[0].attempts = 2
        run.note(.started, 0, attempt: 2, at: 300)
        run.note(.exited(code: 0), 0, attempt: 2, at: 400)
        run.record.incidents = [FabricatedRun.kill([], unknown: 1, at: 200)]
        #expect(!run.verdict().isBroken)
        run.record.incidents = [FabricatedRun.kill([], at: 200)]
        expect(
            run,
            breaks: .exactBlame,
            "1 attempt charged that never began, with 0 about to begin in all kills: a"
        )
    }

    // MARK: 9

    @Test("a process that falls over by itself breaks the ninth promise")
    func crash() throws {
        var run = try FabricatedRun()
        run.record.messages.corrupted = 2
        #expect(run.verdict()[.badInput]?.summary == "2 messages corrupted, and no process fell over")
        let end = Incident.Kind.ended(.signalled(signal: 4, coreDumped: false), expected: false)
        run.record.incidents = [Incident(end, .coordinator, processes: [50], at: FabricatedRun.instant(300))]
        expect(run, breaks: .badInput, "the coordinator ended by itself at 0.300 s: signal 4")
    }
}
