internal import DequeModule

/// A coordinator that goes on where another one has stopped.
extension CoordinatorCore {
    /// Begins with what a journal holds. Workers and clients that the journal names are absent: they have a lease's time from
    /// now to come back, and what workers had stays theirs until then.
    ///
    /// - Parameter state: must be free of contradictions (`JournalState.contradiction`).
    package init(recovering state: JournalState, limits: Limits = Limits(), at now: Instant) {
        self.init(limits: limits, keepsJournal: true)
        nextGroup = state.counters.nextGroup
        nextTemplate = state.counters.nextTemplate
        nextWorker = state.counters.nextWorker
        nextOrder = state.counters.nextOrder
        nextSequence = state.counters.nextSequence
        topGeneration = state.counters.generation
        generationFloor = state.counters.generation
        lineage = state.counters.lineage
        draft.firstNewGroup = nextGroup
        restoreWorkers(state, at: now)
        for token in state.clients.keys.sorted() {
            guard let row = state.clients[token] else { continue }
            var record = ClientRecord(
                id: SessionID(0),
                token: token,
                row.sessions,
                identity: nextIdentity,
                lastHeard: now
            )
            record.isAbsent = true
            record.keys = KeyRanges(row.keys)
            record.extensions = row.extensions
            _ = addClient(record)
        }
        restoreGroups(state, at: now)
        restoreJoins(state)
        restoreLogs(state)
        restoreTasks(state, at: now)
        // What is restored is in the journal as it is.
        draft = JournalDraft()
        draft.firstNewGroup = nextGroup
        endWhatNobodyWaitsFor(state, at: now)
        if !clients.isEmpty || !workers.isEmpty { startTicking(at: now) }
        mayAssign = true
    }

    private mutating func restoreWorkers(_ state: JournalState, at now: Instant) {
        for number in state.workers.keys.sorted() {
            guard let row = state.workers[number] else { continue }
            var record = WorkerRecord(
                session: SessionID(0),
                token: row.token,
                latestSession: row.latestSession,
                number: number,
                offer: row.offer,
                lastHeard: now
            )
            record.draining = row.draining
            if row.departed {
                departedWorkers.append(summary(of: record))
            } else {
                record.isAbsent = true
                take(row.offer, into: &record)
                _ = addWorker(record)
            }
        }
    }

    // MARK: Groups

    private mutating func restoreGroups(_ state: JournalState, at now: Instant) {
        // A group is opened after the one around it, and has a higher number.
        for id in state.groups.keys.sorted() {
            guard let row = state.groups[id] else { continue }
            let parent = row.parent.flatMap { groupPlaces[$0] }
            let place = UInt32(groups.count)
            var record = GroupRecord(
                id: id,
                key: row.key,
                owner: clientTokens[row.owner] ?? GroupRecord.none,
                name: row.name,
                parent: parent ?? GroupRecord.none,
                opener: TaskRecord.none,
                root: parent.map { groups[Int($0)].root } ?? place,
                head: groupPlaces[row.head] ?? place,
                depth: parent.map { groups[Int($0)].depth + 1 } ?? 0,
                policy: row.policy,
                limit: row.limit,
                grace: row.grace,
                shield: row.shield,
                detached: row.detached,
                isScope: row.isScope,
                acceptsSiblings: row.acceptsSiblings,
                isCleanup: row.isCleanup,
                openedAt: row.openedAt
            )
            record.isBelowTask = row.opener != nil || parent.map { groups[Int($0)].isBelowTask } == true
            record.take(row)
            groups.append(record)
            groupPlaces[id] = place
            if record.phase != .closed { restoreOpen(place, row) }
        }
        restoreClosedHeads(state, at: now)
    }

    private mutating func restoreOpen(_ place: UInt32, _ row: JournalGroup) {
        let group = groups[Int(place)]
        if group.parent == GroupRecord.none {
            openRoots.append(place)
        } else {
            addChild(place, to: group.parent)
        }
        if group.owner != GroupRecord.none { clients[Int(group.owner)].groups[group.key] = place }
        if let deadline = group.deadline, !group.timedOut { setTimer(.groupDeadline(group.id), at: deadline) }
    }

    /// In the order in which they have closed.
    private mutating func restoreClosedHeads(_ state: JournalState, at now: Instant) {
        var closed: [(sequence: UInt64, place: UInt32)] = []
        for place in groups.indices where groups[place].phase == .closed {
            let sequence = state.closings[groups[place].id]?.last?.sequence ?? 0
            closed.append((sequence, UInt32(place)))
        }
        for (_, place) in closed.sorted(by: { $0.sequence < $1.sequence }) {
            let group = groups[Int(place)]
            if group.detached {
                closedRoots.append(place)
                if let span = limits.retainedFor {
                    setTimer(.retention(group.id), at: max(now, group.closedAt.advanced(by: span)))
                }
            } else if group.owner != GroupRecord.none {
                clients[Int(group.owner)].closedHeads.append(group.id)
            }
        }
    }

    private mutating func restoreJoins(_ state: JournalState) {
        for key in state.joins.keys.sorted() {
            guard let client = clientTokens[key.client], let join = state.joins[key] else { continue }
            clients[Int(client)].joined[key.key] = JoinedGroup(group: join.group, task: join.task)
            guard join.task != nil, let place = groupPlaces[join.group] else { continue }
            groups[Int(place)].joiners.append(Joiner(client: client, key: key.key))
        }
    }

    private mutating func restoreLogs(_ state: JournalState) {
        for place in groups.indices where groups[place].head == UInt32(place) {
            let id = groups[place].id
            let received = groups[place].receivedUpTo
            var closings = (state.closings[id] ?? [])[...]
            func add(before sequence: UInt64, to log: inout TreeLog) {
                while let closing = closings.first, closing.sequence < sequence {
                    closings.removeFirst()
                    let group = ClosedGroup(report: closing.report, key: closing.key, accepted: closing.accepted)
                    if closing.sequence >= received {
                        log.add(group, sequence: closing.sequence)
                    } else if closing.report.group == id {
                        log.addTold(group)
                    }
                }
            }
            var log = TreeLog()
            for end in state.ends[id] ?? [] where !end.isOmitted && end.sequence >= received {
                add(before: end.sequence, to: &log)
                let sibling = end.sibling == .none ? nil : restoreContributor(end.sibling, to: UInt32(place))
                log.add(
                    end.report,
                    detail: end.detail,
                    value: end.value,
                    name: end.name,
                    sibling: sibling,
                    sequence: end.sequence
                )
            }
            add(before: .max, to: &log)
            groups[place].log = log
        }
    }

    /// The client that has added tasks to somebody else's tree; `.gone` if it cannot come back.
    mutating func restoreContributor(_ token: PeerToken, to head: UInt32) -> ClientReference {
        guard let client = clientTokens[token] else { return .gone }
        noteContributor(client, to: head)
        return reference(to: client)
    }

    /// Groups whose owners cannot come back.
    private mutating func endWhatNobodyWaitsFor(_ state: JournalState, at now: Instant) {
        for place in groups.indices
        where groups[place].phase == .closed && !groups[place].detached && groups[place].owner == GroupRecord.none {
            forgetHead(UInt32(place))
        }
        let lost = groups.indices.map { UInt32($0) }.filter { place in
            let group = groups[Int(place)]
            return group.phase != .closed && group.owner == GroupRecord.none && (!group.sealed || !group.detached)
                && groupPlaces[group.id] == place
                // What it was told to stop may clean up.
                && !group.orphaned
        }
        orphan(lost, grace: limits.lossGrace, at: now)
        // The limits may be smaller now.
        dropClosedRoots(at: now)
    }
}

extension GroupRecord {
    /// Takes over what has become of the group so far.
    fileprivate mutating func take(_ row: JournalGroup) {
        phase = row.phase
        sealed = row.sealed
        orphaned = row.orphaned
        closedAt = row.closedAt ?? Instant(nanoseconds: 0)
        deadline = row.deadline
        timedOut = row.timedOut
        cancelledFromOutside = row.cancelledFromOutside
        cause = row.cause
        reason = row.reason
        deadlineOf = row.deadlineOf
        failures = row.failures
        hasWinner = row.hasWinner
        childCancelled = row.childCancelled
        bodyCancelled = row.bodyCancelled
        bodyFailed = row.bodyFailed
        outcome = row.outcome
        counts = row.counts
        closedBelow = row.closedBelow
        closedInside = row.closedInside
        omitted = row.omitted
        receivedUpTo = row.receivedUpTo
    }
}
