internal import CohortCore

/// Promise 3: a group closes only when every task and child group in it has ended, and every process of theirs is gone.
struct Structure: Checker {
    let promise = Promise.structure

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        switch observation {
        case .groupOpened(let group, _): return opened(group, truth)
        case .groupClosed(let group, let report, let client):
            return closed(group, report, client, scene)
        case .taskTold(let task, _, _, _, let client):
            let group = truth.tasks[task].group
            // A repeated telling of a tree begins at its start.
            if truth.groups[group].closed != nil, truth.tasks[task].told == nil, truth.groups[group].client == client {
                return broken(
                    "\(truth.name(task: task)) is told after its group has closed",
                    truth.evidence(task: task)
                )
            }
            return nested(task, scene)
        case .programBegan(let execution):
            let task = truth.executions[execution].task
            // A worker that was out of reach may begin what it had been given before.
            let isInReach = scene.isInReach(worker: truth.executions[execution].worker)
            if truth.groups[truth.tasks[task].group].closed != nil, isInReach {
                return broken(
                    "\(truth.name(task: task)) was started after its group had closed",
                    truth.evidence(task: task)
                )
            }
            return nil
        default: return nil
        }
    }

    /// A task opens groups for as long as it runs. When another attempt of it has begun, nobody waits for those of the one
    /// before.
    private func opened(_ group: Int, _ truth: Truth) -> BrokenPromise? {
        guard let opener = truth.groups[group].opener else { return nil }
        let run = truth.executions[opener]
        let isOver = truth.tasks[run.task].executions.contains { later in
            let other = truth.executions[later]
            return other.ref.task == run.ref.task && other.ref.attempt > run.ref.attempt
                && other.began < truth.groups[group].asked
        }
        guard isOver else { return nil }
        return broken(
            "\(truth.name(group: group)) was opened for an attempt of \(truth.name(task: run.task)) that was over",
            truth.evidence(task: run.task)
        )
    }

    /// A task ends when the groups that it has opened have closed.
    private func nested(_ task: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        guard truth.tasks[task].template.function == "nest" else { return nil }
        for execution in truth.running {
            let run = truth.executions[execution]
            let isInside = truth.path(from: truth.tasks[run.task].group).contains { place in
                truth.groups[place].opener.map { truth.executions[$0].task == task } == true
            }
            guard isInside, scene.isInReach(worker: run.worker) else { continue }
            return broken(
                "\(truth.name(task: task)) ends before a program that it has begun",
                [truth.describe(execution: execution)] + truth.evidence(task: task)
            )
        }
        return nil
    }

    private func closed(_ group: Int, _ report: GroupReport, _ client: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let record = truth.groups[group]
        func fault(_ message: String, _ evidence: [String] = []) -> BrokenPromise {
            broken("\(truth.name(group: group)) \(message)", evidence + truth.evidence(group: group))
        }
        if let before = record.closed, before.outcome != report.outcome {
            return fault("has two outcomes: \(before.outcome), then \(report.outcome)")
        }
        for task in record.tasks {
            for execution in truth.tasks[task].executions where truth.isRunning(execution) {
                // Of a worker that was given up it is known only that it will be over soon.
                let worker = truth.executions[execution].worker
                guard scene.isInReach(worker: worker) else { continue }
                return fault("closes while a program of it runs", [truth.describe(execution: execution)])
            }
        }
        for child in truth.groups.indices where truth.enclosing(child) == group && truth.isAwaited(child) {
            // What another client is told may come later.
            let sibling = truth.groups[child]
            if sibling.client == record.client, client == record.client, sibling.closed == nil, sibling.id != nil {
                return fault("closes before \(truth.name(group: child))")
            }
        }
        if record.spec.acceptsSiblings {
            let accepted = record.tasks.count { truth.isCertain($0) }
            if report.counts.ended < accepted {
                return fault("closes with \(report.counts.ended) tasks, though \(accepted) were accepted")
            }
            return nil
        }
        let accepted = record.tasks.count { !truth.tasks[$0].isRefused }
        // What comes for a group of a task that has ended is refused later than that, and what is asked for again is, too.
        let isSure = record.opener == nil && !truth.clients[record.client].wasOutOfSight
        if client == record.client, isSure, report.counts.ended != accepted {
            return fault("closes with \(report.counts.ended) tasks, but has \(accepted)")
        }
        return nil
    }
}
