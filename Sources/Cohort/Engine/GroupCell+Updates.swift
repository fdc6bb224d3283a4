internal import CohortCore
internal import Synchronization

/// What the loop has learnt.
extension GroupCell {
    func opened(_ id: GroupID) {
        state.withLock { $0.id = id }
    }

    func stops(_ stop: GroupStop, _ wakeups: inout Wakeups) {
        state.withLock { state in
            guard state.stop == nil else { return }
            state.stop = stop
            wakeups.cancel(state.cancelBody.take())
        }
    }

    /// Tasks spawned here have got their numbers.
    func accepted(_ tasks: AcceptedTasks, _ wakeups: inout Wakeups) {
        state.withLock { state in
            for offset in 0..<tasks.count {
                let place = Int(tasks.first) + Int(offset)
                guard state.own.indices.contains(place), let cell = state.own[place] else { continue }
                cell.number(tasks.index &+ offset, &wakeups)
                state.numbered[tasks.index &+ offset] = cell
            }
        }
    }

    /// A task of the group has added another one.
    func named(_ index: UInt32, _ name: String) {
        state.withLock { state in
            guard acceptsSiblings, state.numbered[index] == nil, !state.omitted.contains(index) else { return }
            state.numbered[index] = TaskCell(name: name, index: index)
            state.unfinished += 1
        }
    }

    func started(_ index: UInt32) {
        state.withLock { find(index, $0)?.started() }
    }

    func progressed(_ index: UInt32, _ progress: TaskProgress) {
        state.withLock { find(index, $0)?.progressed(progress) }
    }

    private func find(_ index: UInt32, _ state: State) -> TaskCell? {
        if acceptsSiblings { return state.numbered[index] }
        return state.own.indices.contains(Int(index)) ? state.own[Int(index)] : nil
    }

    /// A task has ended.
    ///
    /// - Returns: whether a reader is so far behind that the weight of the report is not to be given back yet.
    func ended(
        _ report: TaskReport,
        _ detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        worker: TaskAccount.Place?,
        weight: UInt64,
        _ wakeups: inout Wakeups
    ) -> Bool {
        state.withLock { state in
            guard let cell = find(report.index, state), !cell.hasEnded else { return false }
            let account = TaskAccount(
                report: report,
                detail: detail,
                // A slice would keep the whole message.
                value: ArraySlice(Array(value)),
                name: cell.name,
                command: cell.command,
                attempts: cell.attempts,
                worker: worker
            )
            cell.end(account, groupReason: state.stop?.reason, &wakeups)
            if account.outcome == .ok, policy == .first, state.winner == nil,
                state.stop == nil || state.stop?.cause == .siblingWon
            {
                state.winner = cell
            }
            return note(cell, account.outcome, weight, &state, &wakeups)
        }
    }

    private func note(
        _ cell: TaskCell,
        _ outcome: TaskOutcome,
        _ weight: UInt64,
        _ state: inout State,
        _ wakeups: inout Wakeups
    ) -> Bool {
        state.counts.add(outcome)
        state.unfinished -= 1
        if outcome.isFailure {
            if state.failures.count < Self.failureLimit {
                state.failures.append(cell)
            } else {
                state.omittedFailures += 1
            }
        } else if state.counts.ok + state.counts.cancelled > Self.taskLimit, let index = cell.index {
            state.omittedTasks += 1
            if acceptsSiblings {
                state.numbered[index] = nil
                _ = state.omitted.insert(index)
            } else {
                state.own[Int(index)] = nil
            }
        }
        var isHeld = false
        for channel in state.channels where channel.push(cell, weight, &wakeups) { isHeld = true }
        return isHeld
    }

    // MARK: The end

    /// The coordinator has not opened the group, or not accepted tasks of it from some number on.
    ///
    /// - Returns: whether the group must be cancelled: it lacks tasks though it did not stop.
    func refused(_ refusal: Refusal, _ wakeups: inout Wakeups) -> Bool {
        state.withLock { state in
            guard state.end == nil else { return false }
            if state.id == nil {
                refuseTasks(from: 0, refusal.message, &state, &wakeups)
                finish(.refused(refusal), &state, &wakeups)
                return false
            }
            refuseTasks(from: Int(refusal.from), refusal.message, &state, &wakeups)
            switch refusal.code {
            case .shuttingDown, .finished, .unknownGroup, .draining: return false
            case .limit, .invalid:
                let isFirst = state.trouble == nil
                if isFirst { state.trouble = refusal }
                return isFirst
            }
        }
    }

    func closed(_ report: GroupReport, _ wakeups: inout Wakeups) {
        state.withLock { state in
            guard state.end == nil else { return }
            // What has not been told of by now was refused.
            refuseTasks(from: 0, "the group has ended", &state, &wakeups)
            finish(.closed(report), &state, &wakeups)
        }
    }

    func lose(_ error: PoolError, _ wakeups: inout Wakeups) {
        state.withLock { state in
            guard state.end == nil else { return }
            for cell in unfinished(state, from: 0) {
                cell.lose(error, &wakeups)
                _ = note(cell, .lost, 0, &state, &wakeups)
            }
            finish(.lost(error), &state, &wakeups)
        }
    }

    private func finish(_ end: End, _ state: inout State, _ wakeups: inout Wakeups) {
        state.end = end
        wakeups.resume(state.closeWaiter.take())
        wakeups.cancel(state.cancelBody.take())
        for channel in state.channels { channel.finish(&wakeups) }
        state.channels = []
    }

    private func refuseTasks(from first: Int, _ reason: String, _ state: inout State, _ wakeups: inout Wakeups) {
        for cell in unfinished(state, from: first) {
            cell.refuse(reason: reason, &wakeups)
            _ = note(cell, .cancelled, 0, &state, &wakeups)
        }
    }

    private func unfinished(_ state: State, from first: Int) -> [TaskCell] {
        let own = state.own.dropFirst(first).compactMap(\.self).filter { !$0.hasEnded }
        guard first == 0 else { return own }
        // Of other tasks of the group as well, in a fixed order.
        let known = Set(own.map(ObjectIdentifier.init))
        let others = state.numbered.sorted { $0.key < $1.key }.map(\.value)
        return own + others.filter { !$0.hasEnded && !known.contains(ObjectIdentifier($0)) }
    }
}

// MARK: - Readers

extension GroupCell {
    func subscribe(limit: Int) -> CompletionChannel {
        state.withLock { state in
            let channel = CompletionChannel(limit: limit, ended: Self.ended(state), isFinished: state.end != nil)
            if state.end == nil { state.channels.append(channel) }
            return channel
        }
    }

    func unsubscribe(_ channel: CompletionChannel) {
        state.withLock { $0.channels.removeAll { $0 === channel } }
    }
}
