internal import DequeModule

/// Peers that come back in a new session, to this coordinator or to one that has taken its place.
extension CoordinatorCore {
    // MARK: Clients

    /// A client comes back. What it may not have been told is told again, from the beginning of its trees' logs, also where
    /// its last session does not go on: the greeting is one that was answered here before, and the answer has not arrived.
    mutating func clientReturned(
        _ place: UInt32,
        as session: SessionID,
        _ request: SessionRequest,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        let index = Int(place)
        let goesOn = goesOn(request, clients[index].sessions)
        clients[index].sessions.latest = request.number
        changed(client: place)
        if !clients[index].isAbsent {
            clientPlaces[clients[index].id] = nil
            actions.append(.closeSession(clients[index].id, .unreachable))
        }
        for root in clients[index].watching { groups[Int(root)].watchers.removeAll { $0.client == place } }
        clients[index].watching = []
        clients[index].id = session
        clients[index].isAbsent = false
        clients[index].lastHeard = now
        clients[index].unreachableSince = nil
        clients[index].knownWorkers = []
        // What its tasks have written while it was away stands nowhere else, nor does what was lost on the way.
        let kept = clients[index].outbox.keepOutputs(after: clients[index].sentOutput.map(\.update))
        clients[index].sentOutput = []
        clients[index].passedInAbsence = [:]
        clients[index].unconsumed = ClientUpdate.weight(bytes: kept, reports: 0)
        if kept > 0 { markClient(place) }
        clients[index].feeds = [:]
        clients[index].feedQueue = []
        clients[index].sentUpdates = 0
        clients[index].receivedUpdates = 0
        clients[index].feedMarks = []
        clientPlaces[session] = place
        welcomes.append(PendingWelcome(session: session, resumed: goesOn))
        tellAgain(place)
        mayAssign = true
        startTicking(at: now)
    }

    private mutating func tellAgain(_ client: UInt32) {
        for head in heads(of: client) {
            for closed in groups[Int(head)].log.closed {
                tell(client) { $0.opened.append(OpenedGroup(key: closed.key, group: closed.report.group)) }
                tell(client) { $0.accepted += closed.accepted }
            }
            nameEnded(in: head, to: client)
            queueFeed(of: groups[Int(head)].id, to: client)
        }
        let open = clients[Int(client)].groups.values.map { groups[Int($0)].id }
        for id in open.sorted() {
            guard let place = groupPlaces[id] else { continue }
            let group = groups[Int(place)]
            tell(client) { $0.opened.append(OpenedGroup(key: group.key, group: id)) }
            nameUnfinished(in: place, to: client)
            guard group.phase == .stopping else { continue }
            tell(client) { $0.stopping.append(GroupStop(group: id, cause: group.cause, reason: group.reason)) }
        }
        for (key, joined) in clients[Int(client)].joined.sorted(by: { $0.key.value < $1.key.value }) {
            if joined.task != nil {
                tell(client) { $0.opened.append(OpenedGroup(key: key, group: joined.group)) }
            }
            tell(client) { $0.accepted += joined.accepted }
            let update = updateInMaking(for: client)
            clients[Int(client)].joined[key]?.toldIn = update
        }
        // Also where the task for which it has added tasks has ended: theirs have not been told yet.
        for head in clients[Int(client)].addedTo.sorted() { queueFeed(of: head, to: client) }
    }

    // Tasks that others have added to a group are named to its owner before it is told of any end: when all of which it knows
    // have ended it would take the group to be at rest.

    private mutating func nameUnfinished(in place: UInt32, to client: UInt32) {
        let group = groups[Int(place)]
        guard group.acceptsSiblings, !group.detached else { return }
        for task in group.members where task != TaskRecord.none && spawners[task] != nil {
            let record = tasks[Int(task)]
            let name = templates[Int(record.template)].template.name
            tell(client, TaskName(group: group.id, index: record.index, name: name))
        }
    }

    /// Their ends follow as fast as the client deals with them.
    private mutating func nameEnded(in head: UInt32, to client: UInt32) {
        guard !groups[Int(head)].detached else { return }
        for number in groups[Int(head)].log.first..<groups[Int(head)].log.count {
            guard case .task(let report, _, let name, _?) = groups[Int(head)].log[number] else { continue }
            tellName(of: report, name, in: head, to: client)
        }
    }

    // MARK: Workers

    /// A worker goes on with what it still has.
    mutating func workerReturned(
        _ place: UInt32,
        as session: SessionID,
        _ offer: WorkerOffer,
        _ request: SessionRequest,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        let index = Int(place)
        // Even if it was given up in between: attempts have numbers of their own, and what is over is unwanted.
        let goesOn = request.lineage == lineage && request.previous != 0
        let missing = meaning(ofWhatIsMissingFrom: request, at: place, goesOn: goesOn)
        if !workers[index].isAbsent {
            workerPlaces[workers[index].session] = nil
            actions.append(.closeSession(workers[index].session, .unreachable))
        }
        var record = workers[index]
        record.session = session
        record.latestSession = request.number
        record.isAbsent = false
        record.lastHeard = now
        record.unreachableSince = nil
        record.knownTemplates = []
        record.lastTemplate = TemplateID(0)
        record.unseenCancels = []
        record.assignBox = AssignBatch()
        record.assignTemplateBytes = 0
        record.fullAssignBoxes = []
        record.cancelBox = []
        record.grantBox = []
        record.proceedBox = []
        record.forgetBox = []
        take(offer, into: &record)
        workers[index] = record
        workerPlaces[session] = place
        changed(worker: place)
        // What it has of somebody else means nothing here.
        let (unwanted, doubtful) = adopt(goesOn ? offer.held : [], missing, at: place, at: now)
        if doubtful > 0 {
            actions.append(.workerLost(session, summary(of: record), .unreachable, running: doubtful, returned: 0))
        }
        welcomes.append(PendingWelcome(session: session, resumed: goesOn, unwanted: unwanted))
        mayAssign = true
        startTicking(at: now)
    }

    /// What it means that a worker which comes back does not have a task that was given to it and is not known to have begun.
    private enum Missing {
        /// It was given in a session that the worker never had, or was on its way when the worker lost the session.
        case neverArrived
        /// The greeting is as old as the session in which it was given: it is given again, as the same attempt, which the
        /// worker begins once only.
        case mayHaveArrived
        /// The worker has put an end to all it had, or what it has is not known to be of the session in which it was given.
        case mayHaveBegun
    }

    private func meaning(
        ofWhatIsMissingFrom request: SessionRequest,
        at place: UInt32,
        goesOn: Bool
    ) -> Missing {
        let latest = workers[Int(place)].latestSession
        if request.number == latest { return .mayHaveArrived }
        // It has had the session in which it was given, or one after that, and nothing of those goes on.
        if request.previous == 0 || !goesOn && request.previous >= latest { return .mayHaveBegun }
        return .neverArrived
    }

    /// Brings what is thought to be at a worker and what it says that it has into agreement.
    ///
    /// - Returns: what it has and should not, and how many tasks are lost because nobody can tell whether they had begun.
    private mutating func adopt(
        _ offered: [HeldAttempt],
        _ meaning: Missing,
        at place: UInt32,
        at now: Instant
    ) -> (unwanted: [AttemptRef], doubtful: Int) {
        let states = Dictionary(offered.map { ($0.ref, $0.state) }) { first, _ in first }
        let unwanted = offered.map(\.ref).filter { task($0, at: place) == nil }
        var missing: [UInt32] = []
        // It has forgotten all templates but those of what it has.
        workers[Int(place)].keptTemplates = []
        for task in held(by: place) {
            if let state = states[ref(task)] {
                workers[Int(place)].keptTemplates.insert(templates[Int(tasks[Int(task)].template)].id)
                adopt(task, state, at: now)
            } else if tasks[Int(task)].state == .assigned, meaning == .mayHaveArrived {
                assignAgain(task, at: now)
                adopt(task, .unstarted, at: now)
            } else {
                missing.append(task)
            }
        }
        // Backwards, as with everything that comes back.
        let mayHaveBegun = meaning == .mayHaveBegun
        let doubtful = mayHaveBegun ? missing.count { tasks[Int($0)].state == .assigned } : 0
        for task in missing.reversed() { miss(task, mayHaveBegun: mayHaveBegun, at: now) }
        return (unwanted, doubtful)
    }

    private mutating func adopt(_ task: UInt32, _ state: HeldAttempt.State, at now: Instant) {
        let index = Int(task)
        switch state {
        case .unstarted: break
        // Its report follows; what it was asked to do meanwhile does not matter any more.
        case .ended: return
        case .running:
            startTold(task, at: now)
            if tasks[index].state == .waiting { beginWanting(task) }
        case .waiting:
            startTold(task, at: now)
            if tasks[index].state == .running { beginWaiting(task) }
        case .wanting:
            startTold(task, at: now)
            if tasks[index].state == .running {
                // It was let go on, and has not learnt that.
                workers[Int(tasks[index].worker)].proceedBox.append(ref(task))
                markWorker(tasks[index].worker)
            } else if tasks[index].state == .waiting {
                beginWanting(task)
            }
        }
        guard tasks[index].flags.contains(.cancelRequested) else { return }
        tasks[index].flags.remove(.cancelSeen)
        let reason = groups[Int(tasks[index].group)].reason
        send(task, cause: tasks[index].cause, reason: reason, repeating: false, at: now)
    }

    /// The worker does not have it. If it never arrived it goes back to the queue; if it has run, or may have, it is lost.
    private mutating func miss(_ task: UInt32, mayHaveBegun: Bool, at now: Instant) {
        let record = tasks[Int(task)]
        if record.state == .assigned && !mayHaveBegun {
            giveBack(task, at: now)
        } else {
            var detail = AttemptDetail()
            detail.message = "worker \(workers[Int(record.worker)].offer.name) came back without the task"
            if record.state == .assigned { detail.message += Self.doubt }
            lose(task, detail, at: now)
        }
        closeIfDone(record.group, at: now)
    }
}
