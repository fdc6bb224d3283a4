/// What is kept of groups that have closed, and for how long.
extension CoordinatorCore {
    /// A closed head: a detached tree is remembered for whoever asks, with a journal every tree for its owner; else its
    /// place is free.
    mutating func retire(_ place: UInt32, at now: Instant) {
        let group = groups[Int(place)]
        if group.detached {
            closedRoots.append(place)
            if let span = limits.retainedFor { setTimer(.retention(group.id), at: now.advanced(by: span)) }
        } else if keepsJournal, group.owner != GroupRecord.none {
            clients[Int(group.owner)].closedHeads.append(group.id)
            dropClosedHeads(of: group.owner)
        } else {
            forgetHead(place)
        }
    }

    /// Forgets the detached trees that have been remembered for long enough, or of which there are too many: the oldest, as
    /// far as everybody who is being told of one has been told all of it. The others are looked at again with the next flush.
    mutating func dropClosedRoots(at now: Instant) {
        let excess = closedRoots.count - limits.retainedGroups
        let due = closedRoots.enumerated().prefix { $0.offset < excess || isOverdue($0.element, at: now) }
        let dropped = due.map(\.element).filter { !isBeingTold($0) }
        guard !dropped.isEmpty else { return }
        closedRoots.removeAll { dropped.contains($0) }
        for place in dropped { forgetHead(place) }
    }

    private func isOverdue(_ root: UInt32, at now: Instant) -> Bool {
        guard let span = limits.retainedFor else { return false }
        return groups[Int(root)].closedAt.advanced(by: span) <= now
    }

    /// Whether a watcher has not been told all there is, or the owner, where it is told from the log, does not have it.
    private func isBeingTold(_ root: UInt32) -> Bool {
        let group = groups[Int(root)]
        if group.watchers.contains(where: { $0.cursor < group.log.count || !$0.caughtUp }) { return true }
        return keepsJournal && group.owner != GroupRecord.none && !hasAll(of: root, group.owner)
    }

    /// Forgets the oldest of a client's closed trees beyond those that are kept, as far as it has all of them: what was on
    /// its way to it when this coordinator died must be told again by the next one.
    mutating func dropClosedHeads(of client: UInt32) {
        let most = clients[Int(client)].token == .none ? 0 : limits.retainedForClient
        while clients[Int(client)].closedHeads.count > most, let id = clients[Int(client)].closedHeads.first,
            let place = groupPlaces[id], hasAll(of: place, client)
        {
            clients[Int(client)].closedHeads.removeFirst()
            forgetHead(place)
        }
    }

    mutating func forgetHead(_ place: UInt32) {
        let group = groups[Int(place)]
        for watcher in group.watchers {
            clients[Int(watcher.client)].watching.removeAll { $0 == place }
            // There is no more to come.
            if !watcher.caughtUp { tell(watcher.client) { $0.caughtUp.append(group.id) } }
        }
        if group.owner != GroupRecord.none { stopFeed(of: group.id, to: group.owner) }
        for contributor in group.contributors where isHere(contributor) {
            clients[Int(contributor.place)].addedTo.remove(group.id)
            stopFeed(of: group.id, to: contributor.place)
        }
        groups[Int(place)].contributors = []
        groupPlaces[group.id] = nil
        groups[Int(place)].log = TreeLog()
        groups[Int(place)].watchers = []
        freeGroups.append(place)
        if keepsJournal { draft.batch.forgotten.append(group.id) }
    }
}
