/// What has changed since the last batch: places to look at when the next one is made, and rows that are certain already.
struct JournalDraft: Sendable, Equatable {
    var tasks: [TaskKey] = []
    var groups: [GroupID] = []
    /// Groups whose rows are behind without harm: they go with the next batch that there is, and make none.
    var lateGroups: Set<GroupID> = []
    /// Tasks whose last failure is a new one.
    var failures: [TaskKey] = []
    var clients: [UInt32] = []
    var joins: [ClientKey] = []
    var workers: [UInt32] = []
    /// Submissions, ends, closings, and all that is over.
    var batch = JournalBatch()
    /// Groups from here on were opened since the last batch.
    var firstNewGroup: UInt64 = 1
}

/// Marks of what the next batch must hold. Without a journal they cost a branch.
extension CoordinatorCore {
    mutating func changed(task: UInt32) {
        guard keepsJournal else { return }
        draft.tasks.append(TaskKey(index: task, generation: tasks[Int(task)].generation))
    }

    mutating func changed(group place: UInt32) {
        guard keepsJournal else { return }
        let id = groups[Int(place)].id
        if draft.groups.last != id { draft.groups.append(id) }
    }

    /// What has changed is told again if it is lost.
    mutating func changedLittle(group place: UInt32) {
        if keepsJournal { draft.lateGroups.insert(groups[Int(place)].id) }
    }

    /// There is a new failure to be remembered of a task.
    mutating func changed(failureOf task: UInt32) {
        guard keepsJournal else { return }
        draft.failures.append(TaskKey(index: task, generation: tasks[Int(task)].generation))
    }

    /// The task ends, and what has been remembered of its failures goes.
    mutating func settled(failureOf task: UInt32) {
        guard keepsJournal else { return }
        let record = tasks[Int(task)]
        draft.batch.settledFailures.append(
            JournalTaskPlace(group: groups[Int(record.group)].id, index: record.index)
        )
    }

    mutating func changed(client place: UInt32) {
        guard keepsJournal else { return }
        if draft.clients.last != place { draft.clients.append(place) }
    }

    mutating func changed(join key: GroupKey, of client: UInt32) {
        guard keepsJournal, clients[Int(client)].token != .none else { return }
        draft.joins.append(ClientKey(client: clients[Int(client)].token, key: key))
    }

    mutating func changed(worker place: UInt32) {
        guard keepsJournal else { return }
        if draft.workers.last != place { draft.workers.append(place) }
    }
}
