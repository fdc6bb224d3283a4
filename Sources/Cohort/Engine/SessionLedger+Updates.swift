internal import CohortCore
internal import CohortWire
internal import Synchronization

/// What comes from the coordinator, on the loop's thread.
extension SessionLedger {
    func take(_ notice: ClientNotice) {
        switch notice {
        case .connected:
            let waiter = state.withLock { state in
                if case .connecting = state.connection { state.connection = .open }
                return state.connectWaiter.take()
            }
            waiter?.resume()
        case .update(let update): take(update)
        case .snapshot(let snapshot):
            let waiters = state.withLock { state in
                let answered = Array(state.snapshotWaiters.prefix(state.snapshotsAsked))
                state.snapshotWaiters.removeFirst(answered.count)
                state.snapshotsAsked = 0
                // On the loop's thread: what is in the outbox goes out at the end of this turn.
                if state.beginQuery() { _ = outbox.append(.query) }
                return answered
            }
            for waiter in waiters { waiter.resume(returning: snapshot) }
        case .unanswered, .interrupted, .restored(.same): break
        case .restored(.resumed): askAgain()
        case .restored(.anew), .restored(.forgotten):
            let message = "the coordinator at \(endpoint) has been started anew and does not know what was open"
            // Whoever has nothing there loses nothing.
            let isIdle = state.withLock { $0.groups.isEmpty && $0.joined.isEmpty && $0.siblings.isEmpty }
            if isIdle { askAgain() } else { lose(PoolError(kind: .lost, endpoint: endpoint, message: message)) }
        case .lost(let loss, let explanation):
            lose(PoolError(loss, endpoint: endpoint, explanation: explanation))
        }
    }

    /// Another session continues this one. On the loop's thread: what is in the outbox goes out at the end of this turn.
    private func askAgain() {
        let (requests, queries) = state.withLock { state in
            // Credit begins anew.
            state.owed = 0
            state.snapshotsAsked = 0
            return (state.questions.sorted { $0.key < $1.key }.map(\.value.request), state.beginQuery())
        }
        for request in requests { _ = outbox.append(request) }
        if queries { _ = outbox.append(.query) }
    }

    /// The session is over: nothing that waits will come any more.
    func lose(_ error: PoolError) {
        var left: State?
        state.withLock { state in
            if case .lost = state.connection { return }
            left = state
            state = State()
            state.connection = .lost(error)
        }
        guard let left else { return }
        var wakeups = Wakeups()
        for group in left.groups.values.sorted(by: { $0.key.value < $1.key.value }) { group.lose(error, &wakeups) }
        let lost = SpawnRefused(code: .lost, message: error.message)
        for joined in left.joined.values { joined.refuse(lost, &wakeups) }
        for cell in left.siblings.values { cell.lose(error, &wakeups) }
        wakeups.resume(left.connectWaiter)
        perform(wakeups)
        for question in left.questions.values { question.waiter.resume(returning: nil) }
        for waiter in left.snapshotWaiters { waiter.resume(returning: nil) }
    }

    private func take(_ update: ClientUpdate) {
        var wakeups = Wakeups()
        for opened in update.opened { take(opened, &wakeups) }
        if !update.workers.isEmpty {
            state.withLock { state in
                for worker in update.workers {
                    state.workers[worker.number] = TaskAccount.Place(name: worker.name, host: worker.host)
                }
            }
        }
        for name in update.names { group(name.group)?.named(name.index, name.name) }
        for accepted in update.accepted { take(accepted, &wakeups) }
        for stop in update.stopping { group(stop.group)?.stops(stop, &wakeups) }
        for start in update.started {
            group(start.group)?.started(start.index)
            sibling(start.group, start.index)?.started()
        }
        for row in update.progress {
            let progress = TaskProgress(fraction: row.fraction, note: row.note)
            group(row.group)?.progressed(row.index, progress)
            sibling(row.group, row.index)?.progressed(progress)
        }
        let held = takeReports(update, &wakeups)
        // A group that lacks tasks must know that before it has closed.
        for refusal in update.refusals { take(refusal, &wakeups) }
        for report in update.closed { close(report, &wakeups) }
        perform(wakeups)
        for answer in update.answers {
            let question = state.withLock { $0.questions.removeValue(forKey: answer.token) }
            question?.waiter.resume(returning: answer)
        }
        // On the loop's thread: what is in the outbox goes out at the end of this turn.
        _ = giveBack(update.weight - min(held, update.weight))
    }

    private func take(_ opened: OpenedGroup, _ wakeups: inout Wakeups) {
        let (group, joined) = state.withLock { state in
            let group = state.groups[opened.key]
            if let group { state.groupsByID[opened.group] = group }
            return (group, state.joined[opened.key])
        }
        group?.opened(opened.group)
        joined?.opened(opened.group)
    }

    private func take(_ accepted: AcceptedTasks, _ wakeups: inout Wakeups) {
        let (group, joined) = state.withLock { ($0.groups[accepted.key], $0.joined[accepted.key]) }
        group?.accepted(accepted, &wakeups)
        guard let joined, let id = joined.id else { return }
        let cells = joined.accepted(accepted, &wakeups)
        // Before anybody knows that they are accepted: a report may come in the same breath.
        state.withLock { state in
            for (index, cell) in cells { state.siblings[SiblingPlace(group: id, index: index)] = cell }
        }
        joined.tellAccepted(accepted, &wakeups)
    }

    private func group(_ id: GroupID) -> GroupCell? { state.withLock { $0.groupsByID[id] } }

    private func sibling(_ group: GroupID, _ index: UInt32) -> TaskCell? {
        state.withLock { state in
            state.siblings.isEmpty ? nil : state.siblings[SiblingPlace(group: group, index: index)]
        }
    }

    /// - Returns: the weight of what readers have yet to take.
    private func takeReports(_ update: ClientUpdate, _ wakeups: inout Wakeups) -> UInt64 {
        var cursor = update.outputs.reduce(0) { $0 + Int($1.length) }
        var held: UInt64 = 0
        // Reports of one group come in long runs.
        var latest: (id: GroupID, group: GroupCell?)?
        for report in update.reports {
            let value = update.payload[cursor..<cursor + Int(report.valueLength)]
            cursor = value.endIndex
            let detail = report.detail >= 0 ? update.details[Int(report.detail)] : nil
            let worker = state.withLock { $0.workers[report.worker] }
            if latest?.id != report.group { latest = (report.group, group(report.group)) }
            if let group = latest?.group {
                let weight = ClientUpdate.weight(bytes: value.count + (detail?.outputBytes ?? 0), reports: 1)
                let isHeld = group.ended(report, detail, value: value, worker: worker, weight: weight, &wakeups)
                if isHeld { held += weight }
            }
            endSibling(report, detail, value, worker, &wakeups)
        }
        return held
    }

    private func endSibling(
        _ report: TaskReport,
        _ detail: AttemptDetail?,
        _ value: ArraySlice<UInt8>,
        _ worker: TaskAccount.Place?,
        _ wakeups: inout Wakeups
    ) {
        let cell = state.withLock { state in
            state.siblings.isEmpty
                ? nil : state.siblings.removeValue(forKey: SiblingPlace(group: report.group, index: report.index))
        }
        guard let cell else { return }
        let account = TaskAccount(
            report: report,
            detail: detail,
            value: ArraySlice(Array(value)),
            name: cell.name,
            command: cell.command,
            attempts: cell.attempts,
            worker: worker
        )
        cell.end(account, groupReason: nil, &wakeups)
    }

    private func close(_ report: GroupReport, _ wakeups: inout Wakeups) {
        let group = state.withLock { state in
            guard let group = state.groupsByID.removeValue(forKey: report.group) else { return GroupCell?.none }
            state.groups[group.key] = nil
            return group
        }
        group?.closed(report, &wakeups)
    }

    private func take(_ refusal: Refusal, _ wakeups: inout Wakeups) {
        guard let key = refusal.key else { return }
        let (group, joined) = state.withLock { ($0.groups[key], $0.joined[key]) }
        if let group {
            let lacksTasks = group.refused(refusal, &wakeups)
            if lacksTasks {
                _ = outbox.append(.cancelGroup(.key(key), grace: nil, reason: refusal.message))
            }
            if case .refused = group.end { state.withLock { $0.groups[key] = nil } }
        }
        if let joined {
            joined.refuse(SpawnRefused(refusal), &wakeups)
            // A new key for whatever comes next: the numbers of this one have a gap.
            state.withLock { state in
                if state.joinedByAttempt[joined.attempt] === joined { state.joinedByAttempt[joined.attempt] = nil }
            }
        }
    }
}
