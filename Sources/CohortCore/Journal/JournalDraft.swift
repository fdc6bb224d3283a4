/// What has changed since the last batch: places to look at when the next one is made, and rows that are certain already.
struct JournalDraft: Sendable, Equatable {
    var tasks: [TaskKey] = []
    var groups: [GroupID] = []
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
