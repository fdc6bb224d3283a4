internal import CohortCore

/// Promise 2: a task's program starts at most once for each attempt that it is allowed.
struct AtMostOnce: Checker {
    let promise = Promise.atMostOnce

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .programBegan(let execution): return began(execution, scene)
        case .resumed(let worker, let asked):
            return unwanted({ scene.truth.executions[$0].worker == worker ? asked : nil }, scene.truth)
        case .sweep:
            let now = scene.now.nanoseconds
            let recent = Instant(nanoseconds: now - min(scene.latency.nanoseconds, now))
            return unwanted(
                { execution in
                    let calm = scene.calm(worker: scene.truth.executions[execution].worker)
                    return calm.map { $0 < recent } == true ? recent : nil
                },
                scene.truth
            )
        default: return nil
        }
    }

    /// A worker keeps nothing that nobody wants any more: what is over, or has been started again.
    ///
    /// - Parameter limit: what was over before that must not run now; `nil` if nothing is known.
    private func unwanted(_ limit: (_ execution: Int) -> Instant?, _ truth: Truth) -> BrokenPromise? {
        for execution in truth.running {
            guard let limit = limit(execution) else { continue }
            let run = truth.executions[execution]
            let task = truth.tasks[run.task]
            func fault(_ message: String) -> BrokenPromise {
                broken(
                    "\(truth.name(task: run.task)) \(message) at \(truth.workers[run.worker].name)",
                    truth.evidence(task: run.task)
                )
            }
            if let told = task.toldAt, told < limit { return fault("runs on after its end was told") }
            let isFollowed = task.executions.contains { later in
                let other = truth.executions[later]
                return other.ref.task == run.ref.task && other.ref.attempt > run.ref.attempt && other.began < limit
            }
            if isFollowed { return fault("runs on though another attempt has begun since") }
        }
        return nil
    }

    private func began(_ execution: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let run = truth.executions[execution]
        let task = truth.tasks[run.task]
        if task.executions.count > Int(task.template.retries) + 1 {
            return broken(
                "\(truth.name(task: run.task)) was started \(task.executions.count) times, with \(task.template.retries) retries",
                truth.evidence(task: run.task)
            )
        }
        if let fault = poisoned(run, scene) { return fault }
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
            // A worker that was given up may begin late what it had been given before.
            let isLate = truth.executions[earlier].ref.attempt > run.ref.attempt
            if isLate, !truth.isBeyondDoubt(worker: run.worker) { continue }
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

    /// A task under which worker after worker has died is not tried again, whatever its retries say.
    private func poisoned(_ run: Truth.Execution, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let deaths = truth.tasks[run.task].executions.count { earlier in
            // A coordinator that has lost the word of it, and begins anew, waits for the lease of the worker first.
            guard let charged = truth.executions[earlier].charged,
                let next = truth.tasks[run.task].executions.first(where: { $0 > earlier })
            else { return false }
            return truth.executions[next].began < charged.advanced(by: truth.limits.lease)
        }
        guard deaths >= Int(truth.limits.crashLimit) else { return nil }
        return broken(
            "\(truth.name(task: run.task)) was started again, though \(deaths) workers have died under it",
            truth.evidence(task: run.task)
        )
    }
}
