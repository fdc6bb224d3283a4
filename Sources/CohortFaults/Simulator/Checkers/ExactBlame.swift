internal import CohortCore

/// Promise 8: only a task that was executing in the process that died is charged with that, and it is.
struct ExactBlame: Checker {
    let promise = Promise.exactBlame

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        guard case .taskTold(let task, let report, let detail, _, _) = observation, report.outcome == .lost else {
            return nil
        }
        let record = truth.tasks[task]
        if let signal = detail?.signal {
            // An end that its worker did not live to report is one with its death, as far as anybody can know.
            let isTrue = record.executions.contains { execution in
                truth.executions[execution].end == .died(signal: signal)
                    // Its worker killed it for want of a coordinator, and says so.
                    || truth.executions[execution].end == .killed && detail?.type == "CoordinatorLost"
                    || truth.workers[truth.executions[execution].worker].signal == signal
            }
            if !isTrue {
                return broken(
                    "\(truth.name(task: task)) is charged with a death by signal \(signal) in which it had no part",
                    truth.evidence(task: task)
                )
            }
            return nil
        }
        // A worker that comes back is believed: what it does not have and was not begun goes back to the queue, unless it has
        // ended all that it had, or had to do with another life of the coordinator that means something else by its numbers.
        if record.executions.isEmpty, truth.isDurable || truth.coordinatorLives == 1, let detail,
            detail.message.contains("came back without the task"),
            !truth.workers.contains(where: { $0.hasBegunAnew && detail.message.contains("worker \($0.name)") })
        {
            return broken(
                "\(truth.name(task: task)) is told as lost, but its worker came back and never had it",
                truth.evidence(task: task)
            )
        }
        // Without a wait status it can only be what was at a worker that was given up.
        let wasAtLostWorker = record.executions.contains { execution in
            switch truth.executions[execution].end {
            case .killed, .died, nil: true
            default: truth.workers[truth.executions[execution].worker].ended != nil
            }
        }
        if !wasAtLostWorker, !truth.mayHaveBeenGivenUp(task, detail) {
            return broken("\(truth.name(task: task)) is told as lost, but no worker was", truth.evidence(task: task))
        }
        return nil
    }
}
