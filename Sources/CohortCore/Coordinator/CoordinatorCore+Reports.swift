internal import DequeModule

/// What clients are told: the owner of a group at once, watchers of a detached tree from its log.
extension CoordinatorCore {
    /// Adds to what the client will be sent with the next `flush`.
    mutating func tell(_ client: UInt32, _ add: (inout ClientUpdate) -> Void) {
        guard !clients[Int(client)].isGone else { return }
        clients[Int(client)].outbox.add(add)
        markClient(client)
    }

    /// The same for a name, whose length counts.
    mutating func tell(_ client: UInt32, _ name: TaskName) {
        guard !clients[Int(client)].isGone else { return }
        clients[Int(client)].outbox.add(name)
        markClient(client)
    }

    /// Tells the client who a worker is, before the first report that names it by number.
    mutating func introduce(_ worker: UInt32, to client: UInt32) {
        guard clients[Int(client)].knownWorkers.insert(workers[Int(worker)].number).inserted else { return }
        let summary = summary(of: workers[Int(worker)])
        tell(client) { $0.workers.append(summary) }
    }

    /// The same for a worker that may have left since.
    mutating func introduce(number: UInt32, to client: UInt32) {
        guard number != 0, !clients[Int(client)].knownWorkers.contains(number) else { return }
        if let place = workers.firstIndex(where: { !$0.isGone && $0.number == number }) {
            introduce(UInt32(place), to: client)
        } else if let summary = departedWorkers.first(where: { $0.number == number }) {
            clients[Int(client)].knownWorkers.insert(number)
            tell(client) { $0.workers.append(summary) }
        }
    }

    mutating func reportEnded(_ task: UInt32, _ report: TaskReport, detail: AttemptDetail?, value: ArraySlice<UInt8>) {
        var detail = detail
        // Who watches is not told what tasks write.
        if detail?.rest != nil, reader(of: task) == nil { detail?.rest = nil }
        if keepsJournal || groups[Int(tasks[Int(task)].group)].detached {
            logEnded(task, report, detail: detail, value: value)
        }
        guard !keepsJournal else { return }
        for client in audience(of: task) {
            introduce(number: report.worker, to: client)
            deliver(report, detail: detail, value: value, to: client)
        }
    }

    /// Who is told of a task: the owner of its group, unless that is detached and keeps a log for those who ask, and the
    /// task of the group that has added it.
    func audience(of task: UInt32) -> [UInt32] {
        let group = Int(tasks[Int(task)].group)
        let owner = groups[group].detached ? GroupRecord.none : groups[group].owner
        let spawner = contributor(of: task).flatMap { $0 == .gone ? nil : $0.place }
        if let spawner, spawner != owner { return owner == GroupRecord.none ? [spawner] : [owner, spawner] }
        return owner == GroupRecord.none ? [] : [owner]
    }

    /// The client besides the owner that has added a task, which the owner knows by its name alone.
    private func contributor(of task: UInt32) -> ClientReference? {
        guard !spawners.isEmpty, let spawner = spawners[task] else { return nil }
        return isHere(spawner) ? spawner : .gone
    }

    /// What stands in the journal for a client that has added a task.
    private func token(of contributor: ClientReference) -> PeerToken {
        guard contributor != .gone else { return .gone }
        let token = clients[Int(contributor.place)].token
        return token == .none ? .gone : token
    }

    mutating func tellProgress(_ task: UInt32, _ progress: AttemptProgress) {
        let record = tasks[Int(task)]
        let row = TaskProgress(
            group: groups[Int(record.group)].id,
            index: record.index,
            fraction: progress.fraction,
            note: progress.note
        )
        for client in audience(of: task) {
            tell(client) { update in
                // Only the latest counts.
                let known = update.progress.lastIndex { $0.group == row.group && $0.index == row.index }
                if let known { update.progress[known] = row } else { update.progress.append(row) }
            }
        }
    }

    mutating func deliver(
        _ report: TaskReport,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        to client: UInt32
    ) {
        let place = Int(client)
        clients[place].outbox.add(report, detail: detail, value: value)
        clients[place].unconsumed += ClientUpdate.weight(bytes: value.count + (detail?.outputBytes ?? 0), reports: 1)
        markClient(client)
    }

    /// Keeps the report with the tree. Past the limit a detached tree keeps only failures, and the others are counted.
    private mutating func logEnded(
        _ task: UInt32,
        _ report: TaskReport,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>
    ) {
        let record = tasks[Int(task)]
        let head = groups[Int(record.group)].head
        let isFailure = report.outcome != .ok && report.outcome != .cancelled
        let kept = groups[Int(head)].log.count
        let isOmitted =
            groups[Int(record.group)].detached && kept >= limits.retainedReports
            && (!isFailure || kept >= limits.retainedReports + limits.retainedFailures)
        if isOmitted { groups[Int(record.group)].omitted += 1 }
        let name = templates[Int(record.template)].template.name
        let sibling = contributor(of: task)
        let sequence = takeSequence()
        if keepsJournal {
            draft.batch.ends.append(
                JournalEnd(
                    sequence: sequence,
                    head: groups[Int(head)].id,
                    report: report,
                    detail: isOmitted ? nil : detail,
                    value: isOmitted ? [] : Array(value),
                    name: isOmitted ? "" : name,
                    sibling: sibling.map(token(of:)) ?? .none,
                    isOmitted: isOmitted
                )
            )
        }
        guard !isOmitted else {
            // Whoever has added it waits for its end, and for nothing else in the tree.
            if keepsJournal, let sibling, sibling != .gone {
                introduce(number: report.worker, to: sibling.place)
                deliver(report, detail: detail, value: value, to: sibling.place)
            }
            return
        }
        groups[Int(head)].log.add(
            report,
            detail: detail,
            value: Array(value),
            name: name,
            sibling: sibling,
            sequence: sequence
        )
        logHasGrown(head, sibling: sibling)
    }

    private mutating func takeSequence() -> UInt64 {
        defer { nextSequence += 1 }
        return nextSequence
    }

    mutating func reportClosed(_ place: UInt32, at now: Instant) {
        let group = groups[Int(place)]
        let report = GroupReport(
            group: group.id,
            parent: group.parent == GroupRecord.none ? nil : groups[Int(group.parent)].id,
            name: group.name,
            outcome: group.outcome ?? .ok,
            timedOut: group.timedOut,
            cancelled: group.cancelledFromOutside || group.outcome == .cancelled,
            cause: group.cause,
            reason: group.reason,
            deadlineOf: group.deadlineOf,
            counts: group.counts,
            elapsed: now.since(group.openedAt),
            openedAgo: now.since(group.openedAt),
            omitted: group.omitted,
            below: group.closedInside
        )
        if group.detached || keepsJournal {
            var closed = ClosedGroup(report: report, key: group.key)
            if group.acceptsSiblings, group.owner != GroupRecord.none {
                closed.accepted = clients[Int(group.owner)].joined[group.key]?.accepted ?? []
            }
            let sequence = takeSequence()
            groups[Int(group.head)].log.add(closed, sequence: sequence)
            if keepsJournal {
                draft.batch.closings.append(
                    JournalClosing(
                        sequence: sequence,
                        head: groups[Int(group.head)].id,
                        key: closed.key,
                        report: report,
                        accepted: closed.accepted
                    )
                )
            }
            logHasGrown(group.head)
        }
        if !group.detached {
            // A task's own groups are the task's affair: what they come to shows in its outcome.
            for watcher in groups[Int(group.root)].watchers where watcher.client != group.owner && !group.isScope {
                tell(watcher.client) { $0.closed.append(report) }
            }
        }
        guard !keepsJournal else { return }
        if group.owner != GroupRecord.none, !(group.detached && isWatching(group.owner, group.root)) {
            tell(group.owner) { $0.closed.append(report) }
        }
    }

    func isWatching(_ client: UInt32, _ root: UInt32) -> Bool {
        clients[Int(client)].watching.contains(root)
    }

    // MARK: Output

    mutating func outputArrived(_ chunk: OutputChunk, _ bytes: ArraySlice<UInt8>, from worker: UInt32) {
        guard let task = task(chunk.ref, at: worker) else {
            staleMessages += 1
            return
        }
        guard let reader = reader(of: task) else {
            // Nobody reads it; the worker keeps the tails. Give the credit back, or the task would stall.
            grant(upTo: chunk.offset &+ UInt64(bytes.count), to: chunk.ref, at: worker)
            return
        }
        let isAbsent = clients[Int(reader)].isAbsent
        let fresh = bytes.dropFirst(isAbsent ? keep(chunk, for: reader) : 0)
        if isAbsent, fresh.isEmpty { return }
        let offset = chunk.offset &+ UInt64(bytes.count - fresh.count)
        pass(fresh, chunk.stream, offset: offset, of: task, execution(of: task), to: reader)
    }

    /// Notes that a piece of output is put aside for a client that is absent.
    ///
    /// - Returns: how many bytes at its beginning have been already, for its worker has told them before.
    private mutating func keep(_ chunk: OutputChunk, for reader: UInt32) -> Int {
        let (end, isBeyondAll) = chunk.offset.addingReportingOverflow(UInt64(chunk.length))
        guard !isBeyondAll else { return 0 }
        // The end of a stretch may come first: it was not acknowledged when the last session broke, and is sent again before
        // all that was not granted. What stands before it has not been told.
        guard let kept = clients[Int(reader)].passedInAbsence[chunk.ref], chunk.offset >= kept.lowerBound,
            chunk.offset <= kept.upperBound
        else {
            clients[Int(reader)].passedInAbsence[chunk.ref] = chunk.offset..<end
            return 0
        }
        clients[Int(reader)].passedInAbsence[chunk.ref] = kept.lowerBound..<max(kept.upperBound, end)
        return Int(clamping: min(kept.upperBound, end) - chunk.offset)
    }

    /// The client that is told what a task writes.
    private func reader(of task: UInt32) -> UInt32? {
        let group = groups[Int(tasks[Int(task)].group)]
        return group.detached || group.owner == GroupRecord.none ? nil : group.owner
    }

    /// The number of the task's execution that is under way, or the last one's.
    private func execution(of task: UInt32) -> UInt32 {
        let record = tasks[Int(task)]
        return UInt32(record.executions) + (record.state == .assigned ? 1 : 0)
    }

    private mutating func pass(
        _ bytes: ArraySlice<UInt8>,
        _ stream: OutputStream,
        offset: UInt64,
        of task: UInt32,
        _ execution: UInt32,
        to reader: UInt32
    ) {
        let client = Int(reader)
        clients[client].outbox.add(
            ClientOutput(
                group: groups[Int(tasks[Int(task)].group)].id,
                index: tasks[Int(task)].index,
                attempt: execution,
                stream: stream,
                offset: offset,
                length: UInt32(bytes.count)
            ),
            bytes
        )
        clients[client].unconsumed += ClientUpdate.weight(bytes: bytes.count, reports: 0)
        markClient(reader)
    }

    /// An attempt has ended and another one follows, so that its end is not told: what it has written is all the same.
    mutating func passRest(of task: UInt32, _ detail: AttemptDetail?) {
        pass(detail?.rest, of: task, execution(of: task))
    }

    /// What the last coordinator had of an attempt that failed, and may not have passed on, where another one follows.
    mutating func passRestAgain(of task: UInt32, _ detail: AttemptDetail) {
        let executions = UInt32(tasks[Int(task)].executions)
        pass(detail.rest, of: task, tasks[Int(task)].state.hasBegun ? executions - min(executions, 1) : executions)
    }

    private mutating func pass(_ rest: OutputStretch?, of task: UInt32, _ execution: UInt32) {
        guard let rest, let reader = reader(of: task) else { return }
        for piece in rest.pieces() {
            pass(piece.bytes, piece.stream, offset: piece.offset, of: task, execution, to: reader)
        }
    }

    private mutating func grant(upTo position: UInt64, to ref: AttemptRef, at worker: UInt32) {
        // One that comes back tells again what was not granted.
        guard !workers[Int(worker)].isAbsent else { return }
        workers[Int(worker)].grantBox.append(OutputGrant(ref: ref, position: position))
        markWorker(worker)
    }

    mutating func consumed(_ session: SessionID, weight: UInt64, _ outputs: [ConsumedOutput]) {
        guard let client = clientPlaces[session] else { return }
        let before = clients[Int(client)].unconsumed
        clients[Int(client)].unconsumed = before > weight ? before - weight : 0
        if before > limits.unconsumedBytes { mayAssign = true }
        for output in outputs {
            guard let place = groupPlaces[output.group], groups[Int(place)].owner == client else { continue }
            guard let task = member(output.index, of: place) else { continue }
            guard tasks[Int(task)].state.isAtWorker, execution(of: task) == output.attempt else { continue }
            grant(upTo: output.position, to: ref(task), at: tasks[Int(task)].worker)
        }
    }

    // MARK: Watching

    mutating func watched(_ session: SessionID, _ target: GroupTarget, at now: Instant) {
        guard let client = clientPlaces[session] else { return }
        guard let place = find(target, from: session) else { return refuseUnknown(target, for: session) }
        let root = groups[Int(place)].root
        let isNew = !isWatching(client, root)
        if isNew {
            clients[Int(client)].watching.append(root)
            groups[Int(root)].watchers.append(Watcher(client: client, cursor: 0, caughtUp: false))
        } else if clients[Int(client)].outbox.tellsOf(groups[Int(root)].id) {
            return
        }
        let open = groups[Int(root)].phase == .closed ? [root] : openTree(below: root)
        let told = open.filter { groups[Int($0)].opener == TaskRecord.none }
        let running = runningTasks(of: told, at: now)
        for place in told {
            var summary = summary(of: place, counts: watchedCounts(of: place), at: now)
            summary.running = running[place] ?? []
            for task in summary.running { introduce(number: task.worker, to: client) }
            tell(client) { $0.groups.append(summary) }
        }
        // One that watches already wants to know how things stand; what has ended it has been told, or is about to be.
        guard isNew else { return }
        // Those that have closed, too: an inner one closes first, and the watcher must know where it belongs.
        let id = groups[Int(root)].id
        guard groups[Int(root)].detached else { return tellClosed(root, to: client) }
        for closed in groups[Int(root)].log.closed.reversed() where closed.report.group != id {
            let summary = GroupSummary(closed: closed.report)
            tell(client) { $0.groups.append(summary) }
        }
    }

    /// Tells a watcher what an attached tree has come to that has closed and is kept for its owner. The owner itself is told
    /// from the log, and again only if it asks after that.
    private mutating func tellClosed(_ root: UInt32, to client: UInt32) {
        let group = groups[Int(root)]
        guard group.phase == .closed, group.owner != client || isTold(root, to: client) else { return }
        guard let closed = group.log.closed.last(where: { $0.report.group == group.id }) else { return }
        tell(client) { $0.closed.append(closed.report) }
    }

    /// Tells watchers what is new in the logs of their trees, as far as they keep up.
    mutating func feedWatchers(at now: Instant) {
        for client in clients.indices where !clients[client].isGone {
            for root in clients[client].watching { feed(UInt32(client), from: Int(root)) }
        }
    }

    private mutating func feed(_ client: UInt32, from root: Int) {
        guard let position = groups[root].watchers.firstIndex(where: { $0.client == client }) else { return }
        var watcher = groups[root].watchers[position]
        guard watcher.cursor < groups[root].log.count || !watcher.caughtUp else { return }
        // The log of an attached tree is its owner's.
        if !groups[root].detached { watcher.cursor = groups[root].log.count }
        while watcher.cursor < groups[root].log.count,
            clients[Int(client)].unconsumed <= limits.unconsumedBytes
        {
            switch groups[root].log[watcher.cursor] {
            case .task(let report, let value, let name, _):
                tellName(of: report, name, in: UInt32(root), to: client)
                tellEnd(report, value, in: UInt32(root), to: client)
            case .closed(let place):
                let report = groups[root].log.closing(place).report
                tell(client) { $0.closed.append(report) }
            }
            watcher.cursor += 1
        }
        if !watcher.caughtUp, watcher.cursor == groups[root].log.count {
            watcher.caughtUp = true
            let id = groups[root].id
            tell(client) { $0.caughtUp.append(id) }
        }
        groups[root].watchers[position] = watcher
    }
}
