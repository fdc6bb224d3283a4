internal import CohortCore

/// Finds out why nothing happens to a group, so that nobody waits for it in vain and without a word.
///
/// After a silence the coordinator is to be asked; the pauses between two questions grow while nothing comes.
struct StallWatch {
    private static let shortestPause = Duration.seconds(2)
    private static let longestPause = Duration.seconds(60)
    /// What has been told is news again after that, if things have gone on in between.
    private static let newsAgain = Duration.seconds(600)

    /// When to ask next.
    private(set) var askAt = ContinuousClock.now + shortestPause
    private var pause = shortestPause
    private var told: (reason: String, at: ContinuousClock.Instant)?
    private var hasMovedSince = false

    /// News of the group has come.
    mutating func heard() {
        pause = Self.shortestPause
        askAt = .now + pause
        hasMovedSince = true
    }

    /// Whether to ask now; the next time is later.
    mutating func isDue() -> Bool {
        guard ContinuousClock.now >= askAt else { return false }
        pause = min(pause * 2, Self.longestPause)
        askAt = .now + pause
        return true
    }

    /// What to tell of the answer: why none of the group's tasks runs, unless that has been told; `nil` for nothing.
    mutating func explanation(_ snapshot: Snapshot, of id: GroupID) -> String? {
        guard let group = snapshot.groups.first(where: { $0.group == id }), group.outcome == nil else { return nil }
        let counts = group.counts
        guard counts.running == 0, !group.waiting.isEmpty else { return nil }
        if let told, told.reason == group.waiting, !hasMovedSince || told.at + Self.newsAgain > .now { return nil }
        told = (group.waiting, .now)
        hasMovedSince = false
        return (counts.ended > 0 ? "no task runs: " : "no task has started yet: ") + group.waiting
    }
}
