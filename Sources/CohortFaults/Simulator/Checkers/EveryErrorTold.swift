internal import CohortCore

/// Promise 7: every task that failed is told once, with what is known of it, and shows in its group's outcome.
struct EveryErrorTold: Checker {
    let promise = Promise.everyErrorTold

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .taskTold(let task, let report, let detail, _, _):
            guard report.outcome.isFailure, detail?.type.isEmpty != false || detail?.message.isEmpty != false else {
                return nil
            }
            return broken(
                "\(scene.truth.name(task: task)) is told as \(report.outcome) without a word of why",
                scene.truth.evidence(task: task)
            )
        case .groupClosed(let group, let report, let client): return closed(group, report, client, scene.truth)
        default: return nil
        }
    }

    private func closed(_ group: Int, _ report: GroupReport, _ client: Int, _ truth: Truth) -> BrokenPromise? {
        let record = truth.groups[group]
        // Its owner has been told of every task; whoever watches a detached tree is told of them one after the other, too.
        // A group whose task was given up closes without what the task may still be adding, which is refused later.
        guard record.client == client, !record.isDetached, record.opener == nil else { return nil }
        var counts = TaskCounts()
        for task in record.tasks where truth.isCertain(task) {
            guard let told = truth.tasks[task].told, truth.tasks[task].isOwnerTold else {
                // What it asked for again is refused later than the log of the tree is told.
                if truth.clients[client].wasOutOfSight { return nil }
                return broken(
                    "\(truth.name(task: task)) was not told before its group closed",
                    truth.evidence(task: task)
                )
            }
            counts.count(told.outcome)
        }
        func fault(_ message: String) -> BrokenPromise {
            broken("\(truth.name(group: group)) \(message)", truth.evidence(group: group))
        }
        if counts != report.counts { return fault("counts \(report.counts), but \(counts) were told") }
        let children = truth.children(of: group).filter { truth.groups[$0].client == client }
        let inner = children.filter { !truth.groups[$0].spec.isScope }.compactMap { truth.groups[$0].closed?.outcome }
        let isBodyFailed = record.body?.word == "failed"
        let failures = counts.failed + inner.count { $0 == .errors || $0 == .timeout } + (isBodyFailed ? 1 : 0)
        // Which failures count under `first` depends on when they came.
        if record.spec.policy == .first { return nil }
        if failures > 0, report.outcome != .errors { return fault("is \(report.outcome), with \(failures) failures") }
        if failures == 0, report.outcome == .errors { return fault("has errors, but nothing in it failed") }
        return nil
    }
}
