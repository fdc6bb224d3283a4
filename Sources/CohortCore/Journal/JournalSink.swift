/// A batch on its way to the journal.
package struct JournalEntry: Sendable, Equatable {
    /// 1, 2, 3, …
    package var ticket: UInt64
    package var batch: JournalBatch

    package init(ticket: UInt64, batch: JournalBatch) {
        self.ticket = ticket
        self.batch = batch
    }
}

/// What a journal tells the coordinator that it writes for. The texts are for people.
package enum JournalNotice: Sendable, Equatable {
    /// Everything up to the entry of this ticket is on disk.
    case committed(UInt64)
    /// Writing has failed and is tried again.
    case stalled(String)
    /// It works again.
    case recovered
    /// Writing has failed for too long, and is tried no more.
    case failed(String)
}

/// Whoever writes a journal, on a thread of its own.
package protocol JournalSink: Sendable {
    /// Begins; the notices come on any thread.
    func start(_ notify: @escaping @Sendable (JournalNotice) -> Void)
    /// Takes entries to be written, in this order, after all before. Returns at once.
    func append(_ entries: [JournalEntry])
}
