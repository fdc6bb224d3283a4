/// What must be written so that a journal that was equal to the coordinator's state is equal to it again.
///
/// To be applied as a whole or not at all, in the order of the members, after all batches before it. Applying one twice in a
/// row changes nothing: rows are put in the place of those with the same key, and what is deleted may be gone already.
package struct JournalBatch: Sendable, Equatable {
    /// In the place of those that were.
    package var counters = JournalCounters()
    /// These are gone, with their joins; one that has come back since has nothing of what it had.
    package var departedClients: [PeerToken] = []
    /// Key: the token.
    package var clients: [JournalClient] = []
    /// Key: the client and its key.
    package var joins: [JournalJoin] = []
    /// These stand for no group any more.
    package var departedJoins: [ClientKey] = []
    /// Key: the number.
    package var workers: [JournalWorker] = []
    /// Nothing names these any more.
    package var forgottenWorkers: [UInt32] = []
    /// Key: the group's number. Those that are open, and heads that are closed and remembered.
    package var groups: [JournalGroup] = []
    /// Key: the group and the number of the first task. They never change.
    package var submissions: [JournalSubmission] = []
    /// Key: the group and the task's number.
    package var tasks: [JournalTask] = []
    /// Key: the group and the task's number. Their tasks have rows in `tasks`.
    package var failures: [JournalFailure] = []
    /// Failures of tasks that have ended.
    package var settledFailures: [JournalTaskPlace] = []
    /// Key: the group and the task's number. Each takes the place of the task's row in `tasks`.
    package var ends: [JournalEnd] = []
    /// Key: the group's number. Submissions, tasks and failures of these groups go, and the row in `groups` of one that
    /// is no head.
    package var closings: [JournalClosing] = []
    /// Heads of which nothing is kept any more: their rows in `groups`, and the ends and closings that name them as head.
    package var forgotten: [GroupID] = []

    package init() {}

    /// Nothing has changed but, perhaps, numbers that nobody has been told.
    package var isEmpty: Bool {
        clients.isEmpty && joins.isEmpty && departedJoins.isEmpty && departedClients.isEmpty && workers.isEmpty
            && forgottenWorkers.isEmpty && groups.isEmpty
            && submissions.isEmpty && tasks.isEmpty && failures.isEmpty && settledFailures.isEmpty && ends.isEmpty
            && closings.isEmpty && forgotten.isEmpty
    }
}

/// Numbers that must not be given out twice.
package struct JournalCounters: Sendable, Equatable {
    package var nextGroup: UInt64 = 1
    package var nextTemplate: UInt64 = 1
    package var nextWorker: UInt32 = 1
    /// Of tasks, in the order of spawning.
    package var nextOrder: UInt64 = 0
    /// Of ends and closings.
    package var nextSequence: UInt64 = 0
    /// The highest generation that any task's place has had: later tenants get higher ones.
    package var generation: UInt32 = 0
    /// Of all lives that have written the journal.
    package var lineage: UInt64 = 0

    package init() {}
}
