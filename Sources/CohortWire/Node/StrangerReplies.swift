internal import CohortCore

/// How often those were answered in this second who have no session.
///
/// Answers to somebody who never reads them would gather in memory, one for each message that he cares to send.
struct StrangerReplies: Sendable {
    private var counts: [[UInt8]: Int] = [:]
    private var total = 0
    private var ends = Instant(nanoseconds: 0)

    /// Whether there may be one more answer.
    mutating func allow(_ route: [UInt8], _ limits: Limits, at now: Instant) -> Bool {
        if now >= ends {
            counts.removeAll(keepingCapacity: true)
            total = 0
            ends = now.advanced(by: .seconds(1))
        }
        guard total < limits.strangerReplies, counts[route, default: 0] < limits.repliesPerStranger else {
            return false
        }
        counts[route, default: 0] += 1
        total += 1
        return true
    }
}
