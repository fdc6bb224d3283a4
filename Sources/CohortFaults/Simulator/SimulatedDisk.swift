internal import CohortCore

/// The disk of the coordinator with its journal: what has been committed survives, the rest does not.
///
/// Whatever has gathered while a commit was under way goes into the next one, as one transaction.
struct SimulatedDisk {
    private(set) var state = JournalState()
    private var waiting: [JournalEntry] = []
    private var underWay: [JournalEntry] = []

    var isIdle: Bool { underWay.isEmpty }

    mutating func write(_ entries: [JournalEntry]) { waiting += entries }

    /// Begins a commit of what has gathered.
    ///
    /// - Returns: up to which ticket; `nil` if there is nothing, or one is under way already.
    mutating func begin() -> UInt64? {
        guard underWay.isEmpty, let last = waiting.last else { return nil }
        swap(&underWay, &waiting)
        return last.ticket
    }

    /// The commit that was under way is on the disk.
    mutating func commit() {
        for entry in underWay { state.apply(entry.batch) }
        underWay.removeAll()
    }

    /// The process that was writing is killed: of the transaction that was under way, all is there or nothing.
    mutating func tear(keepsLast: Bool) {
        if keepsLast { commit() }
        underWay.removeAll()
        waiting.removeAll()
    }
}
