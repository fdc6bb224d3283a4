internal import CohortCore

/// Messages in, events.
extension CoordinatorNode {
    mutating func malformed(_ error: FrameError, from route: [UInt8], _ now: Instant) {
        drop(error.description)
        if case .version(let version) = error.code {
            let reason = "it speaks version \(FrameCodec.version) of the protocol, not \(version)"
            reply(to: route, .refused(reason), at: now)
        }
        guard let header = error.header, header.epoch == epoch, let session = peers.session(at: route),
            session.value == header.session
        else { return }
        if error.code == .noBody {
            // Of a kind that later versions may have: it has arrived, and to do nothing about it is harmless.
            return arrived(header, from: session, at: now) { _ in }
        }
        switch peers[session]?.link.rejected(sequence: header.sequence) {
        case .askAgain(let from): send(.resend(from: from), to: session)
        case .giveUp:
            expel(session, "its message \(header.sequence) cannot be understood: \(error.description)", at: now)
        case .ignore, nil: break
        }
    }

    /// Ends a session that cannot go on. It is told why when what follows from its end may be told.
    mutating func expel(_ session: SessionID, _ reason: String, at now: Instant) {
        guard peers[session] != nil, peers[session]?.expulsion == nil else { return }
        peers[session]?.expulsion = reason
        handle(.sessionEnded(session, .unreachable), at: now)
        notices.append(.expelled(reason))
    }

    /// Why a greeting is not taken; `nil` if it is.
    private func fault(in greeting: Greeting) -> String? {
        let limits = core.limits
        if greeting.token == .gone { return "its token is reserved: it must be a random one" }
        var names = [greeting.name, greeting.host]
        if case .worker(let offer) = greeting.role {
            if offer.functions.count > limits.functionsPerWorker {
                return "it offers \(offer.functions.count) functions, more than \(limits.functionsPerWorker)"
            }
            names += [offer.name, offer.host] + offer.functions
        }
        guard names.contains(where: { $0.utf8.count > limits.nameBytes }) else { return nil }
        return "a name in its greeting has more than \(limits.nameBytes) bytes"
    }

    mutating func greet(_ greeting: Greeting, at route: [UInt8], _ permit: PeerPermit?, _ now: Instant) {
        if let known = peers.session(at: route) {
            // One that has not been answered yet will be.
            if let acceptance = peers[known]?.acceptance { send(.welcome(acceptance), to: known) }
            return
        }
        if let permit, let refusal = permit.refusal(of: greeting.role) {
            notices.append(.refused(permit))
            reply(to: route, .refused(refusal), at: now)
            return
        }
        if let fault = fault(in: greeting) {
            reply(to: route, .refused(fault), at: now)
            return
        }
        // It comes late, from a connection that its sender has given up since: what it says is not true any more.
        if core.isOutdated(greeting.request, of: greeting.token) { return }
        if peers.count >= core.limits.sessions {
            reply(to: route, .refused("\(peers.count) peers are connected, which is the limit"), at: now)
            return
        }
        switch greeting.role {
        case .client:
            let session = peers.add(.client, greeting.token, at: route)
            unanswered.append(session)
            handle(.clientJoined(session, greeting.token, greeting.request), at: now)
            notices.append(.clientJoined(greeting))
        case .worker(let offer):
            let session = peers.add(.worker, greeting.token, at: route)
            unanswered.append(session)
            handle(.workerJoined(session, offer, greeting.token, greeting.request), at: now)
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

    /// What has come to a client need not be kept for it any longer.
    private mutating func noteReceipt(by session: SessionID, at now: Instant) {
        guard core.keepsJournal, let peer = peers[session], peer.link.receivedUpdates > peer.receivedUpdates else {
            return
        }
        peers[session]?.receivedUpdates = peer.link.receivedUpdates
        handle(.updatesReceived(session, peer.link.receivedUpdates), at: now)
    }

    /// A message of a session that is known.
    mutating func take(_ header: FrameHeader, _ body: FrameBody, from session: SessionID, at now: Instant) {
        handle(.heard(session), at: now)
        arrived(header, from: session, at: now) {
            $0.deal(with: body, header, from: session, at: now)
        }
    }

    private mutating func arrived(
        _ header: FrameHeader,
        from session: SessionID,
        at now: Instant,
        deal: (inout Self) -> Void
    ) {
        noteArrival(from: session)
        let verdict = peers[session]?.link.received(sequence: header.sequence, acknowledge: header.acknowledge)
        switch verdict {
        case .deliver: deal(&self)
        case .missing(let from): send(.resend(from: from), to: session)
        case .duplicate, nil: break
        }
        noteReceipt(by: session, at: now)
        if peers[session]?.link.owesAcknowledgement == true { sendHeartbeat(to: session) }
    }

    private mutating func deal(
        with body: FrameBody,
        _ header: FrameHeader,
        from session: SessionID,
        at now: Instant
    ) {
        switch body {
        case .heartbeat(let last):
            let missing = peers[session]?.link.peerHasSent(upTo: last, acknowledge: header.acknowledge)
            if let from = missing ?? nil { send(.resend(from: from), to: session) }
        case .resend(let from): resend(from: from, to: session, at: now)
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

    private mutating func resend(from sequence: UInt64, to session: SessionID, at now: Instant) {
        switch peers[session]?.link.asked(from: sequence, pause: core.limits.heartbeat.half, at: now) {
        case .send(let messages, let isPart):
            for message in messages { transmit(message.frames, to: session) }
            if isPart { sendHeartbeat(to: session) }
        case .declined(isExcess: true): drop("a request to send again what was sent a moment ago")
        case .giveUp: expel(session, Link.endlessRequest(sequence), at: now)
        case .nothing, .declined(isExcess: false), nil: break
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
