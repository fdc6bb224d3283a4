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

    /// A worker that cannot hear the coordinator keeps nothing beyond the lease, and attached tasks a second only.
    private func cutOff(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        let worker = truth.workers[run.worker]
        guard !worker.isFrozen, worker.ended == nil else { return nil }
        func isOver(_ since: Instant, _ span: TimeSpan) -> Bool {
            max(since, worker.thawed).advanced(by: span).advanced(by: scene.latency) < scene.now
        }
        func fault(_ message: String) -> BrokenPromise {
            let heard = "\(worker.name) heard of the coordinator at \(truth.seconds(worker.lastHeard))"
            return broken("\(truth.name(task: run.task)) \(message)", [heard] + truth.evidence(task: run.task))
        }
        if isOver(worker.lastHeard, truth.limits.lease) { return fault("ran on beyond the lease of its worker") }
        // What a task of a detached tree has begun goes on with it.
        let isKept = truth.isDurable && truth.groups[truth.root(of: truth.tasks[run.task].group)].isDetached
        if let since = worker.cutOffSince, !isKept, isOver(since, .seconds(1)) {
            return fault("ran on for more than a second without a coordinator")
        }
        return nil
    }

    private func survivor(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        if let fault = cutOff(execution, scene) { return fault }
        guard let calm = scene.calm(worker: run.worker) else { return nil }
        for place in truth.path(from: truth.tasks[run.task].group) {
            let group = truth.groups[place]
            // Of a detached tree stops what its client had not completed, as far as no shield is in between.
            let isOwned = !group.isDetached || group.body == nil && truth.reaches(run.task, from: place)
            guard isOwned else { continue }
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
