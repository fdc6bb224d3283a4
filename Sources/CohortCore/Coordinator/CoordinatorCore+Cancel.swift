internal import DequeModule

/// Requests from outside: cancels and deadlines.
extension CoordinatorCore {
    /// The place of the group that a request means, closed ones included.
    func find(_ target: GroupTarget, from session: SessionID) -> UInt32? {
        switch target {
        case .key(let key): return clientPlaces[session].flatMap { clients[Int($0)].groups[key] }
        case .id(let id): return groupPlaces[id]
        case .name(let name):
            let open = openRoots(named: name)
            // To take one of several would be a guess, and what is cancelled by mistake is gone.
            guard open.count < 2 else { return nil }
            return open.first ?? closedRoots.last { groups[Int($0)].name == name }
        }
    }

    private func openRoots(named name: String) -> [UInt32] { openRoots.filter { groups[Int($0)].name == name } }

    mutating func groupCancelled(
        _ session: SessionID,
        _ target: GroupTarget,
        grace: TimeSpan?,
        reason: String,
        token: UInt32,
        at now: Instant
    ) {
        guard let place = find(target, from: session) else { return refuseUnknown(target, for: session, token: token) }
        guard groups[Int(place)].phase != .closed else {
            return refuse(session, .finished, "group \(groups[Int(place)].name) is finished", token: token)
        }
        answer(session, token, isAccepted: true)
        stop(place, .requested, reason: reason, fromOutside: true, grace: grace, at: now)
    }

    mutating func taskCancelled(
        _ session: SessionID,
        _ key: GroupKey,
        index: UInt32,
        reason: String,
        token: UInt32,
        at now: Instant
    ) {
        guard let place = groupOfKey(key, from: session) else {
            // Of a group that has ended the request came too late, and who asks for an answer learns that.
            return token == 0 ? refuseUnknown(.key(key), for: session) : answer(session, token, isAccepted: false)
        }
        // So it did for a task that has ended; its report says what became of it.
        guard let task = member(index, of: place), tasks[Int(task)].state != .ending else {
            return answer(session, token, isAccepted: false)
        }
        answer(session, token, isAccepted: true)
        requestCancel(task, .requested, reason: reason, at: now)
        closeIfDone(place, at: now)
    }

    /// The open group that a key of a session stands for, opened or joined by it.
    private func groupOfKey(_ key: GroupKey, from session: SessionID) -> UInt32? {
        guard let client = clientPlaces[session] else { return nil }
        return clients[Int(client)].groups[key] ?? clients[Int(client)].joined[key].flatMap { groupPlaces[$0.group] }
    }

    /// The unfinished task of that number.
    func member(_ index: UInt32, of place: UInt32) -> UInt32? {
        let first = groups[Int(place)].firstUnfinished
        guard index >= first, index < groups[Int(place)].nextIndex else { return nil }
        let task = groups[Int(place)].members[Int(index - first)]
        return task == TaskRecord.none ? nil : task
    }

    /// Asks one task to end, and stops the groups that it has opened.
    mutating func requestCancel(_ task: UInt32, _ cause: CancelCause, reason: String, at now: Instant) {
        let nested = openedBy(task)
        order(task, toEndBecauseOf: cause, reason: reason, at: now)
        // None of them can end the task, which its worker has: places stay what they are meanwhile.
        for group in nested { stop(group, cause, reason: reason, fromOutside: true, at: now) }
    }

    /// Asks one task to end. Idempotent: cancellation is state, and the first cause sticks.
    mutating func order(_ task: UInt32, toEndBecauseOf cause: CancelCause, reason: String, at now: Instant) {
        let index = Int(task)
        // Its attempt is over: what it has come to is not changed any more, but it has no other one.
        guard tasks[index].state != .ending else {
            tasks[index].flags.insert(.retriesOver)
            changed(task: task)
            return
        }
        changed(task: task)
        let wasRequested = tasks[index].flags.contains(.cancelRequested)
        if !wasRequested {
            tasks[index].flags.insert(.cancelRequested)
            tasks[index].cause = cause
        }
        if cause != .taskTimeout { tasks[index].flags.insert(.retriesOver) }
        switch tasks[index].state {
        case .free: return
        case .queued:
            dequeue(task)
            endUnstarted(task, at: now)
        case .delayed:
            endUnstarted(task, at: now)
        case .assigned, .running, .waiting:
            send(task, cause: cause, reason: reason, repeating: wasRequested, at: now)
        case .wanting:
            send(task, cause: cause, reason: reason, repeating: wasRequested, at: now)
            // To clean up it need not wait for a slot.
            letProceed(task)
        case .ending: return
        }
    }

    mutating func send(_ task: UInt32, cause: CancelCause, reason: String, repeating: Bool, at now: Instant) {
        let worker = tasks[Int(task)].worker
        let ref = ref(task)
        workers[Int(worker)].cancelBox.append(
            CancelOrder(ref: ref, grace: groups[Int(tasks[Int(task)].group)].grace, cause: cause, reason: reason)
        )
        if !repeating { workers[Int(worker)].unseenCancels.append(UnseenCancel(ref: ref, reason: reason, sentAt: now)) }
        markWorker(worker)
    }

    /// Sends again every cancel that its worker has not acknowledged.
    mutating func repeatCancels(at now: Instant) {
        for place in workers.indices where !workers[place].isGone && !workers[place].unseenCancels.isEmpty {
            var waiting = workers[place].unseenCancels.filter { unseen in
                guard let task = task(unseen.ref, at: UInt32(place)) else { return false }
                return !tasks[Int(task)].flags.contains(.cancelSeen)
            }
            for index in waiting.indices where now >= waiting[index].sentAt.advanced(by: limits.cancelResend) {
                waiting[index].sentAt = now
                let unseen = waiting[index]
                let record = tasks[unseen.ref.task.index]
                let grace = groups[Int(record.group)].grace
                workers[place].cancelBox.append(
                    CancelOrder(ref: unseen.ref, grace: grace, cause: record.cause, reason: unseen.reason)
                )
                markWorker(UInt32(place))
            }
            workers[place].unseenCancels = waiting
        }
    }

    /// The group whose deadline a request may change, or what to say to it.
    private func findDeadline(_ target: GroupTarget, from session: SessionID) -> Found {
        guard let place = find(target, from: session) else {
            let (code, message) = unknown(target)
            return .refused(code, message)
        }
        let group = groups[Int(place)]
        if group.phase == .closed { return .refused(.finished, "group \(group.name) is finished") }
        // A group that stops for another reason still has its deadline: only what has fired cannot be moved.
        if group.timedOut { return .refused(.shuttingDown, "group \(group.name) has timed out already") }
        return .group(place)
    }

    private enum Found {
        case group(UInt32)
        case refused(Refusal.Code, String)
    }

    /// Moves a group's deadline to `deadline`; `nil` is for none.
    mutating func changeDeadline(_ session: SessionID, _ target: GroupTarget, to deadline: Instant?, token: UInt32) {
        switch findDeadline(target, from: session) {
        case .refused(let code, let message): refuse(session, code, message, token: token)
        case .group(let place):
            answer(session, token, isAccepted: true)
            if let deadline { return setDeadline(of: place, to: deadline) }
            groups[Int(place)].deadline = nil
            changed(group: place)
        }
    }

    /// Makes a group's deadline later by `span`, once.
    mutating func extendDeadline(_ session: SessionID, _ target: GroupTarget, by span: TimeSpan, token: UInt32) {
        guard let client = clientPlaces[session] else { return }
        if token != 0 {
            switch clients[Int(client)].extensions.decision(on: token) {
            case .accepted: return answer(session, token, isAccepted: true)
            case .refused(let code, let message): return refuse(session, code, message, token: token)
            case nil: changed(client: client)
            }
        }
        var found = findDeadline(target, from: session)
        if case .group(let place) = found {
            let group = groups[Int(place)]
            if let deadline = group.deadline {
                clients[Int(client)].extensions.accept(token)
                answer(session, token, isAccepted: true)
                return setDeadline(of: place, to: deadline.advanced(by: span))
            }
            found = .refused(.invalid, "group \(group.name) has no deadline to extend")
        }
        guard case .refused(let code, let message) = found else { return }
        clients[Int(client)].extensions.refuse(token, code, message)
        refuse(session, code, message, token: token)
    }

    mutating func setDeadline(of place: UInt32, to deadline: Instant) {
        groups[Int(place)].deadline = deadline
        changed(group: place)
        setTimer(.groupDeadline(groups[Int(place)].id), at: deadline)
    }

    /// A deadline timer has run out. It counts only if the group still has a deadline and that has come.
    mutating func deadlineCame(_ id: GroupID, at now: Instant) {
        guard let place = groupPlaces[id], groups[Int(place)].phase != .closed else { return }
        guard let deadline = groups[Int(place)].deadline, deadline <= now, !groups[Int(place)].timedOut else { return }
        groups[Int(place)].timedOut = true
        changed(group: place)
        let name = groups[Int(place)].name
        // Told beside another cause too, if the group was stopping already.
        if groups[Int(place)].deadlineOf.isEmpty { groups[Int(place)].deadlineOf = name }
        stop(place, .deadline, reason: "the deadline of group \(name)", deadlineOf: name, fromOutside: false, at: now)
    }

    /// A task's own timeout has run out (R9): it is asked to end, and will be told as timed out.
    mutating func timeoutCame(_ ref: AttemptRef, at now: Instant) {
        guard let task = executingTask(ref), tasks[Int(task)].state != .assigned,
            // Asked to end already, it cleans up: a second request is ignored, and the grace bounds it (R14).
            !tasks[Int(task)].flags.contains(.cancelRequested)
        else { return }
        tasks[Int(task)].flags.insert(.timedOut)
        requestCancel(task, .taskTimeout, reason: "its timeout", at: now)
    }

    mutating func drainRequested(at now: Instant) {
        guard !isDraining else { return }
        isDraining = true
        for root in openRoots {
            sealTree(below: root)
            stopWhole(root, .shutdown, reason: "the coordinator is shutting down", at: now)
        }
    }

    func refuseMessage(_ target: GroupTarget) -> String {
        switch target {
        case .key: "the group is not open"
        case .id(let id): "there is no group \(id.value)"
        case .name(let name) where name.utf8.count > limits.nameBytes:
            "there is no group whose name has \(name.utf8.count) bytes: \(limits.nameBytes) are the most"
        case .name(let name): "there is no group named \(name)"
        }
    }

    mutating func refuseUnknown(_ target: GroupTarget, for session: SessionID, token: UInt32 = 0) {
        let (code, message) = unknown(target)
        refuse(session, code, message, token: token)
    }

    /// What to say to a request that means no group.
    private func unknown(_ target: GroupTarget) -> (Refusal.Code, String) {
        guard case .name(let name) = target, case let open = openRoots(named: name), open.count > 1 else {
            return (.unknownGroup, refuseMessage(target))
        }
        let numbers = open.map { "\(groups[Int($0)].id.value)" }.joined(separator: ", ")
        return (
            .invalid, "\(open.count) open groups are called \(name): say by its number which is meant: \(numbers)"
        )
    }

    /// Turns a request down: in an answer if it had a token, else in a refusal of its own.
    mutating func refuse(_ session: SessionID, _ code: Refusal.Code, _ message: String, token: UInt32 = 0) {
        guard let client = clientPlaces[session] else { return }
        if token == 0 {
            tell(client) { $0.refusals.append(Refusal(code: code, message: message)) }
        } else {
            tell(client) {
                $0.answers.append(RequestAnswer(token: token, isAccepted: false, code: code, message: message))
            }
        }
    }

    mutating func answer(_ session: SessionID, _ token: UInt32, isAccepted: Bool) {
        guard token != 0, let client = clientPlaces[session] else { return }
        tell(client) { $0.answers.append(RequestAnswer(token: token, isAccepted: isAccepted)) }
    }
}
