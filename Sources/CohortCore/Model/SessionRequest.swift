/// Which of its sessions a peer asks for.
///
/// A peer numbers the sessions that it asks for, whatever becomes of them, and gives each a connection of its own. Of what
/// arrives on different connections nobody knows what was said first; the numbers tell (section 6.6).
package struct SessionRequest: Sendable, Equatable {
    /// 1, 2, 3, …
    package var number: UInt32
    /// The latest one that it has had, which this one is to continue; 0 if it continues nothing.
    package var previous: UInt32
    /// The memory that it was part of (`CoordinatorCore.lineage`); 0 if it continues nothing.
    package var lineage: UInt64

    package init(number: UInt32 = 1, previous: UInt32 = 0, lineage: UInt64 = 0) {
        self.number = number
        self.previous = previous
        self.lineage = lineage
    }
}

/// Which of a peer's sessions are known here, by the numbers that the peer has given them.
package struct KnownSessions: Sendable, Equatable {
    /// What the peer had in earlier ones is not known here, or is over.
    package var first: UInt32
    /// The latest one that it has asked for.
    package var latest: UInt32

    package init(first: UInt32, latest: UInt32) {
        self.first = first
        self.latest = latest
    }

    /// It has been heard in the latest one.
    ///
    /// - Returns: whether that is news.
    mutating func confirm() -> Bool {
        guard first > latest else { return false }
        first = latest
        return true
    }

    /// Whether what the peer had in its session of that number is known, if it was here.
    func contains(_ number: UInt32) -> Bool { number != 0 && number >= first }
}
