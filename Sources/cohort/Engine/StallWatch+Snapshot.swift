internal import CohortCore
internal import CohortReport

extension StallWatch {
    /// What to tell people of the coordinator's answer, as far as it is about a group that is open.
    mutating func explanation(_ snapshot: Snapshot, of id: GroupID) -> String? {
        answered()
        guard let group = snapshot.groups.first(where: { $0.group == id }), group.outcome == nil else { return nil }
        return explanation(reason: group.waiting, running: group.counts.running, ended: group.counts.ended)
    }
}
