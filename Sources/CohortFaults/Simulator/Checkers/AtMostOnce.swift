internal import CohortCore

/// Promise 2: a task's program starts at most once for each attempt that it is allowed.
struct AtMostOnce: Checker {
    let promise = Promise.atMostOnce

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        guard case .programBegan(let execution) = observation else { return nil }
        let run = truth.executions[execution]
        let task = truth.tasks[run.task]
        if task.executions.count > Int(task.template.retries) + 1 {
            return broken(
                "\(truth.name(task: run.task)) was started \(task.executions.count) times, with \(task.template.retries) retries",
                truth.evidence(task: run.task)
            )
        }
        let isTwice = task.executions.dropLast().contains { truth.executions[$0].ref == run.ref }
        if isTwice {
            return broken(
                "an attempt of \(truth.name(task: run.task)) was started twice",
                truth.evidence(task: run.task)
            )
        }
        // The next attempt begins when the last one is known to be over: it ended, or its worker was given up.
        for earlier in task.executions.dropLast() where truth.isRunning(earlier) {
            let worker = truth.executions[earlier].worker
            if scene.isInReach(worker: worker) && worker == run.worker || truth.isBeyondDoubt(worker: worker) {
                return broken(
                    "\(truth.name(task: run.task)) was started while it was still running at \(truth.workers[worker].name)",
                    truth.evidence(task: run.task)
                )
            }
        }
        // R8, and an end is an end. Only a worker that was out of reach may begin what it had been given before.
        if task.told != nil, scene.isInReach(worker: run.worker) {
            return broken(
                "\(truth.name(task: run.task)) was started after its end was told",
                truth.evidence(task: run.task)
            )
        }
        return nil
    }
}
