internal import CohortCore

/// Promise 5: no program of an attached group runs longer than its bound once whoever owns the group is gone, and none at
/// all longer than a lease once its worker has lost the coordinator.
struct NoSurvivors: Checker {
    let promise = Promise.noSurvivors

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .sweep:
            for execution in scene.truth.running {
                if let fault = survivor(execution, scene) { return fault }
            }
            return nil
        case .programEnded(let execution): return survivor(execution, scene)
        default: return nil
        }
    }

    private func survivor(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        guard let calm = scene.calm(worker: run.worker) else { return nil }
        for place in truth.path(from: truth.tasks[run.task].group) {
            let group = truth.groups[place]
            guard !group.isDetached || group.body == nil else { continue }
            let client = truth.clients[group.client]
            guard let gone = client.ended else { continue }
            // A death that its connection shows is known after the next message to it, any other after the lease.
            let limits = truth.limits
            let notice = client.wasNoticed ? limits.unreachable : limits.lease
            let bound = TimeSpan(
                nanoseconds: notice.nanoseconds + truth.grace(of: truth.tasks[run.task].group).nanoseconds
                    + 1_000_000_000 + scene.settling.nanoseconds
            )
            if max(gone, calm).advanced(by: bound) < scene.now {
                return broken(
                    "\(truth.name(task: run.task)) ran on long after \(client.name) was gone",
                    ["\(client.name) was gone at \(truth.seconds(gone))"] + truth.evidence(task: run.task)
                )
            }
        }
        return nil
    }
}
