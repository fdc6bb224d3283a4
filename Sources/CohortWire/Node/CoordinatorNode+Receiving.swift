internal import CohortCore

/// Messages in, events.
extension CoordinatorNode {
    mutating func malformed(_ error: FrameError, from route: [UInt8]) {
        drop(error.description)
        if let header = error.header, header.epoch == epoch, let session = peers.session(at: route) {
            // It has arrived, though nothing can be made of it.
            _ = peers[session]?.link.received(sequence: header.sequence, acknowledge: header.acknowledge)
            noteArrival(from: session)
        }
        if case .version(let version) = error.code {
            reply(to: route, .refused("it speaks version \(FrameCodec.version) of the protocol, not \(version)"))
        }
    }

    mutating func greet(_ greeting: Greeting, at route: [UInt8], _ permit: PeerPermit?, _ now: Instant) {
        if let known = peers.session(at: route) {
            // One that has not been answered yet will be.
            if let acceptance = peers[known]?.acceptance { send(.welcome(acceptance), to: known) }
            return
        }
        if let permit, !permit.roles.contains(greeting.role.permit) {
            let role = greeting.role.permit.rawValue
            drop("a \(role) with the key \(permit.keyName), which is not allowed for that")
            reply(to: route, .refused("the key \(permit.keyName) is not allowed for a \(role)"))
            return
        }
        if peers.count >= core.limits.sessions {
            reply(to: route, .refused("\(peers.count) peers are connected, which is the limit"))
            return
        }
        switch greeting.role {
        case .client:
            let session = peers.add(.client, greeting.token, at: route)
            handle(.clientJoined(session, greeting.token, continues: greeting.previous != nil), at: now)
            notices.append(.clientJoined(greeting))
        case .worker(let offer):
            let session = peers.add(.worker, greeting.token, at: route)
            handle(.workerJoined(session, offer, greeting.token), at: now)
            notices.append(.workerJoined(greeting))
        case .supervisor:
            // It says one thing, in an obituary, and needs no session for that.
            break
        }
    }

    /// What has come is acknowledged when all that follows from it is on disk.
    private mutating func noteArrival(from session: SessionID) {
        guard core.keepsJournal, peers[session]?.isHeard == false else { return }
        peers[session]?.isHeard = true
        heard.append(session)
    }

    /// A message of a session that is known.
    mutating func take(_ header: FrameHeader, _ body: FrameBody, from session: SessionID, at now: Instant) {
        handle(.heard(session), at: now)
        noteArrival(from: session)
        let verdict = peers[session]?.link.received(sequence: header.sequence, acknowledge: header.acknowledge)
        switch verdict {
        case .deliver: deal(with: body, from: session, at: now)
        case .missing(let from): send(.resend(from: from), to: session)
        case .duplicate, nil: break
        }
        if let link = peers[session]?.link, link.owesAcknowledgement {
            send(.heartbeat(last: link.lastSent), to: session)
        }
    }

    private mutating func deal(with body: FrameBody, from session: SessionID, at now: Instant) {
        switch body {
        case .heartbeat(let last):
            if let from = peers[session]?.link.peerHasSent(upTo: last) { send(.resend(from: from), to: session) }
        case .resend(let from):
            for message in peers[session]?.link.resend(from: from) ?? [] { transmit(message.frames, to: session) }
        case .goodbye:
            handle(.sessionEnded(session, .goodbye), at: now)
        default:
            let role = peers[session]?.role
            if let event = role == .client ? clientEvent(body, session) : workerEvent(body, session) {
                handle(event, at: now)
            } else {
                drop("a message that a \(role == .client ? "client" : "worker") may not send")
            }
        }
    }

    private func clientEvent(_ body: FrameBody, _ session: SessionID) -> CoordinatorEvent? {
        switch body {
        case .openGroup(let spec): .groupOpened(session, spec)
        case .submit(let submission): .tasksSubmitted(session, submission)
        case .seal(let key, let end): .groupSealed(session, key, end)
        case .joinGroup(let key, let owner): .siblingsJoined(session, key, owner)
        case .cancelGroup(let target, let grace, let reason, let token):
            .groupCancelled(session, target, grace: grace, reason: reason, token: token)
        case .cancelTask(let key, let index, let reason, let token):
            .taskCancelled(session, key, index: index, reason: reason, token: token)
        case .setDeadline(let target, let timeout, let token):
            .deadlineChanged(session, target, timeout, token: token)
        case .extendDeadline(let target, let span, let token):
            .deadlineExtended(session, target, by: span, token: token)
        case .consumed(let weight, let outputs): .consumed(session, weight: weight, outputs: outputs)
        case .watch(let target): .watched(session, target)
        case .query: .queried(session)
        default: nil
        }
    }

    private func workerEvent(_ body: FrameBody, _ session: SessionID) -> CoordinatorEvent? {
        switch body {
        case .report(let report): .workerReported(session, report)
        case .draining: .workerDraining(session)
        default: nil
        }
    }
}
