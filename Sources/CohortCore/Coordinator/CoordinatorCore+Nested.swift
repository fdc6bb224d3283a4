internal import DequeModule

/// Groups that tasks open: the slots of tasks that wait for them (R11), and what is left of them when their task has ended.
extension CoordinatorCore {
    // MARK: Slots

    /// Takes note of tasks that wait and give up their slots, and of those that want one back.
    mutating func slotsReported(_ report: WorkerReport, by worker: UInt32, at now: Instant) {
        for ref in report.waiting {
            guard let task = task(ref, at: worker) else {
                staleMessages += 1
                continue
            }
            tasks[Int(task)].flags.insert(.startTold)
            attemptStarted(task, at: now)
            guard tasks[Int(task)].state == .running else { continue }
            beginWaiting(task)
        }
        for ref in report.wanting {
            guard let task = task(ref, at: worker) else {
                staleMessages += 1
                continue
            }
            guard tasks[Int(task)].state == .waiting else { continue }
            beginWanting(task)
        }
    }

    mutating func beginWaiting(_ task: UInt32) {
        releaseSlot(of: task)
        tasks[Int(task)].state = .waiting
        groups[Int(tasks[Int(task)].group)].suspended += 1
        workers[Int(tasks[Int(task)].worker)].suspended += 1
        changed(task: task)
    }

    mutating func beginWanting(_ task: UInt32) {
        tasks[Int(task)].state = .wanting
        changed(task: task)
        let group = Int(tasks[Int(task)].group)
        if !groups[group].isFull || tasks[Int(task)].flags.contains(.cancelRequested) {
            letProceed(task)
        } else {
            groups[group].wanting.append(task)
        }
    }

    /// A task that has waited counts as one that holds a slot again. Its worker gives it the next one that is free there,
    /// before anything that has not begun.
    mutating func letProceed(_ task: UInt32) {
        let group = Int(tasks[Int(task)].group)
        let worker = tasks[Int(task)].worker
        groups[group].wanting.removeAll { $0 == task }
        groups[group].suspended -= 1
        groups[group].held += 1
        tasks[Int(task)].state = .running
        changed(task: task)
        workers[Int(worker)].suspended -= 1
        workers[Int(worker)].held += 1
        workers[Int(worker)].running += 1
        workers[Int(worker)].proceedBox.append(ref(task))
        markWorker(worker)
    }

    // MARK: Ends

    /// The attempt of a task has ended that has groups open: nobody is there any more to wait for them.
    mutating func leaveBehind(_ task: UInt32, at now: Instant) {
        tasks[Int(task)].state = .ending
        changed(task: task)
        groups[Int(tasks[Int(task)].group)].suspended += 1
        // A cancelled task had its grace, and what it opened in its cleanup has none beyond that (promise 4). One whose
        // process died has nobody to clean up for.
        let isOver = tasks[Int(task)].flags.contains(.cancelRequested) || pendingEnds[task]?.attempt.status == .lost
        stopNested(of: task, grace: isOver ? .zero : nil, at: now)
    }

    /// Stops what a task has opened, shields or not, for there is nobody who could wait for it.
    mutating func stopNested(of task: UInt32, grace: TimeSpan?, at now: Instant) {
        for group in nestedGroups[task] ?? [] where nestedGroups[task]?.contains(group) == true {
            sealTree(below: group)
            stopWhole(group, .ownerLost, reason: "the task that opened it has ended", grace: grace, at: now)
            closeIfDone(group, at: now)
        }
    }

    /// A group that a task has opened is closed. If the task waits for nothing else, it is settled.
    mutating func nestedClosed(_ group: UInt32, of task: UInt32, at now: Instant) {
        nestedGroups[task]?.removeAll { $0 == group }
        guard nestedGroups[task]?.isEmpty == true else { return }
        nestedGroups[task] = nil
        guard let end = pendingEnds.removeValue(forKey: task) else { return }
        groups[Int(tasks[Int(task)].group)].suspended -= 1
        tasks[Int(task)].state = .delayed
        settle(task, end.attempt, detail: end.detail, value: end.value[...], at: now)
    }

    // MARK: Siblings

    mutating func siblingsJoined(_ session: SessionID, _ key: GroupKey, _ ref: AttemptRef) {
        guard let client = clientPlaces[session] else { return }
        func refuse(_ code: Refusal.Code, _ message: String) {
            tell(client) { $0.refusals.append(Refusal(code: code, key: key, message: message)) }
        }
        guard let task = executingTask(ref) else { return refuse(.finished, "the task has ended") }
        let group = groups[Int(tasks[Int(task)].group)]
        guard group.acceptsSiblings else {
            return refuse(.invalid, "group \(group.name) takes no tasks from its tasks")
        }
        // Sent again: tell its number once more.
        if let known = clients[Int(client)].joined[key], known.task == ref {
            return tell(client) { $0.opened.append(OpenedGroup(key: key, group: known.group)) }
        }
        guard clients[Int(client)].groups[key] == nil, clients[Int(client)].joined[key] == nil else {
            return refuse(.invalid, "the key is in use")
        }
        if mayHaveIdleJoins(client) { dropIdleJoins(of: client) }
        guard clients[Int(client)].joined.count < limits.openGroupsPerSession else {
            return refuse(.limit, "this client adds to its groups for \(limits.openGroupsPerSession) tasks already")
        }
        clients[Int(client)].joined[key] = JoinedGroup(group: group.id, task: ref)
        changed(join: key, of: client)
        groups[Int(tasks[Int(task)].group)].joiners.append(Joiner(client: client, key: key))
        tell(client) { $0.opened.append(OpenedGroup(key: key, group: group.id)) }
    }

    /// A task adds tasks to its own group, or an owner to one that its tasks may add to.
    mutating func siblingsSubmitted(_ submission: TaskSubmission, by client: UInt32, at now: Instant) {
        guard let joined = clients[Int(client)].joined[submission.group] else { return }
        let arriving = UInt32(clamping: submission.runs.reduce(0) { $0 + $1.lengths.count })
        // Messages come once and in order: what is not new was sent again in another session, whose beginning told of it.
        if UInt64(submission.first) + UInt64(arriving) <= UInt64(joined.count), arriving > 0 { return }
        guard let place = openJoinedGroup(joined) else {
            return refuseSiblings(submission, .finished, "the group is finished, or the task has ended", to: client)
        }
        if groups[Int(place)].phase == .stopping {
            let name = groups[Int(place)].name
            return refuseSiblings(submission, .shuttingDown, "group \(name) is shutting down", to: client)
        }
        guard submission.first == joined.count, Int(submission.firstTemplate) == joined.templates.count else {
            return refuseSiblings(submission, .invalid, "the submission is out of order", to: client)
        }
        let known = Known(tasks: joined.count, templates: joined.templates.count)
        if let problem = problem(of: submission, into: place, known) {
            return refuseSiblings(submission, problem.code, problem.message, to: client)
        }
        let table = joined.templates + submission.templates.map { shared($0, in: place) }
        let index = groups[Int(place)].nextIndex
        clients[Int(client)].joined[submission.group]?.templates = table
        clients[Int(client)].joined[submission.group]?.count += arriving
        let accepted = AcceptedTasks(key: submission.group, first: submission.first, index: index, count: arriving)
        tell(client) { $0.accepted.append(accepted) }
        if keepsJournal || joined.task != nil {
            clients[Int(client)].joined[submission.group]?.accept(accepted)
        }
        let update = updateInMaking(for: client)
        clients[Int(client)].joined[submission.group]?.toldIn = update
        let spawner = joined.task == nil ? nil : reference(to: client)
        if spawner != nil {
            noteContributor(client, to: groups[Int(place)].head)
            nameForOwner(submission, table, from: index, of: place)
        }
        let origin = JournalJoinedSubmission(
            client: clients[Int(client)].token,
            key: submission.group,
            first: submission.first,
            templates: table.suffix(submission.templates.count).map { templates[Int($0)].id },
            task: joined.task
        )
        addTasks(
            submission,
            to: place,
            templates: table,
            skipping: 0,
            origin: keepsJournal ? origin : nil,
            spawner: spawner,
            at: now
        )
    }

    /// The place of a template like this one in a group. The tasks of one group mostly add tasks of the same few kinds, each
    /// of them on its own.
    private mutating func shared(_ template: TaskTemplate, in place: UInt32) -> UInt32 {
        let latest = groups[Int(place)].templates.suffix(Self.templatesCompared)
        if let known = latest.last(where: { templates[Int($0)].template == template }) { return known }
        addTemplates([template], to: place)
        return groups[Int(place)].templates[groups[Int(place)].templates.count - 1]
    }

    private static let templatesCompared = 16

    /// A crawl may add tasks for one task after the other, in a group that is open all the while. Joined groups are looked
    /// through when there are twice as many as were needed the last time, and at the limit when a good part of that many tasks
    /// have ended since: it comes to a few looks for each.
    private func mayHaveIdleJoins(_ client: UInt32) -> Bool {
        let record = clients[Int(client)]
        if record.joined.count >= limits.openGroupsPerSession {
            return endedTasks - record.endsWhenTidied >= UInt64(max(limits.openGroupsPerSession / 64, 1))
        }
        return record.joined.count >= record.joinsUntilTidied
    }

    /// Frees keys for whose tasks nothing will be added any more, and nothing that was is left to be cancelled.
    private mutating func dropIdleJoins(of client: UInt32) {
        clients[Int(client)].endsWhenTidied = endedTasks
        var left: Set<UInt32> = []
        for (key, joined) in clients[Int(client)].joined.sorted(by: { $0.key.value < $1.key.value }) {
            // One that comes back is told again what it may not have been told.
            guard let task = joined.task, executingTask(task) == nil, let place = groupPlaces[joined.group],
                !keepsJournal || joined.toldIn <= clients[Int(client)].receivedUpdates,
                !joined.accepted.contains(where: { isAnyUnfinished($0, in: place) })
            else { continue }
            clients[Int(client)].joined[key] = nil
            changed(join: key, of: client)
            left.insert(place)
        }
        let kept = clients[Int(client)].joined
        for place in left.sorted() {
            let id = groups[Int(place)].id
            groups[Int(place)].joiners.removeAll { $0.client == client && kept[$0.key]?.group != id }
        }
        clients[Int(client)].joinsUntilTidied = max(ClientRecord.fewestJoinsTidied, 2 * kept.count)
    }

    private func isAnyUnfinished(_ accepted: AcceptedTasks, in place: UInt32) -> Bool {
        (accepted.index..<accepted.index + accepted.count).contains { member($0, of: place) != nil }
    }

    /// A group has closed: all keys that stand for it are free again.
    mutating func dropJoins(of place: UInt32) {
        let id = groups[Int(place)].id
        for joiner in groups[Int(place)].joiners
        where clients[Int(joiner.client)].joined[joiner.key]?.group == id {
            clients[Int(joiner.client)].joined[joiner.key] = nil
            changed(join: joiner.key, of: joiner.client)
        }
        groups[Int(place)].joiners = []
    }

    private func openJoinedGroup(_ joined: JoinedGroup) -> UInt32? {
        guard let place = groupPlaces[joined.group], groups[Int(place)].phase != .closed else { return nil }
        let isOpen = joined.task.map { executingTask($0) != nil } ?? !groups[Int(place)].sealed
        return isOpen ? place : nil
    }

    private mutating func refuseSiblings(
        _ submission: TaskSubmission,
        _ code: Refusal.Code,
        _ message: String,
        to client: UInt32
    ) {
        let refusal = Refusal(code: code, key: submission.group, from: submission.first, message: message)
        tell(client) { $0.refusals.append(refusal) }
    }

    /// The owner of the group has not submitted these tasks, so it must be told what they are called.
    private mutating func nameForOwner(
        _ submission: TaskSubmission,
        _ table: [UInt32],
        from first: UInt32,
        of place: UInt32
    ) {
        let group = groups[Int(place)]
        guard !group.detached, group.owner != GroupRecord.none else { return }
        var index = first
        for run in submission.runs {
            let name = templates[Int(table[Int(run.template)])].template.name
            for _ in run.lengths {
                tell(group.owner, TaskName(group: group.id, index: index, name: name))
                index += 1
            }
        }
    }
}
