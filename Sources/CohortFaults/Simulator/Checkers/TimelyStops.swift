internal import CohortCore

/// Promise 4, as far as time itself asks for an end: a timeout and a deadline come when they are due (R9, R13).
struct TimelyStops: Checker {
    let promise = Promise.boundedCancellation

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        guard case .sweep = observation else { return nil }
        for execution in scene.truth.running where scene.truth.executions[execution].cancelArrived == nil {
            if let fault = overdue(execution, scene) { return fault }
        }
        return nil
    }

    /// A program that nobody has asked to end, though it is time.
    private func overdue(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        guard let calm = scene.calm(worker: run.worker) else { return nil }
        func isOver(_ due: Instant) -> Bool { max(due.advanced(by: scene.settling), calm) < scene.now }
        if let timeout = truth.tasks[run.task].template.timeout, isOver(run.began.advanced(by: timeout)) {
            return broken(
                "\(truth.name(task: run.task)) was not asked to end after its timeout of \(timeout.seconds) s",
                truth.evidence(task: run.task)
            )
        }
        for place in truth.path(from: truth.tasks[run.task].group) {
            guard let deadline = truth.groups[place].deadline.latest, !truth.groups[place].isForgotten,
                isOver(deadline),
                truth.reaches(run.task, from: place), !truth.isCleanup(run.task, within: place)
            else { continue }
            return broken(
                "\(truth.name(task: run.task)) was not asked to end by the deadline of \(truth.name(group: place))",
                ["it was due at \(truth.seconds(deadline))"] + truth.evidence(task: run.task)
            )
        }
        return nil
    }
}
