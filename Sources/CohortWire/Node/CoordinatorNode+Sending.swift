internal import CohortCore

/// Actions in, messages out.
extension CoordinatorNode {
    mutating func perform(_ action: CoordinatorAction) {
        switch action {
        // Only a core that keeps a journal makes one, and then it has been taken out.
        case .record: break
        case .welcome(let session, let resumed, let unwanted): welcome(session, resumed: resumed, unwanted: unwanted)
        // It may have been given up while this waited for the disk: then nobody counts on it any more.
        case .assign(let session, let batch): if core.hasWorker(session) { send(.assign(batch), to: session) }
        case .cancel(let session, let orders): send(.cancel(orders), to: session)
        case .grant(let session, let grants): send(.grant(grants), to: session)
        case .proceed(let session, let refs): send(.proceed(refs), to: session)
        case .forget(let session, let templates): send(.forget(templates), to: session)
        case .update(let session, let update): send(.update(update), to: session)
        case .answer(let session, var snapshot):
            snapshot.badFrames = badFrames
            snapshot.refusedPeers = refusedPeers
            send(.snapshot(snapshot), to: session)
        case .heartbeat(let session): sendHeartbeat(to: session)
        case .closeSession(let session, let end): close(session, end)
        case .workerLost(_, let worker, let end, let running, let returned):
            notices.append(.workerLost(worker, end, running: running, returned: returned))
        case .drained: notices.append(.drained)
        }
    }

    private mutating func welcome(_ session: SessionID, resumed: Bool, unwanted: [AttemptRef]) {
        let acceptance = Acceptance(
            heartbeat: core.limits.heartbeat,
            lease: core.limits.lease,
            coordinator: name,
            resumed: resumed,
            unwanted: unwanted,
            durable: core.keepsJournal,
            lineage: core.lineage
        )
        peers[session]?.acceptance = acceptance
        answered(session)
        send(.welcome(acceptance), to: session)
    }

    private mutating func close(_ session: SessionID, _ end: SessionEnd) {
        // Who has said goodbye waits for no answer, unless it was expelled before that.
        if let reason = peers[session]?.expulsion ?? (end == .goodbye ? nil : end.inWords) {
            send(.goodbye(reason), to: session)
        }
        peers.remove(session)
        answered(session)
    }

    private mutating func answered(_ session: SessionID) {
        // Nearly always the first.
        if let place = unanswered.firstIndex(of: session) { unanswered.remove(at: place) }
    }

    mutating func sendHeartbeat(to session: SessionID) {
        if let link = peers[session]?.link { send(.heartbeat(last: link.lastSent), to: session) }
    }

    mutating func send(_ body: FrameBody, to session: SessionID) {
        guard var link = peers[session]?.link else { return }
        let sequence = body.isNumbered ? link.nextSequence() : 0
        let header = FrameHeader(
            epoch: epoch,
            session: session.value,
            sequence: sequence,
            acknowledge: link.settled
        )
        let frames = FrameCodec.encode(header, body)
        if sequence == 0 {
            link.acknowledged()
        } else {
            var isUpdate = false
            if case .update = body { isUpdate = true }
            link.sent(sequence, frames, isUpdate: isUpdate)
        }
        peers[session]?.link = link
        if link.unacknowledgedCount > core.limits.unacknowledgedMessages
            || link.unacknowledgedBytes > core.limits.unacknowledgedBytes
        {
            overdue.insert(session)
        }
        transmit(frames, to: session)
    }

    mutating func transmit(_ frames: [[UInt8]], to session: SessionID) {
        guard let peer = peers[session] else { return }
        outgoing.append(Datagram(route: peer.route, frames: frames))
    }

    /// Answers somebody who has no session, unless that was done often enough.
    mutating func reply(to route: [UInt8], _ body: FrameBody, at now: Instant) {
        guard strangers.allow(route, core.limits, at: now) else { return }
        outgoing.append(Datagram(route: route, frames: FrameCodec.encode(FrameHeader(epoch: epoch), body)))
    }
}
