internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import Logging
internal import ZeroMQ

/// What the shell tells the process around it.
package enum CoordinatorNotice: Sendable, Equatable {
    /// Draining has come to its end; nothing is left to wait for.
    case drained
    /// The journal cannot be written any more, and so nothing may be promised. The text is for people.
    case journalFailed(String)
}

/// The shell around `CoordinatorNode`: its socket, its clock and its log.
///
/// Lives on the loop thread.
final class CoordinatorShell: LoopHandler {
    private static let socketToken = 0
    /// Most messages taken in one turn, so that results leave while others still arrive.
    private static let burst = 512

    private let context: Context
    private let socket: Socket
    /// Where peers show keys, if they have to.
    private let entrance: Entrance?
    private let log: Logger
    private let notify: @Sendable (CoordinatorNotice) -> Void
    private let clock: CoordinatorClock
    private let journal: (any JournalSink)?
    private var node: CoordinatorNode
    /// Changes places with what the node wants sent, so that neither is allocated anew in each turn.
    private var sending: [CoordinatorNode.Datagram] = []
    /// Kinds of bad frames are logged once each, or a hostile peer would fill the disk.
    private var loggedProblems: Set<String> = []
    private var probe = BreakProbe()
    private(set) var boundEndpoints: [String] = []

    init(
        _ configuration: CoordinatorConfiguration,
        log: Logger,
        loop: LoopThread,
        notify: @escaping @Sendable (CoordinatorNotice) -> Void
    ) throws {
        self.log = log
        self.notify = notify
        var generator = SystemRandomNumberGenerator()
        journal = configuration.journal
        clock = CoordinatorClock(followsTimeOfDay: configuration.journal != nil)
        let core =
            if configuration.journal == nil {
                CoordinatorCore(limits: configuration.limits)
            } else {
                CoordinatorCore(recovering: configuration.state, limits: configuration.limits, at: clock.now)
            }
        node = CoordinatorNode(
            core: core,
            epoch: UInt64.random(in: 1 ... .max, using: &generator),
            name: configuration.name
        )
        let context = try Context()
        let socket = try Socket(.router, in: context)
        try SocketSettings.apply(to: socket)
        try socket.set(.routerMandatory, to: true)
        // Nothing is lost by it, for the peer counts as unreachable then; what nobody reads must not fill the memory.
        try socket.set(.sendHighWaterMark, to: 100_000)
        // A peer's routing id is fresh for each session, so whoever comes with a known one is that peer, reconnecting.
        try socket.set(.routerHandover, to: true)
        entrance = try configuration.security.map { security in
            try Entrance(of: socket, in: context, security, log: log)
        }
        self.context = context
        self.socket = socket
        let isOpen = configuration.security != nil || configuration.isInsecure
        for endpoint in configuration.endpoints {
            try EndpointGuard.check(endpoint, isOpen: isOpen)
            try SocketSettings.prepare(self.socket, for: endpoint)
            try EndpointGuard.withPrivateUmask { () throws in try self.socket.bind(endpoint) }
            boundEndpoints.append(try self.socket.lastEndpoint)
        }
        loop.register(socket: self.socket, token: Self.socketToken)
        journal?.start { [weak loop] notice in
            loop?.perform { handler in (handler as? CoordinatorShell)?.take(notice) }
        }
        let gatekeeper = entrance?.gatekeeper
        let events = gatekeeper == nil ? [.disconnected] : ConnectionTable.events
        try MonitorThread.start(on: self.socket, events: events) { [weak loop] event in
            gatekeeper?.take(event)
            guard event.kind == .disconnected else { return }
            loop?.perform { handler in (handler as? CoordinatorShell)?.connectionLost() }
        }
    }

    // MARK: The loop

    func nextDeadline() -> UInt64? {
        let deadlines = [node.nextDeadline, probe.dueAt].compactMap(\.self)
        return deadlines.min().map(clock.loopTime)
    }

    func socketReady(_ token: Int, in loop: LoopThread) {
        var frames: [[UInt8]] = []
        for _ in 0..<Self.burst {
            frames.removeAll(keepingCapacity: true)
            // Routing id, control frame, payload frame.
            guard let result = try? socket.tryReceiveMultipart(into: &frames, maxFrames: 3) else { return }
            switch result {
            case .empty: return
            case .tooLong(let count, _): node.drop("a message of \(count) frames")
            case .received:
                let permit = entrance?.permit(of: socket)
                node.received(route: frames[0], frames: Array(frames.dropFirst()), permit: permit, at: clock.now)
            }
        }
    }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {
        if let entrance { node.refusedPeers = entrance.refused }
        let now = clock.now
        if probe.take(at: now) { node.connectionLost(at: now) }
        node.flush(at: now)
        if !node.journal.isEmpty {
            journal?.append(node.journal)
            node.journal.removeAll(keepingCapacity: true)
        }
        transmit()
        tell()
    }

    func drain() { node.drain(at: clock.now) }

    private func take(_ notice: JournalNotice) {
        switch notice {
        case .committed(let ticket): node.committed(ticket)
        case .stalled(let problem):
            log.error(
                "nothing is accepted or told until the journal can be written",
                metadata: ["problem": "\(problem)"]
            )
        case .recovered: log.notice("the journal can be written again")
        case .failed(let problem): notify(.journalFailed(problem))
        }
    }

    private func connectionLost() { probe.connectionLost(at: clock.now) }

    /// Says goodbye to everybody.
    func leave(reason: String) {
        node.leave(reason: reason)
        transmit()
    }

    /// Sending may show that a peer is gone, which is one more event; what follows from it waits for the next turn.
    private func transmit() {
        guard !node.outgoing.isEmpty else { return }
        swap(&sending, &node.outgoing)
        for datagram in sending {
            let result = (try? socket.trySend(to: datagram.route, datagram.frames)) ?? .unreachable
            if result != .sent { node.unreachable(route: datagram.route, at: clock.now) }
        }
        sending.removeAll(keepingCapacity: true)
    }

    // MARK: The log

    private func tell() {
        guard !node.notices.isEmpty else { return }
        for notice in node.notices { tell(notice) }
        node.notices.removeAll()
    }

    /// Reports name workers.
    private func warnOfNamesakes(of offer: WorkerOffer) {
        let all = node.core.workers(called: offer.name)
        // Told when the name comes to be shared, not with each one more.
        guard all.count == 2 else { return }
        log.warning(
            "several workers have one name: reports cannot tell them apart; start each with a --name of its own",
            metadata: [
                "worker": "\(offer.name)",
                "processes": "\(all.map { "\($0.processID) on \($0.host)" }.joined(separator: ", "))",
            ]
        )
    }

    private func tell(_ notice: CoordinatorNode.Notice) {
        switch notice {
        case .clientJoined(let greeting):
            log.debug("client joined", metadata: ["name": "\(greeting.name)", "pid": "\(greeting.processID)"])
        case .workerJoined(let greeting):
            guard case .worker(let offer) = greeting.role else { return }
            log.info(
                "worker joined",
                metadata: [
                    "worker": "\(offer.name)", "host": "\(offer.host)", "pid": "\(offer.processID)",
                    "slots": "\(offer.slots)",
                ]
            )
            warnOfNamesakes(of: offer)
        case .workerLost(let worker, .goodbye, 0, 0): log.info("worker left", metadata: ["worker": "\(worker.name)"])
        case .workerLost(let worker, let end, let running, let returned):
            log.warning(
                "worker lost",
                metadata: [
                    "worker": "\(worker.name)", "host": "\(worker.host)", "pid": "\(worker.processID)",
                    "how": "\(end.inWords)", "tasks running": "\(running)", "tasks given back": "\(returned)",
                ]
            )
        case .refused(let permit): entrance?.refuse(permit)
        case .expelled(let reason): log.warning("ended a session", metadata: ["reason": "\(reason)"])
        case .dropped(let problem):
            if loggedProblems.count < 64, loggedProblems.insert(problem).inserted {
                log.warning("dropped a message", metadata: ["problem": "\(problem)"])
            }
        case .drained: notify(.drained)
        }
    }
}
