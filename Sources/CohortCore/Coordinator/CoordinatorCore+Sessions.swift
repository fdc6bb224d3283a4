/// Clients and workers coming and going.
extension CoordinatorCore {
    mutating func clientJoined(_ session: SessionID, at now: Instant) {
        precondition(clientPlaces[session] == nil && workerPlaces[session] == nil, "session \(session) joins twice")
        let record = ClientRecord(id: session, lastHeard: now)
        let place: UInt32
        if let free = freeClients.popLast() {
            place = free
            clients[Int(free)] = record
        } else {
            place = UInt32(clients.count)
            clients.append(record)
        }
        clientPlaces[session] = place
        welcomes.append(PendingWelcome(session: session))
        startTicking(at: now)
    }

    mutating func workerJoined(_ session: SessionID, _ offer: WorkerOffer, at now: Instant) {
        precondition(clientPlaces[session] == nil && workerPlaces[session] == nil, "session \(session) joins twice")
        var record = WorkerRecord(session: session, number: nextWorker, offer: offer, lastHeard: now)
        nextWorker += 1
        record.offer.slots = min(offer.slots, limits.slotsPerWorker)
        if offer.runsCommands { record.requirements.insert(0) }
        for function in offer.functions { record.requirements.insert(requirement(for: function)) }
        let place: UInt32
        if let free = freeWorkers.popLast() {
            place = free
            workers[Int(free)] = record
        } else {
            place = UInt32(workers.count)
            workers.append(record)
        }
        workerPlaces[session] = place
        welcomes.append(PendingWelcome(session: session))
        mayAssign = true
        startTicking(at: now)
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
        } else if let place = workerPlaces[session] {
            workers[Int(place)].lastHeard = now
            workers[Int(place)].unreachableSince = nil
        }
    }

    mutating func unreachable(_ session: SessionID, at now: Instant) {
        if let place = clientPlaces[session], clients[Int(place)].unreachableSince == nil {
            clients[Int(place)].unreachableSince = now
        } else if let place = workerPlaces[session], workers[Int(place)].unreachableSince == nil {
            workers[Int(place)].unreachableSince = now
        }
    }

    mutating func workerDraining(_ session: SessionID) {
        guard let place = workerPlaces[session] else { return }
        workers[Int(place)].draining = true
    }

    mutating func sessionEnded(
        _ session: SessionID,
        _ end: SessionEnd,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        if let place = clientPlaces[session] {
            clientEnded(place, at: now)
            actions.append(.closeSession(session, end))
        } else if let place = workerPlaces[session] {
            workerEnded(place, end, at: now, into: &actions)
            actions.append(.closeSession(session, end))
        }
    }

    /// A client has gone: the groups that it is the body of stop, unless they are detached.
    private mutating func clientEnded(_ place: UInt32, at now: Instant) {
        clientPlaces[clients[Int(place)].id] = nil
        clients[Int(place)].isGone = true
        for root in clients[Int(place)].watching { groups[Int(root)].watchers.removeAll { $0.client == place } }
        // In an order that is the same in every process. A stop reaches everything below, so it need not be that of opening.
        let open = clients[Int(place)].groups.values.sorted()
        for group in open where groups[Int(group)].phase != .closed {
            groups[Int(group)].owner = GroupRecord.none
            groups[Int(group)].key = GroupKey(0)
        }
        for group in open where groups[Int(group)].phase != .closed && !groups[Int(group)].sealed {
            groups[Int(group)].sealed = true
            // A submission that broke off in the middle must not run as if it were whole.
            stop(group, .ownerLost, reason: "its client is gone", fromOutside: true, at: now)
        }
        for group in open where groups[Int(group)].phase != .closed && !groups[Int(group)].detached {
            stopWhole(group, .ownerLost, reason: "its client is gone", at: now)
        }
        for group in open { closeIfDone(group, at: now) }
        clients[Int(place)] = ClientRecord(id: SessionID(0), lastHeard: now)
        clients[Int(place)].isGone = true
        dirtyClients.removeAll { $0 == place }
        freeClients.append(place)
    }

    /// A worker has gone. Exactly the tasks that were executing are charged with it; what was only assigned goes back to the
    /// queue unblamed (promise 8).
    private mutating func workerEnded(
        _ place: UInt32,
        _ end: SessionEnd,
        at now: Instant,
        into actions: inout [CoordinatorAction]
    ) {
        let session = workers[Int(place)].session
        workerPlaces[session] = nil
        departedWorkers.append(summary(of: workers[Int(place)]))
        if departedWorkers.count > limits.departedWorkers { departedWorkers.removeFirst() }
        workers[Int(place)].isGone = true
        var running: [UInt32] = []
        var assigned: [UInt32] = []
        var task = workers[Int(place)].head
        while task != TaskRecord.none {
            if tasks[Int(task)].state == .assigned { assigned.append(task) } else { running.append(task) }
            task = tasks[Int(task)].next
        }
        for task in assigned.reversed() {
            let group = tasks[Int(task)].group
            giveBack(task, at: now)
            closeIfDone(group, at: now)
        }
        for task in running {
            let detail = lostDetail(of: workers[Int(place)], end)
            attemptEnded(
                task,
                FinishedAttempt(
                    ref: ref(task),
                    status: .lost,
                    elapsed: now.since(Instant(nanoseconds: tasks[Int(task)].startedAt))
                ),
                detail: detail,
                value: [],
                at: now
            )
        }
        if !running.isEmpty || !assigned.isEmpty {
            actions.append(.workerLost(session, end, running: running.count, returned: assigned.count))
        }
        dirtyWorkers.removeAll { $0 == place }
        freeWorkers.append(place)
        mayAssign = true
    }

    private func lostDetail(of worker: WorkerRecord, _ end: SessionEnd) -> AttemptDetail {
        var detail = AttemptDetail()
        detail.type = "WorkerLost"
        let who = "worker \(worker.offer.name)"
        switch end {
        case .goodbye: detail.message = "\(who) left while the task was running"
        case .leaseExpired: detail.message = "\(who) was not heard of for \(Int(limits.lease.seconds)) s"
        case .unreachable: detail.message = "the connection to \(who) broke off"
        case .died(let death):
            detail.exitCode = death.exitCode
            detail.signal = death.signal
            detail.coreDumped = death.coreDumped
            if let signal = death.signal {
                detail.message = "\(who) was killed by signal \(signal)"
            } else {
                detail.message = "\(who) exited with status \(death.exitCode ?? 0) while the task was running"
            }
        }
        return detail
    }

    func ref(_ task: UInt32) -> AttemptRef {
        let record = tasks[Int(task)]
        return AttemptRef(task: TaskKey(index: task, generation: record.generation), attempt: record.attempt)
    }
}
