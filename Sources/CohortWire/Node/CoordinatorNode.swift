package import CohortCore

/// The protocol around `CoordinatorCore`: what arrives becomes events, and actions become what is to be sent.
///
/// A value without sockets, threads or clocks, so that a simulator can run it as the coordinator's process does. Whoever
/// drives it gives it what has arrived (`received`), calls `flush` when a burst has been dealt with, and takes what stands in
/// `outgoing` and `notices`. All that is decided is decided in the core; all that arrives is judged here first, and what
/// cannot be understood is counted and dropped (promise 9).
package struct CoordinatorNode: Sendable {
    /// A message on its way to a peer: the routing id of its connection, and the frames.
    package struct Datagram: Sendable, Equatable {
        package var route: [UInt8]
        package var frames: [[UInt8]]
    }

    /// What happened that is told to people, or to the process around.
    package enum Notice: Sendable, Equatable {
        case clientJoined(Greeting)
        case workerJoined(Greeting)
        /// With so many tasks running and so many merely assigned.
        case workerLost(WorkerSummary, SessionEnd, running: Int, returned: Int)
        /// Somebody asked for a role that his key is not listed for.
        case refused(PeerPermit)
        /// A session was ended since it could not go on; the text says why.
        case expelled(String)
        /// A message was not dealt with; the text says why.
        case dropped(String)
        /// Draining has come to its end; nothing is left to wait for.
        case drained
    }

    package internal(set) var core: CoordinatorCore
    /// One life of the coordinator; never 0.
    package let epoch: UInt64
    /// What it calls itself in answers.
    package let name: String
    /// To be sent, in this order.
    package var outgoing: [Datagram] = []
    package var notices: [Notice] = []
    /// To be written, in this order; `committed` is to be called with the ticket when that has been done.
    package var journal: [JournalEntry] = []
    package internal(set) var badFrames: UInt64 = 0
    /// Peers that were turned away; kept by whoever drives it, who sees most of them.
    package var refusedPeers: UInt64 = 0

    var peers: PeerTable
    var actions: [CoordinatorAction] = []
    private var gate = Gate()
    /// Sessions of which something has come since the last flush.
    var heard: [SessionID] = []
    private var lastFlush: Instant?
    /// Sessions whose welcome has not been sent yet, in the order of joining.
    var unanswered: [SessionID] = []
    /// Sessions that keep too much unacknowledged.
    var overdue: Set<SessionID> = []
    var strangers = StrangerReplies()

    package init(core: CoordinatorCore, epoch: UInt64, name: String) {
        self.core = core
        self.core.begin(lineage: epoch)
        self.core.commandReader = CommandReader { (try? CommandPayload(bytes: $0))?.description ?? "" }
        self.epoch = epoch
        self.name = name
        peers = PeerTable(settlesLater: core.keepsJournal)
    }

    /// When `timeReached` is due; `nil` for never.
    package var nextDeadline: Instant? { core.nextDeadline }

    package var peerCount: Int { peers.count }

    // MARK: What happens

    /// A message has come from the connection that `route` names.
    ///
    /// - Parameters:
    ///   - frames: without the routing id.
    ///   - permit: what the connection may be used for; `nil` if nothing restricts it.
    package mutating func received(
        route: [UInt8],
        frames: [[UInt8]],
        permit: PeerPermit? = nil,
        at now: Instant
    ) {
        let header: FrameHeader
        let body: FrameBody
        do {
            (header, body) = try FrameCodec.decode(frames)
        } catch {
            malformed(error, from: route, now)
            return
        }
        switch body {
        case .hello(let greeting): greet(greeting, at: route, permit, now)
        case .obituary(_, let token, let death):
            if let permit, permit.refusal(of: .supervisor) != nil {
                notices.append(.refused(permit))
                return
            }
            // The token is known to the worker, its supervisor and this coordinator alone; its session may be of another life.
            if token != .none { handle(.workerDied(token, death), at: now) }
        default:
            guard header.epoch == epoch, let session = peers.session(at: route), session.value == header.session else {
                // Nothing is wrong with it: a peer of another life of the coordinator learns so at its next heartbeat, not at
                // the end of its lease.
                reply(to: route, .refused("the session is not known here"), at: now)
                return
            }
            guard peers[session]?.expulsion == nil else { return }
            take(header, body, from: session, at: now)
        }
    }

    /// What was to be sent there could not be: the connection is gone, at present at least.
    package mutating func unreachable(route: [UInt8], at now: Instant) {
        // One that has not been answered says nothing by which it could show that it is back. The answer will tell.
        guard let session = peers.session(at: route), peers[session]?.acceptance != nil else { return }
        handle(.unreachable(session), at: now)
    }

    /// Something came that is no message, such as one of too many frames.
    package mutating func drop(_ problem: String) {
        badFrames += 1
        notices.append(.dropped(problem))
    }

    /// Opens no group any more and cancels those that are open.
    package mutating func drain(at now: Instant) { handle(.drainRequested, at: now) }

    /// A connection has broken, and nobody knows whose: whoever cannot be reached any more is found out.
    package mutating func connectionLost(at now: Instant) { handle(.connectionLost, at: now) }

    /// Ends a turn: deals with the passing of time, and makes what is to be sent of all that has happened.
    package mutating func flush(at now: Instant) {
        forgiveSilence(at: now)
        // Those whose welcome waits for the disk have nothing to answer yet.
        for session in unanswered { handle(.silenceExcused(session), at: now) }
        for session in overdue.sorted() {
            expel(session, "it does not acknowledge what it is sent", at: now)
        }
        overdue.removeAll()
        if let due = core.nextDeadline, due <= now { handle(.timeReached, at: now) }
        core.flush(at: now, into: &actions)
        guard core.keepsJournal else {
            let batch = actions
            actions.removeAll(keepingCapacity: true)
            for action in batch { perform(action) }
            return
        }
        holdBack()
    }

    /// Everything up to the entry of this ticket is on disk.
    package mutating func committed(_ ticket: UInt64) {
        for held in gate.committed(ticket) { release(held) }
    }

    /// A process that was stopped for a while has heard nobody, whoever spoke: what they said may still wait at the socket.
    private mutating func forgiveSilence(at now: Instant) {
        defer { lastFlush = now }
        let usual = core.limits.heartbeat.nanoseconds.multipliedReportingOverflow(by: 3)
        guard let lastFlush, !usual.overflow, now.since(lastFlush).nanoseconds > usual.partialValue else { return }
        for session in peers.all { handle(.silenceExcused(session), at: now) }
    }

    // MARK: The gate

    /// Keeps what this flush has brought about until it is on disk. Heartbeats pass: they tell nothing.
    private mutating func holdBack() {
        var held = Gate.Held()
        for action in actions {
            switch action {
            case .record(let batch): journal.append(JournalEntry(ticket: gate.nextTicket(), batch: batch))
            case .heartbeat: perform(action)
            default: held.actions.append(action)
            }
        }
        actions.removeAll(keepingCapacity: true)
        for session in heard {
            guard let link = peers[session]?.link else { continue }
            held.received.append((session, link.lastReceived))
            peers[session]?.isHeard = false
        }
        heard.removeAll(keepingCapacity: true)
        if let held = gate.hold(held) { release(held) }
    }

    /// What has come from a peer is acknowledged by the last message to it, not before: if the session breaks off in between,
    /// the peer must ask again for what the others would have told it.
    private mutating func release(_ held: Gate.Held) {
        var unsettled = Dictionary(held.received) { max($0, $1) }
        var settling: [Int: (session: SessionID, sequence: UInt64)] = [:]
        for (place, action) in held.actions.enumerated().reversed() where !unsettled.isEmpty {
            guard let session = action.recipient, let sequence = unsettled.removeValue(forKey: session) else {
                continue
            }
            settling[place] = (session, sequence)
        }
        for (session, sequence) in unsettled { peers[session]?.link.settle(upTo: sequence) }
        for (place, action) in held.actions.enumerated() {
            if let last = settling[place] { peers[last.session]?.link.settle(upTo: last.sequence) }
            perform(action)
        }
        for (session, _) in held.received {
            if peers[session]?.link.owesAcknowledgement == true { sendHeartbeat(to: session) }
        }
    }

    /// Says goodbye to everybody.
    package mutating func leave(reason: String) {
        for session in peers.all { send(.goodbye(reason), to: session) }
    }

    mutating func handle(_ event: CoordinatorEvent, at now: Instant) {
        core.handle(event, at: now, into: &actions)
    }
}
