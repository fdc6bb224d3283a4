internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortFaults
internal import CohortProcess
internal import Testing

/// When a group is stopped, and whom a disturbance excuses.
@Suite("The verdict on stops and disturbances")
struct StopVerdictTests {
    /// `b` fails at 200 ms and stops the others; `g/c` runs on until `lastEnd`.
    private func stopped(_ lastEnd: Int, _ outcome: Cohort.TaskOutcome = .error) throws -> FabricatedRun {
        var run = try FabricatedRun()
        run.record.evidence = []
        run.fail(1, outcome)
        run.results[2].outcome = .cancelled
        run.results[2].exitCode = nil
        run.record.ended = FabricatedRun.instant(6_000)
        run.note(.started, 0, at: 100)
        run.note(.exited(code: 0), 0, at: 150)
        run.note(.started, 1, at: 101)
        if outcome == .lost {
            run.record.gone = [Execution(task: 1, attempt: 1): FabricatedRun.instant(200)]
        } else {
            run.note(outcome == .timeout ? .signalled(15) : .exited(code: 3), 1, at: 200)
        }
        run.note(.started, 2, parent: 300, at: 102)
        run.note(.signalled(15), 2, at: lastEnd)
        return run
    }

    @Test("a task that runs on beyond the grace and a second breaks the fourth promise")
    func slowCancellation() throws {
        #expect(try stopped(2_150).verdict()[.boundedCancellation]?.state == .held)
        let breach = "group batch stopped at 0.200 s, as b failed, and g/c ran until 2.250 s; its grace is 1.000 s"
        expect(try stopped(2_250), breaks: .boundedCancellation, breach)
    }

    @Test("a task that begins long after its group was stopped breaks the fourth promise")
    func lateBeginning() throws {
        var run = try stopped(300)
        run.removeEvidence(of: 2)
        run.note(.started, 2, at: 1_300)
        run.note(.signalled(15), 2, at: 1_400)
        let breach = "group batch stopped at 0.200 s, as b failed, and g/c began at 1.300 s"
        expect(run, breaks: .boundedCancellation, breach)
    }

    @Test("a sibling that times out stops its group")
    func timeout() throws {
        #expect(try stopped(2_150, .timeout).verdict()[.boundedCancellation]?.state == .held)
        let breach = "group batch stopped at 0.200 s, as b timed out, and g/c ran until 2.250 s; its grace is 1.000 s"
        expect(try stopped(2_250, .timeout), breaks: .boundedCancellation, breach)
    }

    @Test("a sibling that is lost stops its group, once its loss can be known")
    func loss() throws {
        var run = try stopped(4_150, .lost)
        run.record.incidents = [FabricatedRun.kill([Execution(task: 1, attempt: 1)], at: 190)]
        #expect(!run.verdict().isBroken)
        run = try stopped(4_250, .lost)
        run.record.incidents = [FabricatedRun.kill([Execution(task: 1, attempt: 1)], at: 190)]
        let breach = "group batch stopped at 0.200 s, as b was lost, and g/c ran until 4.250 s; its grace is 1.000 s"
        expect(run, breaks: .boundedCancellation, breach)
    }

    @Test("a failure with attempts left is none that stops a group")
    func attemptsLeft() throws {
        var run = try stopped(2_150)
        run.removeEvidence(of: 0)
        run.fail(0)
        run.note(.started, 0, at: 10)
        run.note(.exited(code: 3), 0, at: 50)
        #expect(run.verdict()[.boundedCancellation]?.state == .held)
    }

    /// The time of the whole batch is over at 200 ms, and `g/c` ends at `lastEnd`.
    private func late(_ lastEnd: Int) throws -> FabricatedRun {
        var run = try FabricatedRun(batch: "timeout: 200ms\n" + FabricatedRun.batchText)
        run.record.evidence = []
        run.results[2].outcome = .cancelled
        run.results[2].exitCode = nil
        run.record.ended = FabricatedRun.instant(6_000)
        for task in 0..<2 {
            run.note(.started, task, at: 100)
            run.note(.exited(code: 0), task, at: 150)
        }
        run.note(.started, 2, at: 102)
        run.note(.signalled(15), 2, at: lastEnd)
        var document = run.document()
        document.timedOut = true
        run.record.document = document
        return run
    }

    @Test("the deadline of the batch stops it")
    func deadline() throws {
        #expect(try late(2_150).verdict()[.boundedCancellation]?.state == .held)
        let breach =
            "group batch stopped at 0.200 s, as its time was over, and g/c ran until 2.250 s; its grace is 1.000 s"
        expect(try late(2_250), breaks: .boundedCancellation, breach)
    }

    @Test("a deadline that nobody can place puts nothing to the test")
    func unknownDeadline() throws {
        var run = try late(2_250)
        run.record.keepsState = true
        run.record.incidents = [incident(.frozen(.milliseconds(100)), .coordinator, at: 10)]
        let finding = run.verdict()[.boundedCancellation]
        #expect(finding?.state == .untested)
        #expect(
            finding?.summary == "no group was seen to be stopped, at a moment that is known, while it had tasks left"
        )
    }

    // MARK: Disturbances

    /// Of worker 2, process 200, unless it is of the coordinator, process 50.
    private func incident(_ kind: Incident.Kind, _ target: ProcessFault.Target, at milliseconds: Int) -> Incident {
        let isCoordinator = target == .coordinator
        return Incident(
            kind,
            target,
            worker: isCoordinator ? nil : 1,
            processes: isCoordinator ? [50] : [200, 199],
            at: FabricatedRun.instant(milliseconds)
        )
    }

    private let killed = Incident.Kind.killed(executing: [], unknown: 0)

    @Test("what happens to one worker gives no time to the tasks of another")
    func otherWorker() throws {
        var run = try stopped(2_250)
        let breach = "group batch stopped at 0.200 s, as b failed, and g/c ran until 2.250 s; its grace is 1.000 s"
        for kind in [killed, .frozen(.seconds(1))] {
            run.record.incidents = [incident(kind, .worker, at: 210)]
            expect(run, breaks: .boundedCancellation, breach)
        }
        run.record.keepsState = true
        run.record.incidents = [incident(killed, .coordinator, at: 210)]
        #expect(!run.verdict().isBroken)
    }

    @Test("a killed worker gives its tasks 2 s, and not the lease")
    func ownWorker() throws {
        for (end, state) in [(4_150, Verdict.State.held), (4_250, .broken)] {
            var run = try stopped(end)
            var kill = incident(killed, .supervisor, at: 210)
            kill.processes = [300, 299]
            run.record.incidents = [kill]
            #expect(run.verdict()[.boundedCancellation]?.state == state, "\(end) ms")
        }
    }

    @Test("what happens to another worker does not excuse a second attempt")
    func wasteElsewhere() throws {
        var run = try FabricatedRun()
        run.results[0].attempts = 2
        run.note(.started, 0, attempt: 2, at: 600)
        run.note(.exited(code: 0), 0, attempt: 2, at: 700)
        run.record.incidents = [incident(killed, .worker, at: 550)]
        let breach = "a: attempt 1 succeeded at 0.500 s, and attempt 2 began at 0.600 s in process 1000"
        expect(run, breaks: .atMostOnce, breach)
        run.record.incidents = [FabricatedRun.kill([], at: 550)]
        #expect(!run.verdict().isBroken)
    }

    @Test("what ran when the coordinator was killed goes on, and does not begin again")
    func cutOff() throws {
        var run = try FabricatedRun()
        run.removeEvidence(of: 0)
        run.results[0].attempts = 2
        run.note(.started, 0, at: 100)
        run.note(.started, 0, attempt: 2, at: 600)
        run.note(.exited(code: 0), 0, attempt: 2, at: 700)
        run.record.keepsState = true
        run.record.incidents = [incident(killed, .coordinator, at: 200)]
        let gone = Execution(task: 0, attempt: 1)
        run.record.gone[gone] = FabricatedRun.instant(500)
        let breach =
            "a: attempt 1 was running when the coordinator was killed at 0.200 s and cut off by 0.500 s, "
            + "and attempt 2 began at 0.600 s"
        expect(run, breaks: .atMostOnce, breach)
        // A worker that has waited in vain since another kill, shortly before, ends what it runs.
        run.record.incidents.insert(incident(killed, .coordinator, at: 150), at: 0)
        #expect(!run.verdict().isBroken)
        run.record.incidents.removeFirst()
        // So does one that has waited in vain since this one.
        run.record.gone[gone] = FabricatedRun.instant(1_200)
        #expect(!run.verdict().isBroken)
        // Its worker was killed as well.
        run.record.gone[gone] = FabricatedRun.instant(500)
        run.record.incidents.append(FabricatedRun.kill([gone], at: 300))
        #expect(!run.verdict().isBroken)
    }

    @Test("only a worker that is cut off at that moment may leave processes behind")
    func leftElsewhere() throws {
        var run = try FabricatedRun()
        run.record.leftAtClose = [RunRecord.Leftover(pid: 7, command: "sleep 5", worker: 0)]
        let breach = "process 7 was there when the batch had ended at 1.000 s: sleep 5"
        run.record.incidents = [incident(.frozen(.seconds(1)), .worker, at: 900)]
        expect(run, breaks: .structure, breach)
        run.record.incidents = [FabricatedRun.kill([], at: 900)]
        #expect(run.verdict()[.structure]?.state == .held)
        run.record.incidents = [FabricatedRun.kill([], at: 900)]
        run.record.ended = FabricatedRun.instant(3_000)
        expect(run, breaks: .structure, "process 7 was there when the batch had ended at 3.000 s: sleep 5")
    }
}
