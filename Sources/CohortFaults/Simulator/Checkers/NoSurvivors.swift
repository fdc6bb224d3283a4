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
        case .programBegan(let execution): return begins(execution, scene)
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
        guard let loss = loss(execution, scene) else { return nil }
        let due = loss.known.advanced(by: truth.grace(of: truth.tasks[run.task].group)).advanced(by: .seconds(1))
        return due < scene.now ? fault("ran on", execution, loss, truth) : nil
    }

    /// Nothing begins for an owner that is known to be gone, shielded or not.
    private func begins(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        guard let loss = loss(execution, scene), loss.known < scene.now else { return nil }
        return fault("was started", execution, loss, scene.truth)
    }

    private func fault(_ what: String, _ execution: Int, _ loss: Loss, _ truth: Truth) -> BrokenPromise {
        let client = truth.clients[loss.client].name
        let task = truth.executions[execution].task
        return broken(
            "\(truth.name(task: task)) \(what) long after \(client) was gone",
            ["\(client) was gone at \(truth.seconds(loss.gone))"] + truth.evidence(task: task)
        )
    }

    /// The end of whoever owns a group, or of its interest in it.
    private struct Loss {
        var client: Int
        var gone: Instant
        /// When coordinator and worker must have known of it at the latest.
        var known: Instant
    }

    /// The first loss that concerns a program; `nil` if there is none, or its worker and the coordinator cannot hear each
    /// other.
    private func loss(_ execution: Int, _ scene: Scene) -> Loss? {
        let truth = scene.truth
        let run = truth.executions[execution]
        guard let calm = scene.calm(worker: run.worker) else { return nil }
        var first: Loss?
        for place in truth.path(from: truth.tasks[run.task].group) {
            let group = truth.groups[place]
            // Of a detached tree stops what its client had not completed, as far as no shield is in between.
            let isOwned = !group.isDetached || group.body == nil && truth.reaches(run.task, from: place)
            guard isOwned else { continue }
            let client = truth.clients[group.client]
            guard let gone = client.ended ?? group.abandoned else { continue }
            // A death that its connection shows is known after the next message to it, any other after the lease.
            let notice = client.wasNoticed ? truth.limits.unreachable : truth.limits.lease
            let known = max(gone, calm).advanced(by: notice).advanced(by: scene.settling)
            if let first, first.known <= known { continue }
            first = Loss(client: group.client, gone: gone, known: known)
        }
        return first
    }
}
