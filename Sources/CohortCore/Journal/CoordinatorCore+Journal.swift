/// What the journal is told with each flush.
extension CoordinatorCore {
    /// Everything that has changed since the last batch, as it stands now; `nil` if nothing has.
    mutating func takeBatch() -> JournalBatch? {
        var batch = JournalBatch()
        swap(&batch, &draft.batch)
        for place in draft.clients.sortedUnique() where !clients[Int(place)].isGone {
            if clients[Int(place)].token != .none { batch.clients.append(journalRow(ofClient: place)) }
        }
        for key in draft.joins.sortedUnique() {
            // Those of a client that has gone go with it.
            guard let client = clientTokens[key.client] else { continue }
            if let joined = clients[Int(client)].joined[key.key] {
                batch.joins.append(JournalJoin(key: key, group: joined.group, task: joined.task))
            } else {
                batch.departedJoins.append(key)
            }
        }
        for place in draft.workers.sortedUnique() where !workers[Int(place)].isGone {
            batch.workers.append(journalRow(of: workers[Int(place)], departed: false))
        }
        for key in draft.failures.sortedUnique() {
            let task = UInt32(key.index)
            guard tasks[key.index].generation == key.generation, let failure = pendingFailures[task] else { continue }
            let group = groups[Int(tasks[key.index].group)].id
            batch.failures.append(JournalFailure(group: group, index: tasks[key.index].index, failure: failure))
        }
        for id in draft.groups.sortedUnique() {
            guard let place = groupPlaces[id] else { continue }
            batch.groups.append(journalRow(ofGroup: place))
        }
        for key in draft.tasks.sortedUnique() {
            let task = UInt32(key.index)
            guard tasks[key.index].generation == key.generation, tasks[key.index].state != .free else { continue }
            batch.tasks.append(journalRow(ofTask: task))
        }
        draft.clients.removeAll(keepingCapacity: true)
        draft.joins.removeAll(keepingCapacity: true)
        draft.workers.removeAll(keepingCapacity: true)
        draft.groups.removeAll(keepingCapacity: true)
        draft.tasks.removeAll(keepingCapacity: true)
        draft.failures.removeAll(keepingCapacity: true)
        leaveOutForgotten(&batch)
        draft.firstNewGroup = nextGroup
        guard !batch.isEmpty else { return nil }
        addLate(to: &batch)
        batch.counters = journalCounters
        return batch
    }

    private mutating func addLate(to batch: inout JournalBatch) {
        guard !draft.lateGroups.isEmpty else { return }
        let known = Set(batch.groups.map(\.id))
        for id in draft.lateGroups.sorted() where !known.contains(id) {
            if let place = groupPlaces[id] { batch.groups.append(journalRow(ofGroup: place)) }
        }
        draft.lateGroups.removeAll(keepingCapacity: true)
    }

    /// What came and went between two flushes need not be written at all.
    private func leaveOutForgotten(_ batch: inout JournalBatch) {
        let closed = Set(batch.closings.map(\.report.group))
        if !closed.isEmpty { batch.submissions.removeAll { closed.contains($0.group) } }
        guard !batch.forgotten.isEmpty else { return }
        let forgotten = Set(batch.forgotten)
        let firstNew = draft.firstNewGroup
        batch.ends.removeAll { forgotten.contains($0.head) }
        batch.closings.removeAll { forgotten.contains($0.head) && $0.report.group.value >= firstNew }
        batch.forgotten.removeAll { $0.value >= firstNew }
    }

    /// Notes tasks that are about to be added to a group, save for the first few, which were there before.
    mutating func journal(
        _ submission: TaskSubmission,
        to place: UInt32,
        templates table: [UInt32],
        skipping known: Int,
        _ origin: JournalJoinedSubmission?
    ) {
        var skip = known
        var offset = 0
        var runs: [JournalRun] = []
        for run in submission.runs {
            let skipped = min(skip, run.lengths.count)
            skip -= skipped
            offset += run.lengths[..<skipped].reduce(0) { $0 + Int($1) }
            guard skipped < run.lengths.count else { continue }
            let template = templates[Int(table[Int(run.template)])].id
            runs.append(JournalRun(template: template, lengths: Array(run.lengths[skipped...])))
        }
        // All of it is known.
        guard !runs.isEmpty else { return }
        let group = groups[Int(place)]
        let new = group.templates[group.journalledTemplates...]
        groups[Int(place)].journalledTemplates = group.templates.count
        draft.batch.submissions.append(
            JournalSubmission(
                group: group.id,
                first: group.nextIndex,
                order: nextOrder,
                templates: new.map {
                    JournalTemplate(id: templates[Int($0)].id, template: templates[Int($0)].template)
                },
                runs: runs,
                payload: Array(submission.payload[offset...]),
                joined: origin
            )
        )
    }

    var journalCounters: JournalCounters {
        var counters = JournalCounters()
        counters.nextGroup = nextGroup
        counters.nextTemplate = nextTemplate
        counters.nextWorker = nextWorker
        counters.nextOrder = nextOrder
        counters.nextSequence = nextSequence
        counters.generation = topGeneration
        counters.lineage = lineage
        return counters
    }

    // MARK: Rows

    func journalRow(ofClient place: UInt32) -> JournalClient {
        let client = clients[Int(place)]
        return JournalClient(
            token: client.token,
            sessions: client.sessions,
            keys: client.keys.ranges,
            extensions: client.extensions
        )
    }

    func journalRow(of worker: WorkerRecord, departed: Bool) -> JournalWorker {
        var offer = worker.offer
        offer.held = []
        return JournalWorker(
            number: worker.number,
            token: worker.token,
            latestSession: worker.latestSession,
            offer: offer,
            draining: worker.draining,
            departed: departed
        )
    }

    func journalRow(ofGroup place: UInt32) -> JournalGroup {
        let group = groups[Int(place)]
        return JournalGroup(
            id: group.id,
            key: group.key,
            owner: group.owner == GroupRecord.none ? .none : clients[Int(group.owner)].token,
            name: group.name,
            parent: group.parent == GroupRecord.none ? nil : groups[Int(group.parent)].id,
            opener: group.opener == TaskRecord.none ? nil : tasks[Int(group.opener)].index,
            head: groups[Int(group.head)].id,
            policy: group.policy,
            limit: group.limit,
            grace: group.grace,
            shield: group.shield,
            detached: group.detached,
            isScope: group.isScope,
            acceptsSiblings: group.acceptsSiblings,
            isCleanup: group.isCleanup,
            phase: group.phase,
            sealed: group.sealed,
            orphaned: group.orphaned,
            openedAt: group.openedAt,
            closedAt: group.phase == .closed ? group.closedAt : nil,
            deadline: group.deadline,
            timedOut: group.timedOut,
            cancelledFromOutside: group.cancelledFromOutside,
            cause: group.cause,
            reason: group.reason,
            deadlineOf: group.deadlineOf,
            failures: group.failures,
            hasWinner: group.hasWinner,
            childCancelled: group.childCancelled,
            bodyCancelled: group.bodyCancelled,
            bodyFailed: group.bodyFailed,
            outcome: group.outcome,
            counts: group.counts,
            closedBelow: group.closedBelow,
            closedInside: group.closedInside,
            omitted: group.omitted,
            receivedUpTo: group.receivedUpTo
        )
    }

    func journalRow(ofTask task: UInt32) -> JournalTask {
        let record = tasks[Int(task)]
        return JournalTask(
            group: groups[Int(record.group)].id,
            index: record.index,
            key: TaskKey(index: task, generation: record.generation),
            state: record.state,
            attempt: record.attempt,
            executions: record.executions,
            worker: record.lastWorker,
            flags: record.flags.subtracting(.cancelSeen),
            cause: record.cause,
            startedAt: Instant(nanoseconds: record.startedAt),
            crashes: crashes[task] ?? 0,
            end: pendingEnds[task]
        )
    }
}

extension Array where Element: Comparable {
    fileprivate func sortedUnique() -> [Element] {
        guard count > 1 else { return self }
        var result: [Element] = []
        result.reserveCapacity(count)
        for element in sorted() where result.last != element { result.append(element) }
        return result
    }
}
