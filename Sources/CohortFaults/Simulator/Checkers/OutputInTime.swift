internal import CohortCore

/// What a task writes for a reader that is there comes while it runs: no disturbance leaves a gap that only its end would
/// close, for with a gap its credit runs out, and it waits for ever.
struct OutputInTime: Checker {
    let promise = Promise.exactOutput

    /// How much an execution had written at some moment, from which on nothing has been disturbed.
    private struct Mark {
        var at: Instant
        var written: Int
    }

    /// Looked up, never iterated.
    private var marks: [Int: Mark] = [:]

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .programEnded(let execution): marks[execution] = nil
        case .sweep:
            for execution in scene.truth.running {
                if let fault = judge(execution, scene) { return fault }
            }
        default: break
        }
        return nil
    }

    private mutating func judge(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        guard let calm = calm(execution, scene) else {
            marks[execution] = nil
            return nil
        }
        guard let mark = marks[execution], mark.at > calm else {
            marks[execution] = Mark(at: scene.now, written: run.written)
            return nil
        }
        guard mark.at.advanced(by: scene.noticing) < scene.now else { return nil }
        marks[execution] = Mark(at: scene.now, written: run.written)
        guard run.received < mark.written else { return nil }
        return broken(
            "of the output of \(truth.name(task: run.task)) only \(run.received) bytes have come",
            ["it had written \(mark.written) bytes by \(truth.seconds(mark.at))"] + truth.evidence(task: run.task)
        )
    }

    /// Since when the program and its reader can hear each other; `nil` if they cannot, or nobody reads what it writes.
    private func calm(_ execution: Int, _ scene: Scene) -> Instant? {
        let truth = scene.truth
        let run = truth.executions[execution]
        let task = truth.tasks[run.task]
        let group = truth.groups[task.group]
        guard task.template.output == .stream, task.told == nil, !truth.isFollowed(execution), !group.isDetached,
            truth.isAwaited(task.group), !truth.workers[run.worker].wasGivenUp
        else { return nil }
        guard let worker = truth.workers[run.worker].calmSince, let client = scene.calm(client: group.client) else {
            return nil
        }
        return max(worker, client)
    }
}
