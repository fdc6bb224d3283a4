internal import CohortCore

/// Promise 4, as far as deadlines are concerned: one that was moved counts as it was moved, once for each request, whatever
/// becomes of the coordinator meanwhile. It does not come before its time, and not after it.
struct ExactDeadlines: Checker {
    let promise = Promise.boundedCancellation

    mutating func observe(_ observation: Observation, _ scene: Scene) -> BrokenPromise? {
        switch observation {
        case .groupClosed(let group, let report, _): early(group, report, scene)
        case .sweep: firstOverdue(scene)
        default: nil
        }
    }

    private func early(_ group: Int, _ report: GroupReport, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let record = truth.groups[group]
        guard report.cause == .deadline, report.deadlineOf == record.spec.name else { return nil }
        let told = record.stopTold ?? scene.now
        if let earliest = record.deadline.earliest, earliest <= told { return nil }
        let due = record.deadline.earliest.map { "is not due before \(truth.seconds($0))" } ?? "does not exist"
        return broken(
            "\(truth.name(group: group)) was stopped at \(truth.seconds(told)) by its deadline, which \(due)",
            truth.evidence(group: group)
        )
    }

    private func firstOverdue(_ scene: Scene) -> BrokenPromise? {
        for group in scene.truth.groups.indices {
            if let fault = overdue(group, scene) { return fault }
        }
        return nil
    }

    /// A group that is certainly open, for its owner may still add to it, and was to be stopped.
    private func overdue(_ group: Int, _ scene: Scene) -> BrokenPromise? {
        let truth = scene.truth
        let record = truth.groups[group]
        guard let due = record.deadline.latest, record.body == nil, record.stopTold == nil, record.closed == nil,
            record.id != nil, !record.isForgotten, truth.isAwaited(group), let calm = scene.calm(client: record.client),
            max(due, calm).advanced(by: scene.noticing) < scene.now
        else { return nil }
        return broken(
            "\(truth.name(group: group)) was not stopped by its deadline, which was due at \(truth.seconds(due))",
            truth.evidence(group: group)
        )
    }
}
