internal import CohortCore

/// Holds back what may not be told before it is on disk.
///
/// What a flush has brought about goes out when its batch has been committed, and never before what an earlier flush has
/// brought about.
struct Gate: Sendable {
    /// All of one flush.
    struct Held: Sendable {
        var ticket: UInt64 = 0
        var actions: [CoordinatorAction] = []
        /// How much of each peer had come in: it is acknowledged only now.
        var received: [(SessionID, UInt64)] = []
    }

    private var lastTicket: UInt64 = 0
    private var committed: UInt64 = 0
    private var queue: [Held] = []

    /// The number of the next batch.
    mutating func nextTicket() -> UInt64 {
        lastTicket += 1
        return lastTicket
    }

    /// Keeps what follows from the batches so far.
    ///
    /// - Returns: it, if all of them have been committed: then it need not wait.
    mutating func hold(_ held: Held) -> Held? {
        guard committed < lastTicket else { return held }
        guard !held.actions.isEmpty || !held.received.isEmpty else { return nil }
        var held = held
        held.ticket = lastTicket
        queue.append(held)
        return nil
    }

    /// - Returns: what may go out now, oldest first.
    mutating func committed(_ ticket: UInt64) -> [Held] {
        committed = max(committed, min(ticket, lastTicket))
        let count = queue.firstIndex { $0.ticket > committed } ?? queue.count
        defer { queue.removeFirst(count) }
        return Array(queue.prefix(count))
    }
}
