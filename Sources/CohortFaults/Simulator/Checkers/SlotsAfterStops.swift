internal import CohortCore

/// Promise 4: a stop takes effect before the slot of the task that brought it about is used again (R15). Its worker knows of
/// the end first, and hands back what it had been given before.
struct SlotsAfterStops: Checker {
    let promise = Promise.boundedCancellation
    /// When workers were given attempts. Looked up, never iterated.
    private var given: [AttemptRef: Instant] = [:]

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .assigned(_, let ref, _):
            given[ref] = scene.now
            return nil
        case .programBegan(let execution): return begins(execution, scene.truth)
        default: return nil
        }
    }

    private func begins(_ execution: Int, _ truth: Truth) -> BrokenPromise? {
        let run = truth.executions[execution]
        let group = truth.tasks[run.task].group
        guard !truth.tasks[run.task].template.shield, truth.groups[group].spec.policy != .continue,
            let given = given[run.ref]
        else { return nil }
        for other in truth.groups[group].tasks {
            guard let last = truth.tasks[other].executions.last, truth.executions[last].worker == run.worker,
                let ended = truth.executions[last].ended, given < ended,
                // It has learnt of that end in an earlier turn.
                ended < truth.workers[run.worker].turns.before, isDecisive(last, truth)
            else { continue }
            return broken(
                "\(truth.name(task: run.task)) was started where \(truth.name(task: other)) had put an end to its group",
                ["it was given at \(truth.seconds(given))", truth.describe(execution: last)]
                    + truth.evidence(task: run.task)
            )
        }
        return nil
    }

    /// Whether the end of an execution stops its group for certain.
    private func isDecisive(_ execution: Int, _ truth: Truth) -> Bool {
        let run = truth.executions[execution]
        let task = truth.tasks[run.task]
        let isCounted = task.executions.allSatisfy { truth.isBeyondDoubt(worker: truth.executions[$0].worker) }
        guard truth.isEndReported(execution), isCounted else { return false }
        switch (truth.groups[task.group].spec.policy, run.end) {
        case (.cancel, .failed), (.cancel, .died): return run.number > Int(task.template.retries)
        case (.first, .returned): return task.template.timeout == nil
        default: return false
        }
    }
}
