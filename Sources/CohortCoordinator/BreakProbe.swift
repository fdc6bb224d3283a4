package import CohortCore

/// When to look whose connection has broken.
///
/// Each look says something to every peer, and anybody who can connect can break connections as often as he likes.
package struct BreakProbe: Sendable {
    /// The socket learns of a break a little later than its monitor.
    package static let delay = TimeSpan.milliseconds(20)
    /// From one look to the next, at least.
    package static let interval = TimeSpan.milliseconds(250)

    /// When `take` gives a look; `nil` if nothing has broken since the last one.
    package private(set) var dueAt: Instant?
    private var last: Instant?

    package init() {}

    /// A connection has broken: one look serves all that break until then.
    package mutating func connectionLost(at now: Instant) {
        guard dueAt == nil else { return }
        let soon = now.advanced(by: Self.delay)
        dueAt = last.map { max(soon, $0.advanced(by: Self.interval)) } ?? soon
    }

    /// Whether to look now.
    package mutating func take(at now: Instant) -> Bool {
        guard let dueAt, dueAt <= now else { return false }
        self.dueAt = nil
        last = now
        return true
    }
}
