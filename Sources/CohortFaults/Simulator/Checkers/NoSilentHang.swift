internal import CohortCore

/// Promise 6: whoever waits learns in time that the other side is lost, and once all is healed everything comes to its end.
struct NoSilentHang: Checker {
    let promise = Promise.noSilentHang

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        guard case .end = observation else { return nil }
        if let execution = truth.running.first {
            let task = truth.executions[execution].task
            return broken("a program is still running in the end", truth.evidence(task: task))
        }
        for group in truth.groups.indices where truth.isAwaited(group) && truth.groups[group].closed == nil {
            return broken("\(truth.name(group: group)) has not come to its end", evidence(group, truth))
        }
        return nil
    }

    private func evidence(_ group: Int, _ truth: Truth) -> [String] {
        let open = truth.groups[group].tasks.filter { truth.tasks[$0].told == nil && !truth.tasks[$0].isRefused }
        return truth.evidence(group: group)
            + open.prefix(3).flatMap { task in
                ["\(truth.name(task: task)) has no outcome"]
                    + truth.tasks[task].executions.map(truth.describe(execution:))
            }
    }

    /// A peer whose session is open has not heard of the coordinator for longer than the lease allows.
    func silent(_ name: String, for span: TimeSpan, _ scene: Scene) -> BrokenPromise? {
        let most = scene.truth.limits.lease.nanoseconds + 4 * scene.latency.nanoseconds
        guard span.nanoseconds > most else { return nil }
        return broken("\(name) has heard nothing for \(span.seconds) s, and does not say so", [])
    }
}
