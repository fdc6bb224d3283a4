/// What happens because time has passed.
extension CoordinatorCore {
    mutating func startTicking(at now: Instant) {
        guard !isTicking else { return }
        isTicking = true
        timers.set(.tick, at: now.advanced(by: limits.heartbeat))
    }

    mutating func timeReached(at now: Instant, into actions: inout [CoordinatorAction]) {
        while let timer = timers.popDue(at: now) {
            switch timer {
            case .groupDeadline(let id): deadlineCame(id, at: now)
            case .taskTimeout(let ref): timeoutCame(ref, at: now)
            case .retry(let key): retryCame(key)
            case .tick: tick(at: now, into: &actions)
            }
        }
    }

    /// Sends something to everybody, so that whoever cannot be reached shows.
    func probe(into actions: inout [CoordinatorAction]) {
        for client in clients where !client.isGone { actions.append(.heartbeat(client.id)) }
        for worker in workers where !worker.isGone { actions.append(.heartbeat(worker.session)) }
    }

    private mutating func retryCame(_ key: TaskKey) {
        guard key.index < tasks.count, tasks[key.index].generation == key.generation,
            tasks[key.index].state == .delayed
        else { return }
        requeue(UInt32(key.index))
    }

    private mutating func tick(at now: Instant, into actions: inout [CoordinatorAction]) {
        var ended: [(SessionID, SessionEnd)] = []
        var isAnyoneThere = false
        for client in clients where !client.isGone {
            isAnyoneThere = true
            if let end = end(lastHeard: client.lastHeard, unreachableSince: client.unreachableSince, at: now) {
                ended.append((client.id, end))
            } else {
                actions.append(.heartbeat(client.id))
            }
        }
        for worker in workers where !worker.isGone {
            isAnyoneThere = true
            if let end = end(lastHeard: worker.lastHeard, unreachableSince: worker.unreachableSince, at: now) {
                ended.append((worker.session, end))
            } else {
                actions.append(.heartbeat(worker.session))
            }
        }
        for (session, end) in ended { sessionEnded(session, end, at: now, into: &actions) }
        repeatCancels(at: now)
        isTicking = false
        if isAnyoneThere { startTicking(at: now) }
    }

    private func end(lastHeard: Instant, unreachableSince: Instant?, at now: Instant) -> SessionEnd? {
        if now > lastHeard.advanced(by: limits.lease) { return .leaseExpired }
        if let unreachableSince, now >= unreachableSince.advanced(by: limits.unreachable) { return .unreachable }
        return nil
    }
}
