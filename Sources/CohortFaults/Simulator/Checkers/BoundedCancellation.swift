internal import CohortCore

/// Promise 4: from the request to the end of everything, grace and one second; nothing queued starts meanwhile.
struct BoundedCancellation: Checker {
    let promise = Promise.boundedCancellation

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .assigned(let task, _, let worker): assigned(task, worker, scene)
        case .programEnded(let execution): overdue(execution, scene)
        case .sweep: firstOverdue(scene)
        default: nil
        }
    }

    /// A stop is told when it takes effect: nothing that is given out later can have been queued then.
    private func assigned(_ task: Int, _ worker: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        guard scene.isInReach(worker: worker) else { return nil }
        for place in truth.path(from: truth.tasks[task].group) {
            guard let told = truth.groups[place].stopTold, truth.reaches(task, from: place) else { continue }
            guard told.advanced(by: scene.latency) < scene.now else { continue }
            // What a task opens to clean up is no part of what was stopped.
            if truth.isCleanup(task, within: place) { continue }
            return broken(
                "\(truth.name(task: task)) was given to a worker at \(truth.seconds(scene.now)), after its group had stopped",
                truth.evidence(task: task)
            )
        }
        return nil
    }

    private func firstOverdue(_ scene: Scene) -> BrokenPromise? {
        for execution in scene.truth.running {
            if let fault = overdue(execution, scene) { return fault }
        }
        return nil
    }

    private func overdue(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        // However often it is asked, the grace counts from the first time.
        if let asked = run.cancelArrived, truth.workers[run.worker].calmSince != nil {
            let due = asked.advanced(by: run.grace).advanced(by: .seconds(1)).advanced(by: scene.latency)
            if due < scene.now, (truth.workers[run.worker].calmSince ?? scene.now) < asked {
                return broken(
                    "\(truth.name(task: run.task)) ran beyond grace and a second after it was asked to end",
                    ["grace \(run.grace.seconds) s"] + truth.evidence(task: run.task)
                )
            }
        }
        guard let calm = scene.calm(worker: run.worker) else { return nil }
        for place in truth.path(from: truth.tasks[run.task].group) {
            guard let told = truth.groups[place].stopTold, truth.reaches(run.task, from: place) else { continue }
            if truth.isCleanup(run.task, within: place) { continue }
            // Its worker is asked at once, and again as soon as it is back.
            if run.cancelArrived == nil, max(told.advanced(by: scene.settling), calm) < scene.now {
                return broken(
                    "\(truth.name(task: run.task)) was not asked to end though \(truth.name(group: place)) had stopped",
                    truth.evidence(task: run.task)
                )
            }
            let due = max(told, calm).advanced(by: truth.grace(of: truth.tasks[run.task].group))
                .advanced(by: .seconds(1)).advanced(by: scene.settling)
            if due < scene.now {
                return broken(
                    "\(truth.name(task: run.task)) ran on long after \(truth.name(group: place)) had stopped",
                    truth.evidence(task: run.task)
                )
            }
        }
        return nil
    }
}
