/// Clients and workers coming and going.
extension CoordinatorCore {
    mutating func clientJoined(
        _ session: SessionID,
        _ token: PeerToken,
        _ request: SessionRequest,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        precondition(clientPlaces[session] == nil && workerPlaces[session] == nil, "session \(session) joins twice")
        if token != .none, let place = clientTokens[token] {
            let known = clients[Int(place)].sessions
            if keepsJournal, goesOn(request, known) || known.latest == request.number {
                return clientReturned(place, as: session, request, at: now, into: &actions)
            }
            // What it may not have been told is not kept: the new session begins with nothing.
            clientEnded(place, .unreachable, at: now, into: &actions)
        }
        let sessions = firstSession(request, of: token)
        let record = ClientRecord(id: session, token: token, sessions, identity: nextIdentity, lastHeard: now)
        let place = addClient(record)
        clientPlaces[session] = place
        welcomes.append(PendingWelcome(session: session))
        startTicking(at: now)
    }

    mutating func addClient(_ record: ClientRecord) -> UInt32 {
        nextIdentity = record.identity + 1
        let place: UInt32
        if let free = freeClients.popLast() {
            place = free
            clients[Int(free)] = record
        } else {
            place = UInt32(clients.count)
            clients.append(record)
        }
        if record.token != .none { clientTokens[record.token] = place }
        changed(client: place)
        return place
    }

    mutating func workerJoined(
        _ session: SessionID,
        _ offer: WorkerOffer,
        _ token: PeerToken,
        _ request: SessionRequest,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        precondition(clientPlaces[session] == nil && workerPlaces[session] == nil, "session \(session) joins twice")
        if token != .none, let place = workerTokens[token] {
            return workerReturned(place, as: session, offer, request, at: now, into: &actions)
        }
        var record = WorkerRecord(
            session: session,
            token: token,
            latestSession: request.number,
            number: nextWorker,
            offer: offer,
            lastHeard: now
        )
        nextWorker += 1
        take(offer, into: &record)
        let place = addWorker(record)
        workerPlaces[session] = place
        welcomes.append(PendingWelcome(session: session, unwanted: offer.held.map(\.ref)))
        mayAssign = true
        startTicking(at: now)
    }

    mutating func addWorker(_ record: WorkerRecord) -> UInt32 {
        let place: UInt32
        if let free = freeWorkers.popLast() {
            place = free
            workers[Int(free)] = record
        } else {
            place = UInt32(workers.count)
            workers.append(record)
        }
        if record.token != .none { workerTokens[record.token] = place }
        changed(worker: place)
        return place
    }

    /// Whether its sender has asked for another session since: what it says is not true any more.
    package func isOutdated(_ request: SessionRequest, of token: PeerToken) -> Bool {
        guard token != .none else { return false }
        if let place = clientTokens[token] { return request.number < clients[Int(place)].sessions.latest }
        if let place = workerTokens[token] { return request.number < workers[Int(place)].latestSession }
        return departedTokens.isOutdated(request.number, of: token)
    }

    /// Whether what the peer had in the session before goes on here.
    func goesOn(_ request: SessionRequest, _ known: KnownSessions) -> Bool {
        request.lineage == lineage && known.contains(request.previous)
    }

    /// Whether a worker has the session at present.
    package func hasWorker(_ session: SessionID) -> Bool { workerPlaces[session] != nil }

    /// What is known of the sessions of a client that is new here, or has been given up before.
    private func firstSession(_ request: SessionRequest, of token: PeerToken) -> KnownSessions {
        // The greeting has been here before: its sender may have the session that was ended then, until it is heard in this.
        // So may one who continues what was known here before a restart, which forgets whom it has given up.
        let isKnownBefore = keepsJournal && request.previous != 0 && request.lineage == lineage
        let isRepeated = isKnownBefore || departedTokens.hasGivenUp(request.number, of: token)
        return KnownSessions(first: request.number + (isRepeated ? 1 : 0), latest: request.number)
    }

    /// Notes what a worker can do.
    mutating func take(_ offer: WorkerOffer, into record: inout WorkerRecord) {
        record.offer = offer
        record.offer.held = []
        record.offer.slots = min(offer.slots, limits.slotsPerWorker)
        record.requirements = offer.runsCommands ? [0] : []
        // What nobody can ask for need not be known.
        for function in offer.functions where requirements[function] != nil || requirements.count < limits.functions {
            record.requirements.insert(requirement(for: function))
        }
    }

    /// The number of what a task of `function` needs of a worker.
    mutating func requirement(for function: String) -> UInt32 {
        if let known = requirements[function] { return known }
        let number = UInt32(requirements.count)
        requirements[function] = number
        return number
    }

    mutating func heard(_ session: SessionID, at now: Instant) {
        if let place = clientPlaces[session] {
            clients[Int(place)].lastHeard = now
            clients[Int(place)].unreachableSince = nil
            if clients[Int(place)].sessions.confirm() { changed(client: place) }
        } else if let place = workerPlaces[session] {
            workers[Int(place)].lastHeard = now
            guard workers[Int(place)].unreachableSince != nil else { return }
            workers[Int(place)].unreachableSince = nil
            mayAssign = true
        }
    }

    mutating func silenceExcused(_ session: SessionID, at now: Instant) {
        if let place = clientPlaces[session] {
            clients[Int(place)].lastHeard = now
        } else if let place = workerPlaces[session] {
            workers[Int(place)].lastHeard = now
        }
    }

    mutating func unreachable(_ session: SessionID, at now: Instant) {
        if let place = clientPlaces[session], clients[Int(place)].unreachableSince == nil {
            clients[Int(place)].unreachableSince = now
        } else if let place = workerPlaces[session], workers[Int(place)].unreachableSince == nil {
            workers[Int(place)].unreachableSince = now
        } else {
            return
        }
        setTimer(.expiry, at: now.advanced(by: limits.unreachable))
    }

    mutating func workerDraining(_ session: SessionID) {
        guard let place = workerPlaces[session] else { return }
        workers[Int(place)].draining = true
        changed(worker: place)
    }

    mutating func sessionEnded(
        _ session: SessionID,
        _ end: SessionEnd,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        if let place = clientPlaces[session] {
            clientEnded(place, end, at: now, into: &actions)
        } else if let place = workerPlaces[session] {
            workerEnded(place, end, at: now, into: &actions)
        }
    }

    /// A client has gone: the groups that it is the body of stop, unless they are detached.
    mutating func clientEnded(
        _ place: UInt32,
        _ end: SessionEnd,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        let client = clients[Int(place)]
        if !client.isAbsent { clientPlaces[client.id] = nil }
        if client.token != .none {
            clientTokens[client.token] = nil
            departedTokens.remember(client.token, end.departure(from: client.sessions.latest))
            if keepsJournal { draft.batch.departedClients.append(client.token) }
            for key in client.joined.keys { changed(join: key, of: place) }
        }
        clients[Int(place)].isGone = true
        for root in client.watching { groups[Int(root)].watchers.removeAll { $0.client == place } }
        for root in closedRoots where groups[Int(root)].owner == place {
            groups[Int(root)].owner = GroupRecord.none
            changed(group: root)
        }
        for id in client.closedHeads {
            if let head = groupPlaces[id] { forgetHead(head) }
        }
        // In an order that is the same in every process. A stop reaches everything below, so it need not be that of opening.
        let isLost = end != .goodbye
        orphan(client.groups.values.sorted(), grace: isLost ? limits.lossGrace : nil, at: now)
        let nobody = KnownSessions(first: 0, latest: 0)
        clients[Int(place)] = ClientRecord(id: SessionID(0), token: .none, nobody, identity: 0, lastHeard: now)
        clients[Int(place)].isGone = true
        dirtyClients.removeAll { $0 == place }
        freeClients.append(place)
        if !client.isAbsent { actions.append(.closeSession(client.id, end)) }
    }

    func ref(_ task: UInt32) -> AttemptRef {
        let record = tasks[Int(task)]
        return AttemptRef(task: TaskKey(index: task, generation: record.generation), attempt: record.attempt)
    }
}
