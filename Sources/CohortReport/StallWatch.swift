/// Finds out why nothing happens to a group, so that nobody waits for it in vain and without a word.
///
/// After a silence the coordinator is to be asked; the pauses between two questions grow while nothing comes, and no question
/// follows one that has not been answered.
package struct StallWatch {
    package typealias Instant = ContinuousClock.Instant

    private static let shortestPause = Duration.seconds(2)
    /// The least silence to ask about while tasks run, which is reason enough for one.
    private static let runningPause = Duration.seconds(10)
    private static let longestPause = Duration.seconds(60)
    /// What has been told is news again after that, if things have gone on in between.
    private static let newsAgain = Duration.seconds(600)

    /// When to ask next.
    package private(set) var askAt: Instant
    private var heardAt: Instant
    private var pause = shortestPause
    private var awaitsAnswer = false
    private var hasStarted = false
    private var told: (reason: String, at: Instant)?
    private var hasMovedSince = false

    package init(at now: Instant = .now) {
        heardAt = now
        askAt = now + pause
    }

    /// News of the group has come, or a connection has been made.
    package mutating func heard(at now: Instant = .now) {
        pause = Self.shortestPause
        heardAt = now
        askAt = now + pause
        awaitsAnswer = false
        hasMovedSince = true
    }

    /// Whether to ask now; the next time is later.
    ///
    /// - Parameters:
    ///   - running: how many of the group's tasks run, as far as that was told.
    ///   - isWorthIt: whether there is anything to ask for.
    package mutating func asks(
        running: @autoclosure () -> Int,
        ifWorthIt isWorthIt: Bool = true,
        at now: Instant = .now
    ) -> Bool {
        guard now >= askAt else { return false }
        if running() > 0 {
            hasStarted = true
            if now < heardAt + Self.runningPause {
                askAt = heardAt + Self.runningPause
                return false
            }
        }
        pause = min(pause * 2, Self.longestPause)
        askAt = now + pause
        guard isWorthIt, !awaitsAnswer else { return false }
        awaitsAnswer = true
        return true
    }

    /// The coordinator has answered, whatever that was.
    package mutating func answered() { awaitsAnswer = false }

    /// What to tell people of the answer: why none of the group's tasks runs, unless that has been told.
    ///
    /// - Parameter reason: what the coordinator says; empty if it has none.
    package mutating func explanation(reason: String, running: Int, ended: Int, at now: Instant = .now) -> String? {
        if running > 0 || ended > 0 { hasStarted = true }
        guard running == 0, !reason.isEmpty else { return nil }
        if let told, told.reason == reason, !hasMovedSince || told.at + Self.newsAgain > now { return nil }
        told = (reason, now)
        hasMovedSince = false
        return (hasStarted ? "no task runs: " : "no task has started yet: ") + TerminalText.harmless(reason)
    }
}
