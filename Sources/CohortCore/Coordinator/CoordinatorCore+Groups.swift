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
        if keepsJournal, clients[Int(client)].keys.contains(spec.key.value) {
            return tellOfClosed(spec.key, to: client)
        }
        if let refusal = refusal(of: spec, from: client) {
            tell(client) { $0.refusals.append(refusal) }
            return
        }
        let opener = spec.owner.flatMap(executingTask)
        if let opener { attemptStarted(opener, at: now) }
        let parent =
            opener.map { tasks[Int($0)].group }
            ?? spec.parent.flatMap { clients[Int(client)].groups[$0] } ?? GroupRecord.none
        let place = addGroup(spec, owner: client, parent: parent, opener: opener, at: now)
        clients[Int(client)].groups[spec.key] = place
        if keepsJournal {
            clients[Int(client)].keys.insert(spec.key.value)
            changed(client: client)
        }
        let id = groups[Int(place)].id
        // Tasks of others come between those of the owner, who therefore counts its own.
        if spec.acceptsSiblings {
            clients[Int(client)].joined[spec.key] = JoinedGroup(group: id, task: nil)
            changed(join: spec.key, of: client)
        }
        tell(client) { $0.opened.append(OpenedGroup(key: spec.key, group: id)) }
        if let timeout = spec.timeout { setDeadline(of: place, to: now.advanced(by: timeout)) }
    }

    private func refusal(of spec: GroupSpec, from client: UInt32) -> Refusal? {
        func refuse(_ code: Refusal.Code, _ message: String) -> Refusal {
            Refusal(code: code, key: spec.key, message: message)
        }
        if isDraining { return refuse(.draining, "the coordinator is shutting down and opens no group") }
        if clients[Int(client)].joined[spec.key] != nil { return refuse(.invalid, "the key is in use") }
        if spec.name.utf8.count > limits.nameBytes {
            return refuse(.invalid, "the group's name has more than \(limits.nameBytes) bytes")
        }
        if spec.limit == 0 { return refuse(.invalid, "the limit of group \(spec.name) is 0: no task could ever start") }
        if clients[Int(client)].groups.count >= limits.openGroupsPerSession {
            return refuse(
                .limit,
                "this client has \(limits.openGroupsPerSession) groups open already, the limit of open groups of a session"
            )
        }
        if clients[Int(client)].keys.ranges.count >= limits.openGroupsPerSession {
            return refuse(.limit, "this client has used too many keys that do not follow one another")
        }
        let parent: UInt32
        if let owner = spec.owner {
            guard let opener = executingTask(owner) else {
                return refuse(.finished, "the task that opens group \(spec.name) has ended")
            }
            parent = tasks[Int(opener)].group
            if (nestedGroups[opener]?.count ?? 0) >= limits.openGroupsPerTask {
                return refuse(.limit, "its task has \(limits.openGroupsPerTask) groups open already")
            }
        } else {
            guard let parentKey = spec.parent else { return nil }
            guard let place = clients[Int(client)].groups[parentKey] else {
                return refuse(.unknownGroup, "the group around \(spec.name) is not open")
            }
            // The body of a group that stops may open groups to clean up in; else nothing new begins there.
            if groups[Int(place)].phase == .stopping, !spec.isScope {
                return refuse(.shuttingDown, "group \(groups[Int(place)].name) is shutting down")
            }
            if groups[Int(place)].sealed {
                return refuse(.finished, "group \(groups[Int(place)].name) has been sealed")
            }
            parent = place
        }
        if groups[Int(parent)].depth + 1 >= limits.nesting {
            return refuse(.limit, "groups are nested more than \(limits.nesting) deep")
        }
        return nil
    }

    /// The task of an attempt that runs, as far as is known here: its start may not have been reported yet.
    func executingTask(_ ref: AttemptRef) -> UInt32? {
        let index = ref.task.index
        guard index < tasks.count, tasks[index].generation == ref.task.generation, tasks[index].attempt == ref.attempt,
            tasks[index].state.isAtWorker
        else { return nil }
        return UInt32(index)
    }

    private mutating func addGroup(
        _ spec: GroupSpec,
        owner: UInt32,
        parent: UInt32,
        opener: UInt32?,
        at now: Instant
    ) -> UInt32 {
        let id = GroupID(nextGroup)
        nextGroup += 1
        let place = freeGroups.popLast() ?? UInt32(groups.count)
        let enclosing = parent == GroupRecord.none ? nil : groups[Int(parent)]
        let isCleanup =
            opener.map { tasks[Int($0)].flags.contains(.cancelRequested) } ?? (enclosing?.phase == .stopping)
        // A task does not outlive its own grace, and neither does what it has opened.
        let most = opener == nil ? TimeSpan(nanoseconds: .max) : enclosing?.grace ?? limits.defaultGrace
        var record = GroupRecord(
            id: id,
            key: spec.key,
            owner: owner,
            name: spec.name,
            parent: parent,
            opener: opener ?? TaskRecord.none,
            root: enclosing?.root ?? place,
            head: opener == nil ? enclosing?.head ?? place : place,
            depth: (enclosing?.depth ?? -1) + 1,
            policy: spec.policy,
            limit: spec.limit ?? .max,
            grace: min(spec.grace ?? enclosing?.grace ?? limits.defaultGrace, most),
            shield: spec.shield,
            // A task's own groups are told to the task alone, whatever is kept of the tree around it.
            detached: opener == nil && (enclosing?.detached ?? spec.detached),
            isScope: spec.isScope,
            acceptsSiblings: spec.acceptsSiblings,
            isCleanup: isCleanup,
            openedAt: now
        )
        record.isBelowTask = opener != nil || enclosing?.isBelowTask == true
        if Int(place) == groups.count { groups.append(record) } else { groups[Int(place)] = record }
        groupPlaces[id] = place
        if parent == GroupRecord.none {
            openRoots.append(place)
        } else {
            addChild(place, to: parent)
        }
        if let opener { nestedGroups[opener, default: []].append(place) }
        changed(group: place)
        return place
    }

    mutating func groupSealed(_ session: SessionID, _ key: GroupKey, _ end: BodyEnd, at now: Instant) {
        guard let client = clientPlaces[session] else { return }
        guard let place = clients[Int(client)].groups[key], !groups[Int(place)].sealed else { return }
        groups[Int(place)].sealed = true
        changed(group: place)
        switch end {
        case .returned: break
        case .cancelled:
            // Of a group that stops it is what was asked for, and what the outcome is depends on who asked.
            if groups[Int(place)].phase == .open { groups[Int(place)].bodyCancelled = true }
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
            changed(group: place)
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
            if isFirst || grace != nil {
                for nested in cancelMembers(of: place, cause, reason: reason, isKill: grace != nil, at: now) {
                    pending.append((nested, cause, true))
                }
            }
            for child in children(of: place) where isReached(child, isKill: grace != nil) {
                pending.append((child, cause, true))
            }
        }
        // Children of the same tree may have become done; closing walks upwards by itself.
        closeStopped(below: place, at: now)
    }

    private mutating func tellOfStop(_ place: UInt32) {
        let group = groups[Int(place)]
        let notice = GroupStop(group: group.id, cause: group.cause, reason: group.reason)
        if group.owner != GroupRecord.none { tell(group.owner) { $0.stopping.append(notice) } }
    }

    /// Whether the stop of the group around it concerns a group: not if that is shielded, not if it is part of a cleanup (a
    /// second request is ignored), and only by way of its task if one has opened it.
    private func isReached(_ child: UInt32, isKill: Bool) -> Bool {
        let group = groups[Int(child)]
        return !group.shield && group.opener == TaskRecord.none && (isKill || !group.isCleanup)
    }

    /// - Returns: the groups that the cancelled tasks have opened.
    private mutating func cancelMembers(
        of place: UInt32,
        _ cause: CancelCause,
        reason: String,
        isKill: Bool,
        at now: Instant
    ) -> [UInt32] {
        let members = groups[Int(place)].members
        var nested: [UInt32] = []
        for task in members where task != TaskRecord.none {
            guard !templates[Int(tasks[Int(task)].template)].template.shield else { continue }
            nested += openedBy(task, isKill: isKill)
            order(task, toEndBecauseOf: cause, reason: reason, at: now)
        }
        return nested
    }

    /// The open groups of a task that a request to it reaches.
    func openedBy(_ task: UInt32, isKill: Bool = false) -> [UInt32] {
        guard !nestedGroups.isEmpty, let nested = nestedGroups[task] else { return [] }
        return nested.filter { (isKill || !groups[Int($0)].isCleanup) && !groups[Int($0)].shield }
    }

    /// Closes what a stop has emptied, innermost groups first.
    mutating func closeStopped(below place: UInt32, at now: Instant) {
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
            changed(group: place)
            releaseTemplates(of: place)
            reportClosed(place, at: now)
            dropJoins(of: place)
            let parent = group.parent
            if group.owner != GroupRecord.none {
                clients[Int(group.owner)].groups[group.key] = nil
                clients[Int(group.owner)].joined[group.key] = nil
                if group.acceptsSiblings { changed(join: group.key, of: group.owner) }
            }
            if parent == GroupRecord.none {
                openRoots.removeAll { $0 == place }
                retire(place, at: now)
                return
            }
            removeChild(place, from: parent)
            groups[Int(parent)].closedBelow += group.counts
            groups[Int(parent)].closedBelow += group.closedBelow
            if !group.isScope { groups[Int(parent)].closedInside += group.counts + group.closedInside }
            changed(group: parent)
            if group.head == place {
                groups[Int(place)].parent = GroupRecord.none
                groups[Int(place)].opener = TaskRecord.none
                groups[Int(place)].root = place
                retire(place, at: now)
            } else {
                groupPlaces[group.id] = nil
                freeGroups.append(place)
            }
            if !group.isScope { childEnded(in: parent, groupOutcome: outcome, at: now) }
            if group.opener != TaskRecord.none { nestedClosed(place, of: group.opener, at: now) }
            place = parent
        }
    }

    /// Asked with the end of every task, so it copies nothing.
    private func isDone(_ place: UInt32) -> Bool {
        let index = Int(place)
        return groups[index].unfinished == 0 && groups[index].sealed && groups[index].phase != .closed
            && groups[index].firstChild == GroupRecord.none
    }

    /// The table of outcomes (R1, R2): errors outrank a cancel from outside, which outranks the group's own deadline.
    private func outcome(of group: GroupRecord) -> GroupOutcome {
        // Where a task has won under `first`, failures of others are no leaves, and what comes while they clean up is late.
        if group.hasWinner { return group.bodyFailed ? .errors : .ok }
        if group.failures > 0 { return .errors }
        if group.cancelledFromOutside && group.childCancelled || group.bodyCancelled { return .cancelled }
        return group.timedOut ? .timeout : .ok
    }

    private mutating func childEnded(in parent: UInt32, groupOutcome: GroupOutcome, at now: Instant) {
        switch groupOutcome {
        case .errors, .timeout: childFailed(in: parent, at: now)
        case .ok: childSucceeded(in: parent, at: now)
        case .cancelled:
            groups[Int(parent)].childCancelled = true
            changed(group: parent)
        }
    }

    /// A task or child group ended with an error (rule 4).
    mutating func childFailed(in place: UInt32, at now: Instant) {
        groups[Int(place)].failures += 1
        changed(group: place)
        // Once it stops, a further failure must not cost a walk through all groups below.
        guard groups[Int(place)].policy == .cancel, groups[Int(place)].phase == .open else { return }
        stop(place, .siblingFailed, reason: "a task of the group failed", fromOutside: false, at: now)
    }

    /// A task or child group ended well.
    mutating func childSucceeded(in place: UInt32, at now: Instant) {
        guard groups[Int(place)].policy == .first, groups[Int(place)].phase == .open else { return }
        groups[Int(place)].hasWinner = true
        changed(group: place)
        stop(place, .siblingWon, reason: "another task of the group was first", fromOutside: false, at: now)
    }

    /// The whole tree below `place`, itself first.
    func openTree(below place: UInt32) -> [UInt32] {
        var order: [UInt32] = [place]
        var position = 0
        while position < order.count {
            order.append(contentsOf: children(of: order[position]))
            position += 1
        }
        return order
    }

    // MARK: The tree

    /// Open groups inside, in the order of opening.
    func children(of place: UInt32) -> [UInt32] {
        var all: [UInt32] = []
        var child = groups[Int(place)].firstChild
        while child != GroupRecord.none {
            all.append(child)
            child = groups[Int(child)].nextSibling
        }
        return all
    }

    mutating func addChild(_ place: UInt32, to parent: UInt32) {
        let last = groups[Int(parent)].lastChild
        groups[Int(place)].previousSibling = last
        groups[Int(parent)].lastChild = place
        if last == GroupRecord.none {
            groups[Int(parent)].firstChild = place
        } else {
            groups[Int(last)].nextSibling = place
        }
    }

    private mutating func removeChild(_ place: UInt32, from parent: UInt32) {
        let (previous, next) = (groups[Int(place)].previousSibling, groups[Int(place)].nextSibling)
        if previous == GroupRecord.none {
            groups[Int(parent)].firstChild = next
        } else {
            groups[Int(previous)].nextSibling = next
        }
        if next == GroupRecord.none {
            groups[Int(parent)].lastChild = previous
        } else {
            groups[Int(next)].previousSibling = previous
        }
    }
}
