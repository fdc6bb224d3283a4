/// All that a journal holds: what a store loads, and what a coordinator begins with.
///
/// Instants are those of the monotonic clock of the coordinator that begins with it: a store keeps them as the time of day.
package struct JournalState: Sendable, Equatable {
    package var counters = JournalCounters()
    package var clients: [PeerToken: JournalClient] = [:]
    package var joins: [ClientKey: JournalJoin] = [:]
    package var workers: [UInt32: JournalWorker] = [:]
    package var groups: [GroupID: JournalGroup] = [:]
    /// By group, each list in ascending order of the first task's number.
    package var submissions: [GroupID: [JournalSubmission]] = [:]
    /// By group and number.
    package var tasks: [GroupID: [UInt32: JournalTask]] = [:]
    /// By group and number.
    package var failures: [GroupID: [UInt32: PendingFailure]] = [:]
    /// By head, each list in ascending order of sequence.
    package var ends: [GroupID: [JournalEnd]] = [:]
    /// By head, each list in ascending order of sequence.
    package var closings: [GroupID: [JournalClosing]] = [:]

    package init() {}

    /// Does what a store does when it commits a batch.
    package mutating func apply(_ batch: JournalBatch) {
        counters = batch.counters
        // A client that has gone may have come back since, with nothing.
        for token in batch.departedClients {
            clients[token] = nil
            for key in joins.keys where key.client == token { joins[key] = nil }
        }
        for client in batch.clients { clients[client.token] = client }
        for join in batch.joins { joins[join.key] = join }
        for key in batch.departedJoins { joins[key] = nil }
        for worker in batch.workers { workers[worker.number] = worker }
        for number in batch.forgottenWorkers { workers[number] = nil }
        for group in batch.groups { groups[group.id] = group }
        for submission in batch.submissions {
            let last = submissions[submission.group]?.last?.first
            if last.map({ $0 < submission.first }) ?? true {
                submissions[submission.group, default: []].append(submission)
            }
        }
        for task in batch.tasks { tasks[task.group, default: [:]][task.index] = task }
        for row in batch.failures { failures[row.group, default: [:]][row.index] = row.failure }
        for place in batch.settledFailures {
            failures[place.group]?[place.index] = nil
            if failures[place.group]?.isEmpty == true { failures[place.group] = nil }
        }
        for end in batch.ends {
            tasks[end.report.group]?[end.report.index] = nil
            if tasks[end.report.group]?.isEmpty == true { tasks[end.report.group] = nil }
            let last = ends[end.head]?.last?.sequence
            if last.map({ $0 < end.sequence }) ?? true { ends[end.head, default: []].append(end) }
        }
        for closing in batch.closings { close(closing) }
        for head in batch.forgotten {
            groups[head] = nil
            ends[head] = nil
            closings[head] = nil
        }
    }

    private mutating func close(_ closing: JournalClosing) {
        let group = closing.report.group
        submissions[group] = nil
        tasks[group] = nil
        failures[group] = nil
        if group != closing.head { groups[group] = nil }
        let last = closings[closing.head]?.last?.sequence
        if last.map({ $0 < closing.sequence }) ?? true { closings[closing.head, default: []].append(closing) }
    }
}
