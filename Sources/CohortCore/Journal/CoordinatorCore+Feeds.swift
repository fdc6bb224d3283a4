/// With a journal, clients are told ends from the logs of their trees, so that one that comes back can be told again.
extension CoordinatorCore {
    func reference(to client: UInt32) -> ClientReference {
        ClientReference(place: client, identity: clients[Int(client)].identity)
    }

    func isHere(_ client: ClientReference) -> Bool {
        client != .gone && !clients[Int(client.place)].isGone && clients[Int(client.place)].identity == client.identity
    }

    /// A client has added tasks to a tree of another one. It is told their ends, whatever becomes of the task that it did so
    /// for.
    mutating func noteContributor(_ client: UInt32, to head: UInt32) {
        guard keepsJournal, clients[Int(client)].addedTo.insert(groups[Int(head)].id).inserted else { return }
        groups[Int(head)].contributors.append(reference(to: client))
    }

    /// The log of a head has grown.
    mutating func logHasGrown(_ head: UInt32, sibling: ClientReference? = nil) {
        guard keepsJournal else { return }
        let id = groups[Int(head)].id
        let owner = groups[Int(head)].owner
        if owner != GroupRecord.none { queueFeed(of: id, to: owner) }
        if let sibling, isHere(sibling), sibling.place != owner { queueFeed(of: id, to: sibling.place) }
    }

    mutating func queueFeed(of head: GroupID, to client: UInt32) {
        guard !clients[Int(client)].isAbsent, clients[Int(client)].feeds[head]?.isQueued != true else { return }
        clients[Int(client)].feeds[head, default: LogFeed()].isQueued = true
        clients[Int(client)].feedQueue.append(head)
    }

    mutating func stopFeed(of head: GroupID, to client: UInt32) {
        clients[Int(client)].feeds[head] = nil
        clients[Int(client)].feedQueue.removeAll { $0 == head }
    }

    func isTold(_ head: UInt32, to client: UInt32) -> Bool {
        let cursor = clients[Int(client)].feeds[groups[Int(head)].id]?.cursor ?? 0
        return cursor == groups[Int(head)].log.count
    }

    /// Whether all that there is to tell has come to the client. One that cannot come back has no use for what it has lost.
    func hasAll(of head: UInt32, _ client: UInt32) -> Bool {
        guard clients[Int(client)].token != .none else { return isTold(head, to: client) }
        let received = clients[Int(client)].feeds[groups[Int(head)].id]?.received ?? 0
        return received == groups[Int(head)].log.count
    }

    mutating func updatesReceived(_ session: SessionID, upTo count: UInt64) {
        guard let place = clientPlaces[session] else { return }
        let client = Int(place)
        clients[client].receivedUpdates = max(clients[client].receivedUpdates, min(count, clients[client].sentUpdates))
        while let mark = clients[client].feedMarks.first, mark.update <= clients[client].receivedUpdates {
            clients[client].feedMarks.removeFirst()
            clients[client].feeds[mark.head]?.received = mark.cursor
            if let head = groupPlaces[mark.head] { trimLog(of: head) }
        }
        while let sent = clients[client].sentOutput.first, sent.number <= clients[client].receivedUpdates {
            clients[client].sentOutput.removeFirst()
        }
        dropClosedHeads(of: place)
    }

    /// Drops what has come to everybody who is told of it from the log of an attached tree: in their processes it is safe, and
    /// one that comes back is the same process. Thus a log holds no more than is on its way, however long its tree lives.
    private mutating func trimLog(of head: UInt32) {
        let place = Int(head)
        guard !groups[place].detached, groups[place].owner != GroupRecord.none else { return }
        let id = groups[place].id
        let owner = reference(to: groups[place].owner)
        let received = clients[Int(owner.place)].feeds[id]?.received ?? 0
        while groups[place].log.first < received {
            let number = groups[place].log.first
            if case .task(_, _, _, let sibling?) = groups[place].log[number], sibling != owner, isHere(sibling),
                clients[Int(sibling.place)].feeds[id]?.received ?? 0 <= number
            {
                break
            }
            groups[place].receivedUpTo = groups[place].log.dropFirst(ofHead: id) + 1
            // A commit for each of these would be one for each message that comes to a client.
            changedLittle(group: head)
        }
    }

    /// The number of the update that the latest of what the client is told goes with.
    func updateInMaking(for client: UInt32) -> UInt64 {
        clients[Int(client)].sentUpdates + UInt64(clients[Int(client)].outbox.count)
    }

    /// What has been told of a tree's log goes with the update that is being made.
    private mutating func mark(_ cursor: Int, of head: GroupID, told client: Int) {
        clients[client].feeds[head]?.cursor = cursor
        let update = updateInMaking(for: UInt32(client))
        if update <= clients[client].receivedUpdates {
            // Nothing of it concerned this client.
            clients[client].feeds[head]?.received = cursor
        } else {
            clients[client].feedMarks.append(FeedMark(update: update, head: head, cursor: cursor))
        }
    }

    /// Tells clients what is new in the logs of their trees, as far as they keep up.
    mutating func feedOwners() {
        for client in clients.indices where !clients[client].isGone && !clients[client].feedQueue.isEmpty {
            var queue: [GroupID] = []
            swap(&queue, &clients[client].feedQueue)
            var waiting: [GroupID] = []
            for id in queue {
                guard let head = groupPlaces[id] else {
                    clients[client].feeds[id] = nil
                    continue
                }
                if feed(head, to: UInt32(client)) {
                    clients[client].feeds[id]?.isQueued = false
                } else {
                    waiting.append(id)
                }
            }
            clients[client].feedQueue = waiting
            dropClosedHeads(of: UInt32(client))
        }
    }

    /// - Returns: whether the client has been told all there is.
    private mutating func feed(_ head: UInt32, to client: UInt32) -> Bool {
        let id = groups[Int(head)].id
        let isOwner = groups[Int(head)].owner == client
        var cursor = max(clients[Int(client)].feeds[id]?.cursor ?? 0, groups[Int(head)].log.first)
        while cursor < groups[Int(head)].log.count {
            guard clients[Int(client)].unconsumed <= limits.unconsumedBytes else { break }
            switch groups[Int(head)].log[cursor] {
            case .task(let report, let value, _, let sibling):
                let isSibling = sibling == reference(to: client)
                guard isSibling || isOwner && !groups[Int(head)].detached else { break }
                tellEnd(report, value, in: head, to: client)
            case .closed(let place):
                guard isOwner, !(groups[Int(head)].detached && isWatching(client, head)) else { break }
                let report = groups[Int(head)].log.closing(place).report
                tell(client) { $0.closed.append(report) }
            }
            cursor += 1
        }
        mark(cursor, of: id, told: Int(client))
        return cursor == groups[Int(head)].log.count
    }

    mutating func tellName(of report: TaskReport, _ name: Int, in head: UInt32, to client: UInt32) {
        let row = TaskName(group: report.group, index: report.index, name: groups[Int(head)].log.name(name))
        tell(client, row)
    }

    mutating func tellEnd(_ report: TaskReport, _ value: [UInt8], in head: UInt32, to client: UInt32) {
        introduce(number: report.worker, to: client)
        let detail = groups[Int(head)].log.detail(of: report)
        deliver(report, detail: detail, value: value[...], to: client)
    }

    // MARK: Sent again

    /// A group that a client has opened and that has closed, as far as that is kept.
    func closedGroup(_ key: GroupKey, of client: UInt32) -> ClosedGroup? {
        guard keepsJournal, clients[Int(client)].keys.contains(key.value) else { return nil }
        for head in heads(of: client) {
            if let closed = groups[Int(head)].log.closed.last(where: { $0.key == key }) { return closed }
        }
        return nil
    }

    /// The key of a closed group is used again. If that is kept its number was told when the session began.
    mutating func tellOfClosed(_ key: GroupKey, to client: UInt32) {
        if let closed = closedGroup(key, of: client) {
            return tell(client) { $0.opened.append(OpenedGroup(key: key, group: closed.report.group)) }
        }
        let refusal = Refusal(code: .finished, key: key, message: "the key was that of a group that is finished")
        tell(client) { $0.refusals.append(refusal) }
    }

    /// Places of the heads of a client's trees, open ones and those that are kept, in the order of opening.
    func heads(of client: UInt32) -> [UInt32] {
        var ids = clients[Int(client)].closedHeads
        for place in clients[Int(client)].groups.values { ids.append(groups[Int(groups[Int(place)].head)].id) }
        for place in closedRoots where groups[Int(place)].owner == client { ids.append(groups[Int(place)].id) }
        var heads: [UInt32] = []
        for id in ids.sorted() {
            if let place = groupPlaces[id], heads.last != place { heads.append(place) }
        }
        return heads
    }
}
