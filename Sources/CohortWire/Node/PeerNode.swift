package import CohortCore

/// The protocol of a worker's or client's side: a `PeerSession`, its link and the codec, without socket, thread or clock.
///
/// Whoever drives it gives it what has arrived (`received`), calls `timeReached` when that is due, and takes what stands in
/// `outgoing` and `inbox`. A session that was lost is continued by `resume`: what the coordinator has not acknowledged goes
/// into the new one.
package struct PeerNode: Sendable {
    /// What its owner is told.
    package enum Notice: Sendable, Equatable {
        case opened(Acceptance)
        case received(FrameBody)
        /// The session is over, and this side has not ended it.
        case lost(PeerSession.Loss)
    }

    /// How it introduces itself, and which of its sessions it asks for.
    package private(set) var greeting: Greeting
    package private(set) var session: PeerSession
    /// Messages to be sent, each of one or more frames, in this order.
    package var outgoing: [[[UInt8]]] = []
    package var inbox: [Notice] = []
    /// Messages that could not be understood.
    package private(set) var badFrames: UInt64 = 0
    /// Given to `send` while no session was open.
    private var waiting: [FrameBody] = []
    /// Of the session before: sent and not acknowledged. They mean something only to a coordinator that knows what it was
    /// about.
    private var carried: [FrameBody] = []
    private var actions: [PeerSession.Action] = []
    /// Sessions in a row that ended, each soon, because what came could not be understood.
    private var damagedSessions = 0
    private var openedAt: Instant

    /// After so many of those there is no further one. What the connection damages comes whole the next time.
    package static let mostDamagedSessions = 4

    /// - Parameter patience: how long to wait for an answer to the hello; `nil` for ever.
    package init(greeting: Greeting, at now: Instant, patience: TimeSpan?) {
        self.greeting = greeting
        session = PeerSession(at: now, patience: patience, endsWithSleep: greeting.role.isWorker)
        openedAt = now
    }

    package var isOpen: Bool { session.state == .open }

    /// When `timeReached` is due; `nil` for never.
    package var nextDeadline: Instant? { session.nextDeadline }

    /// Messages given to `send` that the coordinator has not acknowledged.
    package var unacknowledgedCount: Int { session.link.unacknowledgedCount + carried.count + waiting.count }

    /// The same, in the order in which they were given.
    package var unacknowledged: [FrameBody] {
        carried + session.link.kept.compactMap { try? FrameCodec.decode($0.frames).1 } + waiting
    }

    /// Whether one of them would still mean something in a session that continues this one, as a report does.
    package var keepsUnacknowledged: Bool {
        carried.contains(where: \.outlivesSession) || waiting.contains(where: \.outlivesSession)
            || session.link.kept.contains { (try? FrameCodec.decode($0.frames).1)?.outlivesSession ?? false }
    }

    // MARK: Sending

    /// Sends a message of the session, or of the next one if none is open. What is lost on the way is sent again.
    package mutating func send(_ body: FrameBody) {
        switch session.state {
        case .open: transmit(body)
        case .greeting, .lost: if body.isNumbered { waiting.append(body) }
        case .closed: break
        }
    }

    /// Ends the session from this side, and for good.
    package mutating func close(reason: String) {
        if session.state == .open { transmit(.goodbye(reason)) }
        session.close()
        waiting.removeAll()
        carried.removeAll()
    }

    /// Says something, so that the other side answers if it does not know the session.
    package mutating func speak() {
        if isOpen { transmit(.heartbeat(last: session.link.lastSent)) }
    }

    private mutating func transmit(_ body: FrameBody) {
        let sequence = body.isNumbered ? session.link.nextSequence() : 0
        let header = FrameHeader(
            epoch: session.epoch,
            session: session.session,
            sequence: sequence,
            acknowledge: session.link.settled
        )
        let frames = FrameCodec.encode(header, body)
        if sequence == 0 { session.link.acknowledged() } else { session.link.sent(sequence, frames) }
        outgoing.append(frames)
    }

    // MARK: What happens

    /// A message has come.
    package mutating func received(frames: [[UInt8]], at now: Instant) {
        let header: FrameHeader
        let body: FrameBody
        do {
            (header, body) = try FrameCodec.decode(frames)
        } catch {
            badFrames += 1
            if let header = error.header { reject(header, error, at: now) }
            perform()
            return
        }
        switch body {
        case .welcome(let acceptance): welcomed(header, acceptance, at: now)
        case .refused(let reason): session.refused(reason, into: &actions)
        default: if accepts(header, at: now) { deal(with: body, header, at: now) }
        }
        perform()
    }

    /// A message came whose header can be read and whose content cannot.
    private mutating func reject(_ header: FrameHeader, _ error: FrameError, at now: Instant) {
        guard isOpen, header.epoch == session.epoch, header.session == session.session else { return }
        if error.code == .noBody {
            // Of a kind that later versions may have: it has arrived, and to do nothing about it is harmless.
            _ = accepts(header, at: now)
            return
        }
        switch session.link.rejected(sequence: header.sequence) {
        case .ignore: break
        case .askAgain(let from): transmit(.resend(from: from))
        case .giveUp: giveUp("message \(header.sequence) cannot be understood: \(error.description)", at: now)
        }
    }

    /// The session cannot go on for what the coordinator says.
    ///
    /// No goodbye: that would say that a worker has ended what it has, and it comes back with it instead.
    private mutating func giveUp(_ reason: String, at now: Instant) {
        forgetDamage(at: now)
        damagedSessions += 1
        if damagedSessions < Self.mostDamagedSessions {
            session.refused(reason, into: &actions)
        } else {
            session.gaveUp(reason, into: &actions)
        }
    }

    /// A session that has lasted was sound.
    private mutating func forgetDamage(at now: Instant) {
        if now.since(openedAt) >= session.lease { damagedSessions = 0 }
    }

    /// The connection itself was refused, before a message could pass.
    package mutating func refused(_ reason: String) {
        session.refused(reason, into: &actions)
        perform()
    }

    /// Something came that is no message, such as one of too many frames.
    package mutating func drop() { badFrames += 1 }

    package mutating func timeReached(at now: Instant) {
        guard let due = session.nextDeadline, due <= now else { return }
        session.timeReached(at: now, into: &actions)
        perform()
    }

    /// Asks for a session that continues the one that was lost.
    ///
    /// On a connection of its own: the coordinator knows connections by their routing ids, and what still comes for the old
    /// one must not come here.
    ///
    /// - Parameters:
    ///   - held: what a worker still has.
    ///   - patience: how long to wait for an answer; `nil` for ever.
    package mutating func resume(held: [HeldAttempt] = [], at now: Instant, patience: TimeSpan?) {
        if session.session != 0 {
            forgetDamage(at: now)
            greeting.request.previous = greeting.request.number
            carried += session.link.takeUnacknowledged().compactMap { message in
                guard let body = try? FrameCodec.decode(message.frames).1, body.outlivesSession else { return nil }
                return body
            }
        }
        begin(held: held, at: now, patience: patience)
    }

    /// Asks for a session that continues nothing, in the same way.
    package mutating func beginAnew(at now: Instant, patience: TimeSpan?) {
        greeting.request.previous = 0
        greeting.request.lineage = 0
        carried.removeAll()
        waiting.removeAll()
        begin(held: [], at: now, patience: patience)
    }

    private mutating func begin(held: [HeldAttempt], at now: Instant, patience: TimeSpan?) {
        greeting.request.number += 1
        if case .worker(var offer) = greeting.role {
            offer.held = held
            greeting.role = .worker(offer)
            // That says of each attempt whether it waits. Told once more as news, it would be news of the next wait, which
            // begins as soon as the greeting has been answered with leave to go on.
            carried = carried.map(\.withoutWaits)
            waiting = waiting.map(\.withoutWaits)
        }
        session = PeerSession(
            at: now,
            patience: patience,
            seed: greeting.token.value ^ now.nanoseconds,
            endsWithSleep: greeting.role.isWorker
        )
        outgoing.removeAll()
        actions.removeAll()
    }

    /// Whether a message is of this session and its content to be dealt with.
    private mutating func accepts(_ header: FrameHeader, at now: Instant) -> Bool {
        guard header.epoch == session.epoch, header.session == session.session else { return false }
        return session.received(
            sequence: header.sequence,
            acknowledge: header.acknowledge,
            at: now,
            into: &actions
        )
    }

    private mutating func welcomed(_ header: FrameHeader, _ acceptance: Acceptance, at now: Instant) {
        guard session.state == .greeting else { return }
        session.welcomed(
            epoch: header.epoch,
            session: header.session,
            heartbeat: acceptance.heartbeat,
            lease: acceptance.lease,
            at: now,
            into: &actions
        )
        if acceptance.resumed { for body in carried { transmit(body) } }
        carried.removeAll()
        openedAt = now
        inbox.append(.opened(acceptance))
        // What was said to a coordinator that has forgotten all of it would be taken for something else by this one.
        let isFirst = greeting.request.previous == 0
        greeting.request.lineage = acceptance.lineage
        if acceptance.resumed || isFirst {
            for body in waiting where isFirst || body.outlivesSession { transmit(body) }
        }
        waiting.removeAll()
    }

    private mutating func deal(with body: FrameBody, _ header: FrameHeader, at now: Instant) {
        switch body {
        case .heartbeat(let last):
            session.heartbeatReceived(last: last, acknowledge: header.acknowledge, into: &actions)
        case .resend(let from):
            switch session.resendRequested(from: from, at: now, into: &actions) {
            case .send, .nothing, .declined(isExcess: false): break
            case .declined(isExcess: true): drop()
            case .giveUp: giveUp(Link.endlessRequest(from), at: now)
            }
        case .goodbye(let reason): session.goodbyeReceived(reason, into: &actions)
        default: inbox.append(.received(body))
        }
    }

    private mutating func perform() {
        for action in actions {
            switch action {
            case .sendHello: outgoing.append(FrameCodec.encode(FrameHeader(), .hello(greeting)))
            case .sendHeartbeat: if isOpen { transmit(.heartbeat(last: session.link.lastSent)) }
            case .askAgain(let from): if isOpen { transmit(.resend(from: from)) }
            case .sendAgain(let messages): for message in messages { outgoing.append(message.frames) }
            case .lost(let loss): inbox.append(.lost(loss))
            }
        }
        actions.removeAll(keepingCapacity: true)
    }
}

extension FrameBody {
    /// Whether it still means what it says when it is sent again in a session that continues the one it was made for.
    ///
    /// Credit begins anew with each session, and what was asked of a session is asked again by whoever wants to know.
    var outlivesSession: Bool {
        switch self {
        case .consumed, .watch, .query, .draining, .goodbye: false
        default: isNumbered
        }
    }

    /// A report without the attempts that wait or want to go on, anything else as it is. One that has nothing else to say
    /// stays as an empty one: how much is acknowledged is counted in messages.
    fileprivate var withoutWaits: FrameBody {
        guard case .report(var report) = self else { return self }
        report.waiting = []
        report.wanting = []
        return .report(report)
    }
}
