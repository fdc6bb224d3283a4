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
    var generator: SeededGenerator

    init(_ simulation: Simulation, machine: Int, life: Int, greeting: Greeting) {
        let number = simulation.nodes.count
        self.life = life
        peer = PeerNode(greeting: greeting, at: simulation.now, patience: nil)
        connection = simulation.network.add(peer: number)
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
        case .received(let body): received(body, simulation)
        case .lost(let loss):
            simulation.note("\(name) has lost its session: \(loss)")
            openSince = nil
            conditionsChanged(simulation)
            lost(loss, simulation)
        }
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
        simulation.close(connection)
        connection = simulation.network.add(peer: number)
        frames = []
        if isNew {
            peer.beginAnew(at: simulation.now, patience: nil)
        } else {
            peer.resume(held: held, at: simulation.now, patience: nil)
        }
        simulation.connect(connection)
    }

    /// Sends what has gathered.
    func transmit(_ simulation: Simulation) {
        for frames in peer.outgoing { simulation.sendToCoordinator(frames, over: connection) }
        peer.outgoing.removeAll(keepingCapacity: true)
    }

    /// Its process is gone, and with it its end of the connection, if that tells of it.
    func die(isNoticed: Bool, _ simulation: Simulation) {
        isDead = true
        if isNoticed { simulation.close(connection) } else { simulation.network[connection].isLost = true }
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
        let wasCalm = isCalm
        let network = simulation.network[connection]
        isCalm = openSince != nil && !isFrozen && !isDead && network.isClear
        // Also before it had a session: the coordinator may know of one.
        if isFrozen || network.isDisturbed { outOfSight(simulation) }
        guard isCalm != wasCalm else { return }
        calmChanged(isCalm ? simulation.now : nil, simulation)
        if !isCalm { outOfSight(simulation) }
    }

    /// The coordinator may give it up.
    func outOfSight(_ simulation: Simulation) {}
    /// Since when it and the coordinator can hear each other; `nil` if they cannot.
    func calmChanged(_ since: Instant?, _ simulation: Simulation) {}
}
