internal import CohortCore
internal import CohortRuntime
internal import CohortWire

/// The worker's sessions: what it keeps when one is lost, and what it has in the next.
extension WorkerShell: PeerConnectionDelegate {
    func connectionOpened(_ connection: PeerConnection) {
        let isSecond = brokenAt != nil
        brokenAt = nil
        isBroken = false
        if let acceptance = connection.acceptance, acceptance.resumed {
            keeper?.disown(acceptance.unwanted)
            core.handle(.resumed(unwanted: acceptance.unwanted), at: .now, into: &actions)
        } else if isSecond {
            // A coordinator that knows nothing of what runs here: nobody wants it.
            do {
                try forgetEverything()
            } catch {
                end("\(error)")
                return
            }
        }
        core.handle(.welcomed(isDurable: connection.acceptance?.durable ?? false), at: .now, into: &actions)
        notify(
            .connected(coordinator: connection.endpoint, epoch: connection.epoch, session: connection.sessionID)
        )
        if isDraining { connection.send(.draining) }
    }

    func connection(_ connection: PeerConnection, received body: FrameBody) {
        let event: WorkerEvent
        switch body {
        case .assign(let batch): event = .assigned(batch)
        case .cancel(let orders): event = .cancelled(orders)
        case .grant(let grants): event = .granted(grants)
        case .forget(let templates): event = .forgotten(templates)
        case .proceed(let refs): event = .proceedGranted(refs)
        default: return
        }
        // In the order in which they were sent: what has come proves that the way is open.
        noteHeard()
        core.handle(event, at: .now, into: &actions)
    }

    func connectionBroken(_ connection: PeerConnection) {
        isBroken = true
        cutOff(connection)
    }

    func connectionRestored(_ connection: PeerConnection) {
        isBroken = false
        // What has come meanwhile was left over from before: only what comes now has come this way.
        if brokenAt != nil { brokenAt = .now }
        core.handle(.wayRestored, at: .now, into: &actions)
    }

    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String) {
        guard !hasEnded else { return }
        do {
            switch loss {
            case .noAnswer, .refused, .incomprehensible:
                end(explanation)
            case .silent where configuration.reconnects, .unknown where configuration.reconnects, .asleep:
                cutOff(connection)
                // The reports first, so that what has ended is known to have ended.
                performAll()
                isBroken = false
                try connection.reconnect(in: context, held: core.held, patience: configuration.patience)
                notify(.reconnecting(explanation: explanation))
            case .goodbye where configuration.reconnects && !isDraining:
                // It has ended what it had, and wants nothing of it any more.
                try forgetEverything()
                try connection.beginAnew(in: context, patience: configuration.patience)
                notify(.reconnecting(explanation: explanation))
            case .silent, .unknown, .goodbye:
                end(explanation)
            }
        } catch {
            end("\(error)")
        }
    }

    /// Ends the worker's work for good.
    private func end(_ explanation: String) {
        hasEnded = true
        stopExecutors()
        notify(.ended(explanation: explanation))
    }

    private func cutOff(_ connection: PeerConnection) {
        let now = Instant.now
        brokenAt = brokenAt ?? now
        silentUntil = connection.lastHeard.advanced(by: connection.lease)
        core.handle(
            .cutOff(
                lastHeard: connection.lastHeard,
                lease: connection.lease,
                isDurable: connection.acceptance?.durable ?? false
            ),
            at: now,
            into: &actions
        )
    }

    /// Lets the session go on if something was heard since it was cut off.
    func noteHeard() {
        guard !isBroken, let brokenAt, let connection, connection.isOpen, connection.lastHeard > brokenAt else {
            return
        }
        self.brokenAt = nil
        core.handle(.heardAgain, at: .now, into: &actions)
    }
}
