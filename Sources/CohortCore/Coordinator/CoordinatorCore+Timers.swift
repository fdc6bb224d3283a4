/// What happens because time has passed.
extension CoordinatorCore {
    mutating func startTicking(at now: Instant) {
        guard !isTicking else { return }
        isTicking = true
        tickDue = now.advanced(by: limits.heartbeat)
        setTimer(.tick, at: tickDue)
    }

    /// Sets a timer, and throws away those that have lost their objects once they may be half of all.
    mutating func setTimer(_ timer: CoordinatorTimer, at due: Instant) {
        timers.set(timer, at: due)
        guard timers.wantsCompaction else { return }
        var all = TimerHeap()
        swap(&all, &timers)
        all.compact { timer, due in isLive(timer, due) }
        timers = all
    }

    private func isLive(_ timer: CoordinatorTimer, _ due: Instant) -> Bool {
        switch timer {
        case .groupDeadline(let id):
            guard let place = groupPlaces[id], groups[Int(place)].phase != .closed else { return false }
            return groups[Int(place)].deadline == due
        case .taskTimeout(let ref): return executingTask(ref) != nil
        case .retry(let key): return isDelayed(key)
        case .retention(let id): return groupPlaces[id] != nil
        case .expiry, .tick: return true
        }
    }

    private func isDelayed(_ key: TaskKey) -> Bool {
        key.index < tasks.count && tasks[key.index].generation == key.generation && tasks[key.index].state == .delayed
    }

    mutating func timeReached(at now: Instant, into actions: inout [CoordinatorAction]) {
        forgiveOwnStall(at: now)
        while let timer = timers.popDue(at: now) {
            switch timer {
            case .groupDeadline(let id): deadlineCame(id, at: now)
            case .taskTimeout(let ref): timeoutCame(ref, at: now)
            case .retry(let key): if isDelayed(key) { requeue(UInt32(key.index)) }
            case .retention: dropClosedRoots(at: now)
            case .expiry: endSilentSessions(at: now, into: &actions)
            case .tick: tick(at: now, into: &actions)
            }
        }
    }

    /// Sends something to everybody, so that whoever cannot be reached shows.
    func probe(into actions: inout [CoordinatorAction]) {
        for client in clients where !client.isGone && !client.isAbsent { actions.append(.heartbeat(client.id)) }
        for worker in workers where !worker.isGone && !worker.isAbsent { actions.append(.heartbeat(worker.session)) }
    }

    private mutating func tick(at now: Instant, into actions: inout [CoordinatorAction]) {
        isTicking = false
        endSilentSessions(at: now, into: &actions)
        probe(into: &actions)
        repeatCancels(at: now)
        if clients.contains(where: { !$0.isGone }) || workers.contains(where: { !$0.isGone }) { startTicking(at: now) }
    }

    // MARK: Silence

    /// While this process itself stood still it heard nobody, which says nothing about them.
    private mutating func forgiveOwnStall(at now: Instant) {
        guard isTicking, now > tickDue.advanced(by: limits.heartbeat) else { return }
        let stall = now.since(tickDue)
        for place in clients.indices {
            clients[place].lastHeard = min(now, clients[place].lastHeard.advanced(by: stall))
            clients[place].unreachableSince = clients[place].unreachableSince.map { min(now, $0.advanced(by: stall)) }
        }
        for place in workers.indices {
            workers[place].lastHeard = min(now, workers[place].lastHeard.advanced(by: stall))
            workers[place].unreachableSince = workers[place].unreachableSince.map { min(now, $0.advanced(by: stall)) }
        }
    }

    /// Ends the sessions whose time has come, and sees to it that the next one is looked at in time.
    private mutating func endSilentSessions(at now: Instant, into actions: inout [CoordinatorAction]) {
        var earliest = now.advanced(by: limits.heartbeat)
        for place in clients.indices where !clients[place].isGone {
            let client = clients[place]
            let (due, end) = expiry(lastHeard: client.lastHeard, unreachableSince: client.unreachableSince)
            if due <= now {
                clientEnded(UInt32(place), end, at: now, into: &actions)
            } else {
                earliest = min(earliest, due)
            }
        }
        for place in workers.indices where !workers[place].isGone {
            let worker = workers[place]
            let unreachableSince = outlastsConnection(UInt32(place)) ? nil : worker.unreachableSince
            let (due, end) = expiry(lastHeard: worker.lastHeard, unreachableSince: unreachableSince)
            if due <= now {
                workerEnded(UInt32(place), end, at: now, into: &actions)
            } else {
                earliest = min(earliest, due)
            }
        }
        // Ticks come often enough for all that is further away.
        if earliest < now.advanced(by: limits.heartbeat) { setTimer(.expiry, at: earliest) }
    }

    /// Whether a worker whose connection has broken off goes on with something that it would not have to give up if it were
    /// back within the lease: with a journal it keeps the tasks of detached trees, and only those. If it has died instead,
    /// whoever has started it says so.
    private func outlastsConnection(_ place: UInt32) -> Bool {
        guard keepsJournal, workers[Int(place)].unreachableSince != nil else { return false }
        return held(by: place).contains { groups[Int(groups[Int(tasks[Int($0)].group)].root)].detached }
    }

    private func expiry(lastHeard: Instant, unreachableSince: Instant?) -> (due: Instant, end: SessionEnd) {
        let silent = lastHeard.advanced(by: limits.lease)
        guard let unreachableSince else { return (silent, .leaseExpired) }
        let unreachable = unreachableSince.advanced(by: limits.unreachable)
        return unreachable < silent ? (unreachable, .unreachable) : (silent, .leaseExpired)
    }
}
