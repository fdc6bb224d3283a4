internal import CohortCore

/// Promise 1: every accepted task ends in exactly one outcome, and it is what really happened.
struct OneOutcome: Checker {
    let promise = Promise.oneOutcome

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .taskTold(let task, let report, let detail, let value, _):
            told(task, report, detail, value, scene.truth)
        case .groupClosed(let group, let report, let client): closed(group, report, client, scene.truth)
        case .end: missing(scene.truth)
        default: nil
        }
    }

    private func told(
        _ task: Int,
        _ report: TaskReport,
        _ detail: AttemptDetail?,
        _ value: [UInt8],
        _ truth: Truth
    ) -> BrokenPromise? {
        let record = truth.tasks[task]
        func fault(_ message: String) -> BrokenPromise {
            broken("\(truth.name(task: task)) \(message)", ["told now: \(report.outcome)"] + truth.evidence(task: task))
        }
        if let before = record.told {
            guard before.outcome == report.outcome, before.attempts == report.attempts, record.value == value else {
                return fault("has two outcomes: \(before.outcome), then \(report.outcome)")
            }
            return nil
        }
        let ends = record.executions.map { truth.executions[$0].end }
        switch report.outcome {
        case .ok:
            guard ends.contains(.returned) else { return fault("is told ok, but never returned") }
            let isTrue = record.executions.contains {
                truth.executions[$0].end == .returned && Self.value(of: $0, truth) == value
            }
            if !record.template.function.isEmpty, !isTrue { return fault("is told a value that it did not return") }
        case .error:
            if !ends.contains(.failed) { return fault("is told as failed, but never failed") }
        case .timeout:
            if record.template.timeout == nil { return fault("is told as timed out, but has no timeout") }
        case .cancelled:
            if !truth.mayBeStopped(task) { return fault("is told as cancelled, but nobody can have asked for that") }
        case .lost:
            // An end that its worker did not live to report is one with its death, as far as anybody can know.
            let isProven = record.executions.contains { execution in
                if truth.workers[truth.executions[execution].worker].ended != nil { return true }
                if case .died = truth.executions[execution].end { return true }
                return truth.executions[execution].end == .killed
            }
            if !isProven, !truth.mayHaveBeenGivenUp(task, detail) {
                return fault("is told as lost, but nothing was lost")
            }
        }
        return attempts(told: Int(report.attempts), of: record, truth).flatMap(fault)
    }

    /// What is wrong with the number of attempts, each of which was started. Where a worker was given up without proof, the
    /// coordinator cannot know of all that has begun there, and counts what may have.
    private func attempts(told: Int, of task: Truth.Task, _ truth: Truth) -> String? {
        let really = task.executions.count
        let mayLack = task.executions.contains { !truth.isBeyondDoubt(worker: truth.executions[$0].worker) }
        let mayExceed = truth.workers.indices.contains { !truth.isBeyondDoubt(worker: $0) }
        guard told < really && !mayLack || told > really && !mayExceed else { return nil }
        return "is told to have been started \(told) times, really \(really)"
    }

    /// Its owner has been told of all tasks of a group that ended in it.
    private func closed(_ group: Int, _ report: GroupReport, _ client: Int, _ truth: Truth) -> BrokenPromise? {
        guard truth.groups[group].client == client, !truth.groups[group].isDetached else { return nil }
        let record = truth.groups[group]
        let told = record.tasks.count { truth.tasks[$0].isOwnerTold }
        guard told != report.counts.ended else { return nil }
        return broken(
            "\(truth.name(group: group)) closed with \(report.counts.ended) tasks, of which \(told) were told",
            truth.evidence(group: group)
        )
    }

    /// What an execution of a call returns.
    static func value(of execution: Int, _ truth: Truth) -> [UInt8] {
        let run = truth.executions[execution]
        return [UInt8(truncatingIfNeeded: run.task), UInt8(truncatingIfNeeded: run.task >> 8), UInt8(run.number)]
    }

    /// In the end everything accepted was told to whoever waited for it.
    private func missing(_ truth: Truth) -> BrokenPromise? {
        for task in truth.tasks.indices where truth.isCertain(task) && truth.tasks[task].told == nil {
            let group = truth.tasks[task].group
            guard truth.isAwaited(group), !truth.groups[group].isDetached else { continue }
            return broken("\(truth.name(task: task)) was accepted and never told", truth.evidence(task: task))
        }
        return nil
    }
}
