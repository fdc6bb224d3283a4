internal import CohortProcess

extension CallPoolLoop {
    /// How long a host may take to answer for a call that it does not execute, after the grace.
    private static let patience: UInt64 = 500_000_000
    /// The same while it executes another call, which would have to die with it.
    private static let longPatience: UInt64 = 5_000_000_000
    private static let recheckInterval: UInt64 = 20_000_000

    // MARK: Placing

    func submit(_ request: CallRequest) {
        guard request.bodyBytes < HostFrame.maximumBodyBytes else {
            let message = "the arguments have \(request.payload.count) bytes; at most 63 MiB are allowed"
            fail(request.id, CallFailure(type: "InvalidArguments", message: message))
            return
        }
        // First come, first served.
        if !waiting.isEmpty || !place(request) {
            waiting.append(request)
        }
    }

    func placeWaiting() {
        guard !waiting.isEmpty else { return }
        let count = waiting.prefix(while: place).count
        waiting.removeFirst(count)
    }

    /// Gives a call to the host with the least to do; returns false if it has to wait.
    private func place(_ request: CallRequest) -> Bool {
        var idle: PooledHost?
        var least: PooledHost?
        var busy = 0
        // Those whose calls wait for tasks of their own take nothing on, and take no part in the limit.
        for host in hosts where host.ending != .dismissed && !host.isAway {
            let isUsable = host.ending == nil && !host.isDisconnected
            if isUsable, host.load == 0 {
                idle = idle ?? host
                continue
            }
            busy += 1
            if isUsable, host.load < least?.load ?? .max { least = host }
        }
        if busy < configuration.maxHosts {
            do {
                let host = try idle ?? startHost()
                host.append(request)
            } catch {
                fail(request.id, CallFailure(type: "StartFailed", message: String(describing: error)))
            }
        } else if let least, request.prefetchable {
            least.append(request)
        } else {
            return false
        }
        return true
    }

    private func fail(_ id: UInt64, _ failure: CallFailure) {
        events.append(.finished(id, CallReport(result: .error(failure))))
    }

    // MARK: Stopping

    func cancel(_ id: UInt64, grace: UInt64, reason: String) {
        if takeWaiting(id) != nil {
            events.append(.finished(id, CallReport(result: .cancelled(started: false, forced: false))))
            return
        }
        guard let (host, sequence) = find(id), host[sequence]?.isCancelRequested == false else { return }
        host[sequence]?.isCancelRequested = true
        host.orderCancel(sequence, reason: reason)
        let deadline = MonotonicClock.nanoseconds().saturatingAdd(grace)
        stops.append(CallStop(host: host.number, sequence: sequence, deadline: deadline))
    }

    func kill(_ id: UInt64) {
        cancel(id, grace: 0, reason: "killed")
        guard let (host, sequence) = find(id) else { return }
        let now = MonotonicClock.nanoseconds()
        for index in stops.indices where stops[index].host == host.number && stops[index].sequence == sequence {
            stops[index].deadline = min(stops[index].deadline, now)
        }
    }

    func recall(_ id: UInt64) {
        if takeWaiting(id) != nil {
            returned.append(id)
        } else if let (host, sequence) = find(id) {
            host.orderRecall(sequence)
        }
    }

    /// Lets a call go on that has waited. From here on its host counts again, and takes further calls.
    func proceed(_ id: UInt64) {
        guard let (host, sequence) = find(id), host.away == .wanting(sequence: sequence) else { return }
        host.away = nil
        host.orderProceed(sequence)
    }

    func enforceStops() {
        guard !stops.isEmpty else { return }
        let now = MonotonicClock.nanoseconds()
        stops = stops.compactMap { stop in
            guard let host = hosts.first(where: { $0.number == stop.host }), host.ending == nil,
                host[stop.sequence] != nil
            else { return nil }
            return stop.deadline <= now ? enforce(stop, on: host, now) : stop
        }
    }

    /// Kills the host if it executes the call; returns what is left to do.
    private func enforce(_ stop: CallStop, on host: PooledHost, _ now: UInt64) -> CallStop? {
        // From here on the host begins no other call, so that what is killed is what was looked at.
        host.page.isDoomed = true
        if host.page.executing == stop.sequence {
            host.kill(because: .killed(sequence: stop.sequence))
            return nil
        }
        let graceEnd = stop.graceEnd ?? stop.deadline
        let patience = host.page.executing == 0 ? Self.patience : Self.longPatience
        if graceEnd.saturatingAdd(patience) <= now {
            host.kill(because: .unresponsive)
            return nil
        }
        host.page.isDoomed = false
        var stop = stop
        stop.graceEnd = graceEnd
        stop.deadline = now.saturatingAdd(Self.recheckInterval)
        return stop
    }

    // MARK: Finding

    func find(_ id: UInt64) -> (PooledHost, UInt64)? {
        for host in hosts {
            if let sequence = host.sequence(of: id) { return (host, sequence) }
        }
        return nil
    }

    private func takeWaiting(_ id: UInt64) -> CallRequest? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index)
    }
}
