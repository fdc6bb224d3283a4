/// What is kept of groups that have closed, and for how long.
extension CoordinatorCore {
    /// A closed head: a detached tree is remembered for whoever asks, with a journal every tree for its owner; else its
    /// place is free.
    mutating func retire(_ place: UInt32, at now: Instant) {
        let group = groups[Int(place)]
        if group.detached {
            closedRoots.append(place)
            if let span = limits.retainedFor { setTimer(.retention(group.id), at: now.advanced(by: span)) }
            if closedRoots.count > limits.retainedGroups { forgetHead(closedRoots.removeFirst()) }
        } else if keepsJournal, group.owner != GroupRecord.none {
            clients[Int(group.owner)].closedHeads.append(group.id)
            dropClosedHeads(of: group.owner)
        } else {
            forgetHead(place)
        }
    }

    /// A detached tree has been remembered for long enough.
    mutating func retentionCame(_ id: GroupID) {
        guard let place = groupPlaces[id], let position = closedRoots.firstIndex(of: place) else { return }
        closedRoots.remove(at: position)
        forgetHead(place)
    }

    /// Forgets the oldest of a client's closed trees beyond those that are kept, as far as it has been told all of them.
    mutating func dropClosedHeads(of client: UInt32) {
        let most = clients[Int(client)].token == .none ? 0 : limits.retainedForClient
        while clients[Int(client)].closedHeads.count > most, let id = clients[Int(client)].closedHeads.first,
            let place = groupPlaces[id], isTold(place, to: client)
        {
            clients[Int(client)].closedHeads.removeFirst()
            forgetHead(place)
        }
    }

    mutating func forgetHead(_ place: UInt32) {
        let group = groups[Int(place)]
        for watcher in group.watchers { clients[Int(watcher.client)].watching.removeAll { $0 == place } }
        if group.owner != GroupRecord.none {
            clients[Int(group.owner)].feeds[group.id] = nil
            clients[Int(group.owner)].feedQueue.removeAll { $0 == group.id }
        }
        groupPlaces[group.id] = nil
        groups[Int(place)].log = TreeLog()
        groups[Int(place)].watchers = []
        freeGroups.append(place)
        if keepsJournal { draft.batch.forgotten.append(group.id) }
    }
}
