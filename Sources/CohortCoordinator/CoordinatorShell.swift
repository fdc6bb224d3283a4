internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import Logging
internal import ZeroMQ

/// What the shell tells the process around it.
package enum CoordinatorNotice: Sendable, Equatable {
    /// Draining has come to its end; nothing is left to wait for.
    case drained
}

/// The shell around `CoordinatorCore`: frames in, events; actions out, frames.
///
/// Lives on the loop thread. All that is decided is decided in the core; all that arrives is judged here first, and what
/// cannot be understood is counted and dropped (promise 9).
final class CoordinatorShell: LoopHandler {
    private static let socketToken = 0
    /// Most messages taken in one turn, so that results leave while others still arrive.
    private static let burst = 512

    private let context: Context
    private let socket: Socket
    private let configuration: CoordinatorConfiguration
    private let log: Logger
    private let notify: @Sendable (CoordinatorNotice) -> Void
    private let epoch: UInt64
    private var core: CoordinatorCore
    private var peers = PeerTable()
    private var actions: [CoordinatorAction] = []
    private var badFrames: UInt64 = 0
    /// Kinds of bad frames are logged once each, or a hostile peer would fill the disk.
    private var loggedProblems: Set<String> = []
    private(set) var boundEndpoints: [String] = []

    init(
        _ configuration: CoordinatorConfiguration,
        log: Logger,
        loop: LoopThread,
        notify: @escaping @Sendable (CoordinatorNotice) -> Void
    ) throws {
        self.configuration = configuration
        self.log = log
        self.notify = notify
        core = CoordinatorCore(limits: configuration.limits)
        var generator = SystemRandomNumberGenerator()
        epoch = UInt64.random(in: 1 ... .max, using: &generator)
        let context = try Context()
        let socket = try Socket(.router, in: context)
        try SocketSettings.apply(to: socket)
        try socket.set(.routerMandatory, to: true)
        // A peer's routing id is fresh for each session, so whoever comes with a known one is that peer, reconnecting.
        try socket.set(.routerHandover, to: true)
        self.context = context
        self.socket = socket
        for endpoint in configuration.endpoints {
            try EndpointGuard.check(endpoint)
            try EndpointGuard.withPrivateUmask { () throws in try self.socket.bind(endpoint) }
            boundEndpoints.append(try self.socket.lastEndpoint)
        }
        loop.register(socket: self.socket, token: Self.socketToken)
    }

    // MARK: The loop

    func nextDeadline() -> UInt64? { core.nextDeadline?.nanoseconds }

    func socketReady(_ token: Int, in loop: LoopThread) {
        var frames: [[UInt8]] = []
        for _ in 0..<Self.burst {
            frames.removeAll(keepingCapacity: true)
            // Routing id, control frame, payload frame.
            guard let result = try? socket.tryReceiveMultipart(into: &frames, maxFrames: 3) else { return }
            switch result {
            case .empty: return
            case .tooLong(let count, _): drop("a message of \(count) frames")
            case .received: take(route: frames[0], Array(frames.dropFirst()))
            }
        }
    }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {
        let now = Instant.now
        if let due = core.nextDeadline, due <= now { core.handle(.timeReached, at: now, into: &actions) }
        core.flush(at: now, into: &actions)
        // Sending may show that a peer is gone, which is one more event; it waits for the next turn.
        let batch = actions
        actions.removeAll(keepingCapacity: true)
        for action in batch { perform(action) }
    }

    func drain() { core.handle(.drainRequested, at: .now, into: &actions) }

    /// Says goodbye to everybody.
    func leave(reason: String) {
        for session in peers.all { send(.goodbye(reason), to: session) }
    }

    // MARK: Frames in

    private func drop(_ problem: String) {
        badFrames += 1
        if loggedProblems.count < 64, loggedProblems.insert(problem).inserted {
            log.warning("dropped a message", metadata: ["problem": "\(problem)"])
        }
    }

    private func take(route: [UInt8], _ frames: [[UInt8]]) {
        let header: FrameHeader
        let body: FrameBody
        do {
            (header, body) = try FrameCodec.decode(frames)
        } catch {
            drop(error.description)
            if let header = error.header, header.epoch == epoch, let session = peers.session(at: route) {
                // It has arrived, though nothing can be made of it.
                _ = peers[session]?.link.received(sequence: header.sequence, acknowledge: header.acknowledge)
            }
            if case .version(let version) = error.code {
                reply(to: route, .refused("it speaks version \(FrameCodec.version) of the protocol, not \(version)"))
            }
            return
        }
        switch body {
        case .hello(let greeting): greet(greeting, at: route)
        case .obituary(let worker, let token, let death):
            guard header.epoch == epoch, let peer = peers[SessionID(worker)], peer.role == .worker, peer.token == token
            else { return }
            event(.sessionEnded(peer.session, .died(death)))
        default:
            guard header.epoch == epoch, let session = peers.session(at: route), session.value == header.session else {
                drop("a message of a session that is not known")
                // A peer of another life of the coordinator learns so at its next heartbeat, not at the end of its lease.
                reply(to: route, .refused("the session is not known here"))
                return
            }
            take(header, body, from: session)
        }
    }

    private func greet(_ greeting: Greeting, at route: [UInt8]) {
        if let known = peers.session(at: route) {
            if let acceptance = peers[known]?.acceptance { send(.welcome(acceptance), to: known) }
            return
        }
        if peers.count >= configuration.limits.sessions {
            reply(to: route, .refused("\(peers.count) peers are connected, which is the limit"))
            return
        }
        switch greeting.role {
        case .client:
            let session = peers.add(.client, greeting.token, at: route)
            event(.clientJoined(session, greeting.token))
            log.debug("client joined", metadata: ["name": "\(greeting.name)", "pid": "\(greeting.processID)"])
        case .worker(let offer):
            let session = peers.add(.worker, greeting.token, at: route)
            event(.workerJoined(session, offer, greeting.token))
            log.info(
                "worker joined",
                metadata: ["worker": "\(offer.name)", "host": "\(offer.host)", "slots": "\(offer.slots)"]
            )
        case .supervisor:
            // It says one thing, in an obituary, and needs no session for that.
            break
        }
    }

    private func welcome(_ session: SessionID, resumed: Bool, unwanted: [AttemptRef]) {
        let acceptance = Acceptance(
            heartbeat: configuration.limits.heartbeat,
            lease: configuration.limits.lease,
            coordinator: configuration.name,
            resumed: resumed,
            unwanted: unwanted
        )
        peers[session]?.acceptance = acceptance
        send(.welcome(acceptance), to: session)
    }

    private func take(_ header: FrameHeader, _ body: FrameBody, from session: SessionID) {
        event(.heard(session))
        let verdict = peers[session]?.link.received(sequence: header.sequence, acknowledge: header.acknowledge)
        switch verdict {
        case .deliver: deal(with: body, from: session)
        case .missing(let from): send(.resend(from: from), to: session)
        case .duplicate, nil: break
        }
        if let link = peers[session]?.link, link.owesAcknowledgement {
            send(.heartbeat(last: link.lastSent), to: session)
        }
    }

    private func deal(with body: FrameBody, from session: SessionID) {
        switch body {
        case .heartbeat(let last):
            if let from = peers[session]?.link.peerHasSent(upTo: last) { send(.resend(from: from), to: session) }
        case .resend(let from):
            for message in peers[session]?.link.resend(from: from) ?? [] { transmit(message.frames, to: session) }
        case .goodbye:
            event(.sessionEnded(session, .goodbye))
        default:
            let role = peers[session]?.role
            if let event = role == .client ? clientEvent(body, session) : workerEvent(body, session) {
                self.event(event)
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

    private func event(_ event: CoordinatorEvent) { core.handle(event, at: .now, into: &actions) }

    // MARK: Actions out

    private func perform(_ action: CoordinatorAction) {
        switch action {
        // There is no journal here: nothing survives this process.
        case .record: break
        case .welcome(let session, let resumed, let unwanted): welcome(session, resumed: resumed, unwanted: unwanted)
        case .assign(let session, let batch): send(.assign(batch), to: session)
        case .cancel(let session, let orders): send(.cancel(orders), to: session)
        case .grant(let session, let grants): send(.grant(grants), to: session)
        case .proceed(let session, let refs): send(.proceed(refs), to: session)
        case .forget(let session, let templates): send(.forget(templates), to: session)
        case .update(let session, let update): send(.update(update), to: session)
        case .answer(let session, var snapshot):
            snapshot.badFrames = badFrames
            send(.snapshot(snapshot), to: session)
        case .heartbeat(let session):
            if let link = peers[session]?.link { send(.heartbeat(last: link.lastSent), to: session) }
        case .closeSession(let session, let end): close(session, end)
        case .workerLost(_, let end, let running, let returned):
            log.warning(
                "worker lost",
                metadata: ["how": "\(end)", "tasks running": "\(running)", "tasks given back": "\(returned)"]
            )
        case .drained: notify(.drained)
        }
    }

    private func close(_ session: SessionID, _ end: SessionEnd) {
        switch end {
        case .goodbye: break
        case .leaseExpired: send(.goodbye("nothing was heard of it for the lease"), to: session)
        case .unreachable, .died: send(.goodbye("its connection was lost"), to: session)
        }
        peers.remove(session)
    }

    private func send(_ body: FrameBody, to session: SessionID) {
        guard var link = peers[session]?.link else { return }
        let sequence = body.isNumbered ? link.nextSequence() : 0
        let header = FrameHeader(
            epoch: epoch,
            session: session.value,
            sequence: sequence,
            acknowledge: link.lastReceived
        )
        let frames = FrameCodec.encode(header, body)
        if sequence == 0 { link.acknowledged() } else { link.sent(sequence, frames) }
        peers[session]?.link = link
        transmit(frames, to: session)
    }

    private func transmit(_ frames: [[UInt8]], to session: SessionID) {
        guard let peer = peers[session] else { return }
        let result = (try? socket.trySend(to: peer.route, frames)) ?? .unreachable
        if result != .sent { event(.unreachable(session)) }
    }

    /// Answers somebody who has no session.
    private func reply(to route: [UInt8], _ body: FrameBody) {
        _ = try? socket.trySend(to: route, FrameCodec.encode(FrameHeader(epoch: epoch), body))
    }
}
