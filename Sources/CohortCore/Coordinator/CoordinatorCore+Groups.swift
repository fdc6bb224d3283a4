internal import DequeModule

/// Opening, sealing, stopping and closing groups.
extension CoordinatorCore {
    mutating func groupOpened(_ session: SessionID, _ spec: GroupSpec, at now: Instant) {
        guard let client = clientPlaces[session] else { return }
        if let known = clients[Int(client)].groups[spec.key] {
            // Sent again: tell its number once more.
            let id = groups[Int(known)].id
            return tell(client) { $0.opened.append(OpenedGroup(key: spec.key, group: id)) }
        }
        if let refusal = refusal(of: spec, from: client) {
            tell(client) { $0.refusals.append(refusal) }
            return
        }
        let parent = spec.parent.flatMap { clients[Int(client)].groups[$0] } ?? GroupRecord.none
        let place = addGroup(spec, owner: client, parent: parent, at: now)
        clients[Int(client)].groups[spec.key] = place
        let id = groups[Int(place)].id
        tell(client) { $0.opened.append(OpenedGroup(key: spec.key, group: id)) }
        if let timeout = spec.timeout { setDeadline(of: place, to: now.advanced(by: timeout)) }
    }

    private func refusal(of spec: GroupSpec, from client: UInt32) -> Refusal? {
        func refuse(_ code: Refusal.Code, _ message: String) -> Refusal {
            Refusal(code: code, key: spec.key, message: message)
        }
        if isDraining { return refuse(.draining, "the coordinator is shutting down and opens no group") }
        if spec.name.utf8.count > limits.nameBytes {
            return refuse(.invalid, "the group's name has more than \(limits.nameBytes) bytes")
        }
        if spec.limit == 0 { return refuse(.invalid, "the limit of group \(spec.name) is 0: no task could ever start") }
        if clients[Int(client)].groups.count >= limits.openGroupsPerSession {
            return refuse(.limit, "this client has \(limits.openGroupsPerSession) groups open already")
        }
        guard let parentKey = spec.parent else { return nil }
        guard let parent = clients[Int(client)].groups[parentKey] else {
            return refuse(.unknownGroup, "the group around \(spec.name) is not open")
        }
        switch groups[Int(parent)].phase {
        case .stopping: return refuse(.shuttingDown, "group \(groups[Int(parent)].name) is shutting down")
        case .closed: return refuse(.finished, "group \(groups[Int(parent)].name) is finished")
        case .open:
            if groups[Int(parent)].sealed {
                return refuse(.finished, "group \(groups[Int(parent)].name) has been sealed")
            }
        }
        if groups[Int(parent)].depth + 1 >= limits.nesting {
            return refuse(.limit, "groups are nested more than \(limits.nesting) deep")
        }
        return nil
    }

    private mutating func addGroup(_ spec: GroupSpec, owner: UInt32, parent: UInt32, at now: Instant) -> UInt32 {
        let id = GroupID(nextGroup)
        nextGroup += 1
        let place = freeGroups.popLast() ?? UInt32(groups.count)
        let enclosing = parent == GroupRecord.none ? nil : groups[Int(parent)]
        let record = GroupRecord(
            id: id,
            key: spec.key,
            owner: owner,
            name: spec.name,
            parent: parent,
            root: enclosing?.root ?? place,
            depth: (enclosing?.depth ?? -1) + 1,
            policy: spec.policy,
            limit: spec.limit ?? .max,
            grace: spec.grace ?? enclosing?.grace ?? limits.defaultGrace,
            shield: spec.shield,
            detached: enclosing?.detached ?? spec.detached,
            openedAt: now
        )
        if Int(place) == groups.count { groups.append(record) } else { groups[Int(place)] = record }
        groupPlaces[id] = place
        if parent == GroupRecord.none {
            openRoots.append(place)
        } else {
            groups[Int(parent)].openChildren.append(place)
        }
        return place
    }

    mutating func groupSealed(_ session: SessionID, _ key: GroupKey, _ end: BodyEnd, at now: Instant) {
        guard let client = clientPlaces[session] else { return }
        guard let place = clients[Int(client)].groups[key], !groups[Int(place)].sealed else { return }
        groups[Int(place)].sealed = true
        switch end {
        case .returned: break
        case .cancelled:
            groups[Int(place)].bodyCancelled = true
            groups[Int(place)].childCancelled = true
            stop(place, .requested, reason: "its body was cancelled", fromOutside: false, at: now)
        case .failed:
            // The owner keeps the error itself: it is a leaf named "body" of the tree that it builds.
            groups[Int(place)].failures += 1
            groups[Int(place)].bodyFailed = true
            stop(place, .siblingFailed, reason: "its body failed", fromOutside: false, at: now)
        }
        closeIfDone(place, at: now)
    }

    /// Stops a group: one cancel request, at once, to every unfinished child that is not shielded and, through them, to all
    /// groups below (R14). A group is stopped once; only the mark of a request from outside can still be added.
    mutating func stop(
        _ place: UInt32,
        _ cause: CancelCause,
        reason: String,
        deadlineOf: String = "",
        fromOutside: Bool,
        grace: TimeSpan? = nil,
        at now: Instant
    ) {
        // A work list instead of recursion: how deep groups nest is the users' choice.
        var pending: [(place: UInt32, cause: CancelCause, fromOutside: Bool)] = [(place, cause, fromOutside)]
        while let (place, cause, fromOutside) = pending.popLast() {
            let index = Int(place)
            guard groups[index].phase != .closed else { continue }
            if fromOutside { groups[index].cancelledFromOutside = true }
            if let grace, grace < groups[index].grace { groups[index].grace = grace }
            let isFirst = groups[index].phase == .open
            if isFirst {
                groups[index].phase = .stopping
                groups[index].cause = cause
                groups[index].reason = reason
                groups[index].deadlineOf = deadlineOf
                tellOfStop(place)
            }
            // A later stop finds nothing new to cancel, save for an outside request with a shorter grace.
            guard isFirst || grace != nil || fromOutside else { continue }
            if isFirst || grace != nil { cancelMembers(of: place, cause, reason: reason, at: now) }
            for child in groups[index].openChildren where !groups[Int(child)].shield {
                pending.append((child, cause, true))
            }
        }
        // Children of the same tree may have become done; closing walks upwards by itself.
        closeStopped(below: place, at: now)
    }

    /// Stops a whole tree, shields or not: its owner, or this coordinator, will not be there to wait for it (promise 5).
    mutating func stopWhole(_ root: UInt32, _ cause: CancelCause, reason: String, at now: Instant) {
        let id = groups[Int(root)].id
        stop(root, cause, reason: reason, fromOutside: true, at: now)
        guard groupPlaces[id] == root, groups[Int(root)].phase != .closed else { return }
        let tree = openTree(below: root)
        for place in tree where groups[Int(place)].phase == .open {
            stop(place, cause, reason: reason, fromOutside: true, at: now)
        }
        for place in tree where groups[Int(place)].phase != .closed {
            for task in Array(groups[Int(place)].members)
            where task != TaskRecord.none && !tasks[Int(task)].flags.contains(.cancelRequested) {
                requestCancel(task, cause, reason: reason, at: now)
            }
        }
        if groupPlaces[id] == root, groups[Int(root)].phase != .closed { closeStopped(below: root, at: now) }
    }

    private mutating func tellOfStop(_ place: UInt32) {
        let group = groups[Int(place)]
        let notice = GroupStop(group: group.id, cause: group.cause, reason: group.reason)
        if group.owner != GroupRecord.none { tell(group.owner) { $0.stopping.append(notice) } }
    }

    private mutating func cancelMembers(of place: UInt32, _ cause: CancelCause, reason: String, at now: Instant) {
        let members = groups[Int(place)].members
        for task in members where task != TaskRecord.none {
            guard !templates[Int(tasks[Int(task)].template)].template.shield else { continue }
            requestCancel(task, cause, reason: reason, at: now)
        }
    }

    /// Closes what a stop has emptied, innermost groups first.
    private mutating func closeStopped(below place: UInt32, at now: Instant) {
        let order = openTree(below: place)
        let ids = order.map { groups[Int($0)].id }
        for (place, id) in zip(order, ids).reversed() where groupPlaces[id] == place { closeIfDone(place, at: now) }
    }

    /// The one exit condition of a group: its body, every task and every child group in it have ended.
    mutating func closeIfDone(_ start: UInt32, at now: Instant) {
        var place = start
        while place != GroupRecord.none {
            guard isDone(place) else { return }
            let group = groups[Int(place)]
            let outcome = outcome(of: group)
            groups[Int(place)].phase = .closed
            groups[Int(place)].outcome = outcome
            groups[Int(place)].closedAt = now
            releaseTemplates(of: place)
            reportClosed(place, at: now)
            let parent = group.parent
            if group.owner != GroupRecord.none { clients[Int(group.owner)].groups[group.key] = nil }
            if parent == GroupRecord.none {
                openRoots.removeAll { $0 == place }
                retire(place)
                return
            }
            groups[Int(parent)].openChildren.removeAll { $0 == place }
            groups[Int(parent)].closedBelow += group.counts
            groups[Int(parent)].closedBelow += group.closedBelow
            groupPlaces[group.id] = nil
            freeGroups.append(place)
            childEnded(in: parent, groupOutcome: outcome, at: now)
            place = parent
        }
    }

    /// Asked with the end of every task, so it copies nothing.
    private func isDone(_ place: UInt32) -> Bool {
        let index = Int(place)
        return groups[index].unfinished == 0 && groups[index].sealed && groups[index].phase != .closed
            && groups[index].openChildren.isEmpty
    }

    /// The table of outcomes (R1, R2): errors outrank a cancel from outside, which outranks the group's own deadline.
    private func outcome(of group: GroupRecord) -> GroupOutcome {
        // Where a task has won under `first`, failures of others are no leaves.
        if group.hasWinner ? group.bodyFailed : group.failures > 0 { return .errors }
        if group.cancelledFromOutside && group.childCancelled || group.bodyCancelled { return .cancelled }
        return group.timedOut ? .timeout : .ok
    }

    private mutating func childEnded(in parent: UInt32, groupOutcome: GroupOutcome, at now: Instant) {
        switch groupOutcome {
        case .errors, .timeout: childFailed(in: parent, at: now)
        case .ok: childSucceeded(in: parent, at: now)
        case .cancelled: groups[Int(parent)].childCancelled = true
        }
    }

    /// A task or child group ended with an error (rule 4).
    mutating func childFailed(in place: UInt32, at now: Instant) {
        groups[Int(place)].failures += 1
        // Once it stops, a further failure must not cost a walk through all groups below.
        guard groups[Int(place)].policy == .cancel, groups[Int(place)].phase == .open else { return }
        stop(place, .siblingFailed, reason: "a task of the group failed", fromOutside: false, at: now)
    }

    /// A task or child group ended well.
    mutating func childSucceeded(in place: UInt32, at now: Instant) {
        guard groups[Int(place)].policy == .first, groups[Int(place)].phase == .open else { return }
        groups[Int(place)].hasWinner = true
        stop(place, .siblingWon, reason: "another task of the group was first", fromOutside: false, at: now)
    }

    /// A closed root is remembered if it is detached, the oldest ones only so long; else its place is free.
    private mutating func retire(_ place: UInt32) {
        if groups[Int(place)].detached {
            closedRoots.append(place)
            if closedRoots.count > limits.retainedGroups { freeRoot(closedRoots.removeFirst()) }
        } else {
            freeRoot(place)
        }
    }

    private mutating func freeRoot(_ place: UInt32) {
        for watcher in groups[Int(place)].watchers {
            clients[Int(watcher.client)].watching.removeAll { $0 == place }
        }
        groupPlaces[groups[Int(place)].id] = nil
        groups[Int(place)].log = TreeLog()
        groups[Int(place)].watchers = []
        freeGroups.append(place)
    }

    /// The whole tree below `place`, itself first.
    func openTree(below place: UInt32) -> [UInt32] {
        var order: [UInt32] = [place]
        var position = 0
        while position < order.count {
            order.append(contentsOf: groups[Int(order[position])].openChildren)
            position += 1
        }
        return order
    }
}
