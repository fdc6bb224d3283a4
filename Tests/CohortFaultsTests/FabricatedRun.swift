internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortFaults
internal import CohortProcess
internal import Testing

/// The record of a run that never was: three tasks that went well, until a test changes something.
///
/// Task 0 is `a`, which may be retried once, task 1 is `b`, task 2 is `g/c`. Moments are milliseconds after the batch was handed
/// over. Tasks run below worker 1, process 100; their own processes are 1000 and the task's number.
struct FabricatedRun {
    static let batchText = """
        grace: 1s
        tasks:
          - {name: a, run: ls, retries: 1}
          - {name: b, run: ls}
          - {group: g, tasks: [{name: c, run: ls}]}
        """

    var record: RunRecord
    /// Results of the tasks, in their order.
    var results: [TaskResult]
    private let evidenceOfTasks: [Evidence]

    init(plan: String = "faults: []", batch: String = FabricatedRun.batchText) throws {
        let plan = try FaultFile.parse(plan, fileName: "plan.yaml")
        let root = try BatchFile.parse(batch, fileName: "batch.yaml").root
        let batch = try ChaosBatch(root, plan, seed: 1)
        record = RunRecord(batch: batch, plan: plan, limit: .seconds(60), begun: Self.instant(0))
        record.ended = Self.instant(1_000)
        record.status = .exited(code: 0)
        results = [("a", "1.1"), ("b", "1.2"), ("c", "2.1")].map {
            TaskResult(name: $0.0, id: $0.1, outcome: .ok, exitCode: 0)
        }
        var evidence: [Evidence] = []
        for task in 0..<3 {
            evidence.append(Self.evidence(.started, task, at: 100 + task))
            evidence.append(Self.evidence(.exited(code: 0), task, at: 500 + task))
        }
        evidenceOfTasks = evidence
        record.evidence = evidence
    }

    static func instant(_ milliseconds: Int) -> Instant {
        Instant(nanoseconds: 1_000_000_000 + UInt64(milliseconds) * 1_000_000)
    }

    static func evidence(
        _ fact: Evidence.Fact,
        _ task: Int,
        attempt: Int = 1,
        parent: Int32 = 100,
        at milliseconds: Int
    ) -> Evidence {
        Evidence(
            fact,
            task: task,
            attempt: attempt,
            process: Int32(1_000 + task),
            parent: parent,
            at: instant(milliseconds)
        )
    }

    /// A kill of worker 1.
    static func kill(_ executing: [Execution], unknown: Int = 0, at milliseconds: Int) -> Incident {
        Incident(
            .killed(executing: executing, unknown: unknown),
            .worker,
            worker: 0,
            processes: [100, 99],
            at: instant(milliseconds),
            rule: 0
        )
    }

    mutating func note(
        _ fact: Evidence.Fact,
        _ task: Int,
        attempt: Int = 1,
        parent: Int32 = 100,
        at milliseconds: Int
    ) {
        record.evidence.append(Self.evidence(fact, task, attempt: attempt, parent: parent, at: milliseconds))
    }

    mutating func removeEvidence(of task: Int) { record.evidence.removeAll { $0.task == task } }

    /// Gives a task a failure, with the leaf that belongs to it unless `isTold` is false.
    mutating func fail(_ task: Int, _ outcome: Cohort.TaskOutcome = .error, exitCode: Int? = 3) {
        results[task].outcome = outcome
        results[task].exitCode = exitCode
        let type: ErrorType = outcome == .lost ? "WorkerLost" : "CommandFailed"
        results[task].error = .leaf(
            ErrorNode.Leaf(task: results[task].name, id: results[task].id, type: type, message: "it failed")
        )
    }

    /// The document that tells the results as they are.
    func document(leaves: [ErrorNode]? = nil) -> OutcomeDocument {
        func group(_ name: String, _ id: String, _ tasks: [TaskResult], _ groups: [OutcomeDocument]) -> OutcomeDocument
        {
            let errors = leaves ?? (tasks.compactMap(\.error) + groups.compactMap(\.error))
            let hasFailed = (tasks.contains { $0.outcome.isFailure }) || groups.contains { $0.outcome == .errors }
            return OutcomeDocument(
                version: groups.isEmpty ? nil : 1,
                group: name,
                id: id,
                outcome: hasFailed ? .errors : .ok,
                startedAt: .now,
                elapsed: .seconds(1),
                tasks: tasks,
                groups: groups,
                error: hasFailed ? .group(ErrorNode.Group(group: name, errors: errors)) : nil
            )
        }
        return group("batch", "1", Array(results[..<2]), [group("g", "2", Array(results[2...]), [])])
    }

    /// The verdict on the run, with the document that belongs to the results unless there is one already.
    func verdict() -> Verdict {
        var record = record
        record.document = record.document ?? document()
        return Verdict(record)
    }
}

/// Expects that one promise is broken, and by what.
func expect(
    _ run: FabricatedRun,
    breaks promise: Verdict.Promise,
    _ breach: String,
    location: Testing.SourceLocation = #_sourceLocation
) {
    let verdict = run.verdict()
    let broken = verdict.findings.filter { $0.state == .broken }
    #expect(broken.map(\.promise) == [promise], "\(broken)", sourceLocation: location)
    #expect(broken.flatMap(\.breaches) == [breach], sourceLocation: location)
}
