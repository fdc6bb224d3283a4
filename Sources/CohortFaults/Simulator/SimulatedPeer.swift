internal import CohortCore
internal import CohortWire

/// A client or worker of the simulated cluster: its protocol, and the connection that it has at present.
class SimulatedPeer: SimulatedNode {
    /// The number of its process among those of its kind in `Truth`.
    let life: Int
    var peer: PeerNode
    private(set) var connection: Int
    private var frames: [[[UInt8]]] = []
    /// When it tries again to have a session.
    private var retryAt: Instant?
    /// The next session is to continue nothing.
    private var isNew = false
    private(set) var openSince: Instant?
    private(set) var lastHeard = Instant(nanoseconds: 0)
    private var isCalm = false
    /// Since when the coordinator has not been able to hear it; `nil` while it can.
    private var unheardSince: Instant?
    /// Since when it has been able to, if it is.
    private var heardSince: Instant
    private var lastUnheard: Instant?
    /// When the last time was over in which it went unheard for so long that it may have been given up.
    private var lastAbsence = Instant(nanoseconds: 0)
    /// When the coordinator could first be told something over its present connection; `nil` if it cannot yet.
    private var reachedAt: Instant?
    /// When it began to ask for the session that it asks for at present, and for the one that it had last.
    private(set) var askedAt: Instant
    private var askedBefore: Instant
    var generator: SeededGenerator

    init(_ simulation: Simulation, machine: Int, life: Int, greeting: Greeting) {
        let number = simulation.nodes.count
        self.life = life
        peer = PeerNode(greeting: greeting, at: simulation.now, patience: nil)
        connection = simulation.network.add(peer: number)
        unheardSince = simulation.now
        heardSince = simulation.now
        askedAt = simulation.now
        askedBefore = simulation.now
        generator = SeededGenerator(seed: simulation.seed, stream: 0x1_0000_0000 + UInt64(number))
        super.init(number: number, machine: machine)
    }

    override var nextDeadline: Instant? {
        guard let due = peer.nextDeadline else { return retryAt }
        return min(due, retryAt ?? due)
    }

    override func arrived(_ frames: [[UInt8]], from connection: Int) {
        if connection == self.connection { self.frames.append(frames) }
    }

    override func turn(_ simulation: Simulation) {
        if let retryAt, retryAt <= simulation.now {
            self.retryAt = nil
            renew(simulation)
        }
        let arrived = frames
        frames.removeAll(keepingCapacity: true)
        if !arrived.isEmpty { lastHeard = simulation.now }
        for frames in arrived { peer.received(frames: frames, at: simulation.now) }
        peer.timeReached(at: simulation.now)
        while !peer.inbox.isEmpty {
            let notices = peer.inbox
            peer.inbox.removeAll(keepingCapacity: true)
            for notice in notices { take(notice, simulation) }
        }
        let last = max(lastHeard, thawedAt, openSince ?? lastHeard)
        if peer.isOpen, simulation.now.since(last) > tolerance(simulation) {
            simulation.broke(
                BrokenPromise(
                    promise: .noSilentHang,
                    message: "\(name) heard nothing for its lease, in silence",
                    evidence: []
                )
            )
        }
    }

    private func tolerance(_ simulation: Simulation) -> TimeSpan {
        // Its loop has gone round with nothing new: it must have given up by now.
        TimeSpan(nanoseconds: simulation.options.limits.lease.nanoseconds + 10_000_000)
    }

    var name: String { "node \(number)" }

    private func take(_ notice: PeerNode.Notice, _ simulation: Simulation) {
        switch notice {
        case .opened(let acceptance):
            simulation.note("\(name) has session \(peer.session.session)\(acceptance.resumed ? ", which goes on" : "")")
            openSince = simulation.now
            lastHeard = simulation.now
            conditionsChanged(simulation)
            opened(acceptance, simulation)
            askedBefore = askedAt
        case .received(let body): received(body, simulation)
        case .lost(let loss):
            simulation.note("\(name) has lost its session: \(loss)")
            openSince = nil
            conditionsChanged(simulation)
            checkLoss(loss, simulation)
            lost(loss, simulation)
        }
    }

    /// A coordinator ends no session whose peer it can hear.
    private func checkLoss(_ loss: PeerSession.Loss, _ simulation: Simulation) {
        let reason: String
        switch loss {
        case .goodbye(let word): reason = word
        case .unknown(let word) where simulation.coordinator.node?.epoch == peer.session.epoch: reason = word
        default: return
        }
        // An absence before it could ask for this session says nothing of it.
        if unheardSince != nil || lastAbsence > reachedAt ?? lastAbsence { return }
        let message = "the session of \(name) was ended, though it could be heard all the time: \(reason)"
        simulation.broke(BrokenPromise(promise: .oneOutcome, message: message, evidence: []))
    }

    func opened(_ acceptance: Acceptance, _ simulation: Simulation) {}
    func received(_ body: FrameBody, _ simulation: Simulation) {}
    func lost(_ loss: PeerSession.Loss, _ simulation: Simulation) {}
    /// Its connection has broken, and the kernel has told.
    func connectionBroke(_ simulation: Simulation) {}
    func connectionRestored(_ simulation: Simulation) {}
    /// What a session that continues this one is to be told that it has.
    var held: [HeldAttempt] { [] }

    /// Asks for a new session after a moment that is never the same, or all peers would come at once.
    ///
    /// - Parameter isNew: the session is to continue nothing.
    func retry(_ simulation: Simulation, isNew: Bool = false) {
        self.isNew = isNew
        let wait = UInt64.random(in: 1_000_000...(simulation.options.limits.lease.nanoseconds / 20), using: &generator)
        retryAt = simulation.now.advanced(by: TimeSpan(nanoseconds: wait))
    }

    private func renew(_ simulation: Simulation) {
        simulation.leave(connection)
        connection = simulation.network.add(peer: number)
        reachedAt = nil
        frames = []
        askedAt = simulation.now
        if isNew {
            peer.beginAnew(at: simulation.now, patience: nil)
        } else {
            peer.resume(held: held, at: simulation.now, patience: simulation.options.patience)
        }
        simulation.connect(connection)
        conditionsChanged(simulation)
    }

    /// Sends what has gathered.
    func transmit(_ simulation: Simulation) {
        for frames in peer.outgoing { simulation.sendToCoordinator(frames, over: connection) }
        peer.outgoing.removeAll(keepingCapacity: true)
    }

    /// Its process is gone, and with it its end of the connection, if that tells of it.
    func die(isNoticed: Bool, _ simulation: Simulation) {
        isDead = true
        if isNoticed { simulation.leave(connection) } else { simulation.network[connection].isLost = true }
        conditionsChanged(simulation)
    }

    /// Its process ends by itself: what it has said last still gets through.
    func leave(_ simulation: Simulation) {
        isDead = true
        simulation.schedule(.closed(connection: connection), after: SwarmOptions.second)
        conditionsChanged(simulation)
    }

    // MARK: Calm

    override func conditionsChanged(_ simulation: Simulation) {
        noteAbsence(simulation)
        let wasCalm = isCalm
        let network = simulation.network[connection]
        isCalm = openSince != nil && !isFrozen && !isDead && network.isClear
        // Also before it had a session: the coordinator may know of one.
        if isFrozen || network.isDisturbed { outOfSight(simulation) }
        guard isCalm != wasCalm else { return }
        calmChanged(isCalm ? simulation.now : nil, simulation)
        if !isCalm { outOfSight(simulation) }
    }

    /// Whether it has been out of sight for so long, since it asked for its last session, that it may have been given up.
    var mayHaveBeenGivenUp: Bool { unheardSince != nil || lastAbsence >= askedBefore }

    private func noteAbsence(_ simulation: Simulation) {
        let coordinator = simulation.coordinator
        let network = simulation.network[connection]
        // What comes while it is frozen waits for it.
        if network.isUp, !network.isStalled.toCoordinator, coordinator.isUp {
            reachedAt = reachedAt ?? simulation.now
        }
        let canBeHeard =
            !isFrozen && network.isClear && coordinator.isUp && !coordinator.isFrozen
        if !canBeHeard {
            // A moment in which nothing was said makes no difference.
            let isAgain = simulation.now.since(heardSince) < simulation.scene.settling
            unheardSince = unheardSince ?? (isAgain ? lastUnheard : nil) ?? simulation.now
        } else if let since = unheardSince {
            lastUnheard = since
            heardSince = simulation.now
            unheardSince = nil
            if simulation.now.since(since) > simulation.tolerableAbsence { lastAbsence = simulation.now }
        }
    }

    /// The coordinator may give it up.
    func outOfSight(_ simulation: Simulation) {}
    /// Since when it and the coordinator can hear each other; `nil` if they cannot.
    func calmChanged(_ since: Instant?, _ simulation: Simulation) {}
}
