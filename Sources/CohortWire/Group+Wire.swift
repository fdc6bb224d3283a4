internal import CohortCore

extension Greeting {
    var wire: PBHello {
        var message = PBHello()
        message.name = name
        message.host = host
        message.processID = processID
        message.token = token.value
        message.sessionNumber = request.number
        message.previousNumber = request.previous
        message.lineage = request.lineage
        switch role {
        case .client: message.role = .client
        case .supervisor: message.role = .supervisor
        case .worker(let offer):
            message.role = .worker
            message.slots = offer.slots
            message.credit = offer.credit
            message.runsCommands = offer.runsCommands
            message.functions = offer.functions
            message.heldTask = offer.held.map(\.ref.task.raw)
            message.heldAttempt = offer.held.map(\.ref.attempt)
            message.heldState = offer.held.map { UInt32($0.state.rawValue) }
        }
        return message
    }

    init(wire message: PBHello) throws(FrameError) {
        let role: Role
        switch message.role {
        case .client: role = .client
        case .supervisor: role = .supervisor
        case .worker:
            guard message.slots > 0 else { throw FrameError(.malformed, "a worker without slots") }
            try checkColumns("functions", message.functions.count)
            role = .worker(
                WorkerOffer(
                    name: message.name,
                    host: message.host,
                    processID: message.processID,
                    slots: message.slots,
                    credit: message.credit,
                    runsCommands: message.runsCommands,
                    functions: message.functions,
                    held: try Self.held(message)
                )
            )
        case .unspecified, .UNRECOGNIZED: throw FrameError(.malformed, "a peer without a role")
        }
        // The last number is nobody's, so that there is always one more.
        guard message.sessionNumber > message.previousNumber, message.sessionNumber < .max else {
            throw FrameError(
                .malformed,
                "session \(message.sessionNumber) of a peer, to continue session \(message.previousNumber)"
            )
        }
        self.init(
            role: role,
            name: message.name,
            host: message.host,
            processID: message.processID,
            token: PeerToken(message.token),
            request: SessionRequest(
                number: message.sessionNumber,
                previous: message.previousNumber,
                lineage: message.lineage
            )
        )
    }

    private static func held(_ message: PBHello) throws(FrameError) -> [HeldAttempt] {
        try checkColumns("held attempts", message.heldTask.count, message.heldState.count)
        let refs = try attemptRefs("held attempts", message.heldTask, message.heldAttempt)
        var held: [HeldAttempt] = []
        held.reserveCapacity(refs.count)
        for (ref, state) in zip(refs, message.heldState) {
            held.append(HeldAttempt(ref: ref, state: try decodeCase("state of an attempt", Int(state))))
        }
        return held
    }
}

extension GroupTarget {
    var wire: PBGroupTarget {
        var message = PBGroupTarget()
        switch self {
        case .key(let key): message.key = key.value
        case .id(let id): message.id = id.value
        case .name(let name): message.name = name
        }
        return message
    }

    init(wire message: PBGroupTarget) throws(FrameError) {
        switch message.target {
        case .key(let key): self = .key(GroupKey(key))
        case .id(let id): self = .id(GroupID(id))
        case .name(let name): self = .name(name)
        case nil: throw FrameError(.malformed, "a request that names no group")
        }
    }
}

extension GroupSpec {
    var wire: PBOpenGroup {
        var message = PBOpenGroup()
        message.key = key.value
        if let parent { message.parent = parent.value }
        message.name = name
        message.policy = PBPolicy(rawValue: Int(policy.rawValue)) ?? .cancel
        if let limit { message.limit = limit }
        if let timeout { message.timeout = timeout.nanoseconds }
        if let grace { message.grace = grace.nanoseconds }
        message.shield = shield
        message.detached = detached
        if let owner { message.owner = owner.wire }
        message.scope = isScope
        message.acceptsSiblings = acceptsSiblings
        return message
    }

    init(wire message: PBOpenGroup) throws(FrameError) {
        self.init(
            key: GroupKey(message.key),
            parent: message.hasParent ? GroupKey(message.parent) : nil,
            owner: message.hasOwner ? AttemptRef(wire: message.owner) : nil,
            name: message.name,
            policy: try decodeCase("policy", message.policy.rawValue),
            limit: message.hasLimit ? message.limit : nil,
            timeout: message.hasTimeout ? span(message.timeout) : nil,
            grace: message.hasGrace ? span(message.grace) : nil,
            shield: message.shield,
            detached: message.detached,
            isScope: message.scope,
            acceptsSiblings: message.acceptsSiblings
        )
    }
}

extension AttemptRef {
    var wire: PBAttempt {
        var message = PBAttempt()
        message.task = task.raw
        message.attempt = attempt
        return message
    }

    init(wire message: PBAttempt) {
        self.init(task: TaskKey(raw: message.task), attempt: message.attempt)
    }
}

extension TaskCounts {
    var wire: PBCounts {
        var message = PBCounts()
        message.queued = UInt64(queued)
        message.running = UInt64(running)
        message.ok = UInt64(ok)
        message.error = UInt64(error)
        message.timeout = UInt64(timeout)
        message.cancelled = UInt64(cancelled)
        message.lost = UInt64(lost)
        return message
    }

    init(wire message: PBCounts) {
        self.init()
        queued = Int(clamping: message.queued)
        running = Int(clamping: message.running)
        ok = Int(clamping: message.ok)
        error = Int(clamping: message.error)
        timeout = Int(clamping: message.timeout)
        cancelled = Int(clamping: message.cancelled)
        lost = Int(clamping: message.lost)
    }
}

extension GroupReport {
    var wire: PBGroupClosed {
        var message = PBGroupClosed()
        message.group = group.value
        if let parent { message.parent = parent.value }
        message.name = name
        message.outcome = PBGroupOutcome(rawValue: Int(outcome.rawValue)) ?? .ok
        message.timedOut = timedOut
        message.cancelled = cancelled
        message.cause = PBCause(rawValue: Int(cause.rawValue)) ?? .none
        message.reason = reason
        message.deadlineOf = deadlineOf
        message.counts = counts.wire
        message.elapsed = elapsed.nanoseconds
        message.openedAgo = openedAgo.nanoseconds
        message.omitted = omitted
        if below != TaskCounts() { message.below = below.wire }
        return message
    }

    init(wire message: PBGroupClosed) throws(FrameError) {
        self.init(
            group: GroupID(message.group),
            parent: message.hasParent ? GroupID(message.parent) : nil,
            name: message.name,
            outcome: try decodeCase("group outcome", message.outcome.rawValue),
            timedOut: message.timedOut,
            cancelled: message.cancelled,
            cause: try decodeCase("cause", message.cause.rawValue),
            reason: message.reason,
            deadlineOf: message.deadlineOf,
            counts: TaskCounts(wire: message.counts),
            elapsed: span(message.elapsed),
            openedAgo: span(message.openedAgo),
            omitted: message.omitted,
            below: TaskCounts(wire: message.below)
        )
    }
}

extension GroupSummary {
    var wire: PBGroupInfo {
        var message = PBGroupInfo()
        message.group = group.value
        if let parent { message.parent = parent.value }
        message.name = name
        message.detached = detached
        message.stopping = stopping
        if let outcome { message.outcome = PBGroupOutcome(rawValue: Int(outcome.rawValue)) ?? .ok }
        message.counts = counts.wire
        message.openedAgo = openedAgo.nanoseconds
        message.elapsed = elapsed.nanoseconds
        if let deadlineIn { message.deadlineIn = deadlineIn.nanoseconds }
        message.waiting = waiting
        message.running = running.map(\.wire)
        return message
    }

    init(wire message: PBGroupInfo) throws(FrameError) {
        self.init(
            group: GroupID(message.group),
            parent: message.hasParent ? GroupID(message.parent) : nil,
            name: message.name,
            detached: message.detached,
            stopping: message.stopping,
            outcome: message.hasOutcome ? try decodeCase("group outcome", message.outcome.rawValue) : nil,
            counts: TaskCounts(wire: message.counts),
            openedAgo: span(message.openedAgo),
            elapsed: span(message.elapsed),
            deadlineIn: message.hasDeadlineIn ? span(message.deadlineIn) : nil,
            waiting: message.waiting
        )
        try checkColumns("running tasks", message.running.count)
        running = message.running.map(RunningTask.init(wire:))
    }
}

extension RunningTask {
    var wire: PBRunningTask {
        var message = PBRunningTask()
        message.index = index
        message.name = name
        message.worker = worker
        message.elapsed = elapsed.nanoseconds
        return message
    }

    init(wire message: PBRunningTask) {
        self.init(
            index: message.index,
            name: message.name,
            worker: message.worker,
            elapsed: span(message.elapsed)
        )
    }
}

extension WorkerSummary {
    var wire: PBWorkerInfo {
        var message = PBWorkerInfo()
        message.number = number
        message.name = name
        message.host = host
        message.processID = processID
        message.slots = slots
        message.running = running
        message.prefetched = prefetched
        message.draining = draining
        message.functions = functions
        return message
    }

    init(wire message: PBWorkerInfo) {
        self.init(
            number: message.number,
            name: message.name,
            host: message.host,
            processID: message.processID,
            slots: message.slots,
            running: message.running,
            prefetched: message.prefetched,
            draining: message.draining,
            functions: message.functions
        )
    }
}

extension Snapshot {
    var wire: PBSnapshot {
        var message = PBSnapshot()
        message.groups = groups.map(\.wire)
        message.workers = workers.map(\.wire)
        message.clients = clients
        message.staleMessages = staleMessages
        message.badFrames = badFrames
        message.refusedPeers = refusedPeers
        message.draining = draining
        return message
    }

    init(wire message: PBSnapshot) throws(FrameError) {
        self.init()
        try checkColumns("groups", message.groups.count)
        try checkColumns("workers", message.workers.count)
        for group in message.groups { groups.append(try GroupSummary(wire: group)) }
        workers = message.workers.map(WorkerSummary.init(wire:))
        clients = message.clients
        staleMessages = message.staleMessages
        badFrames = message.badFrames
        refusedPeers = message.refusedPeers
        draining = message.draining
    }
}
