internal import CohortCore
internal import CohortWire

/// The coordinator's process: its node while it lives, and what has arrived for it.
final class SimulatedCoordinator: SimulatedNode {
    /// `nil` while it is down.
    private(set) var node: CoordinatorNode?
    private(set) var life = 0
    private var frames: [(route: [UInt8], frames: [[UInt8]])] = []
    private var unreachable: [[UInt8]] = []
    private var committed: UInt64?
    private var hasLostConnection = false
    private var disk = SimulatedDisk()
    private var generator: SeededGenerator
    private var turns = 0

    /// How often the tables of the core are cross-checked, in turns.
    private static let checkInterval = 32

    init(_ simulation: Simulation) {
        generator = SeededGenerator(seed: simulation.seed, stream: 5)
        super.init(number: 0, machine: 0)
        start(simulation)
    }

    var isUp: Bool { node != nil }

    func start(_ simulation: Simulation) {
        life += 1
        let limits = simulation.options.limits
        if let contradiction = disk.state.contradiction(limits: limits) {
            let message = "the journal contradicts itself: \(contradiction)"
            return simulation.broke(BrokenPromise(promise: .invariants, message: message, evidence: []))
        }
        let core =
            simulation.options.isDurable
            ? CoordinatorCore(recovering: disk.state, limits: limits, at: simulation.now)
            : CoordinatorCore(limits: limits)
        var generator = SeededGenerator(seed: simulation.seed, stream: 500 + UInt64(life))
        node = CoordinatorNode(core: core, epoch: generator.next() | 1, name: "coordinator")
        isDead = false
        conditionsChanged(simulation)
    }

    /// Its process is killed: what it knew is gone.
    func die(_ simulation: Simulation) {
        node = nil
        isDead = true
        isFrozen = false
        frames = []
        unreachable = []
        committed = nil
        hasLostConnection = false
        disk.tear(keepsLast: generator.chance(50))
        conditionsChanged(simulation)
    }

    override var nextDeadline: Instant? { node?.nextDeadline }

    override func arrived(_ frames: [[UInt8]], from connection: Int) {}

    func arrived(_ frames: [[UInt8]], at route: [UInt8]) { self.frames.append((route, frames)) }

    override func turn(_ simulation: Simulation) {
        guard node != nil else { return }
        let now = simulation.now
        if let ticket = committed.take() { node?.committed(ticket) }
        if hasLostConnection { node?.connectionLost(at: now) }
        hasLostConnection = false
        for route in unreachable { node?.unreachable(route: route, at: now) }
        unreachable.removeAll(keepingCapacity: true)
        for message in frames { node?.received(route: message.route, frames: message.frames, at: now) }
        frames.removeAll(keepingCapacity: true)
        node?.flush(at: now)
        write(simulation)
        transmit(simulation)
        noteLosses(simulation)
        turns += 1
        if turns % Self.checkInterval == 0 { check(simulation) }
    }

    func check(_ simulation: Simulation) {
        guard let node, let fault = InvariantsOfTheCore.check(node.core) else { return }
        simulation.broke(fault)
    }

    private func noteLosses(_ simulation: Simulation) {
        for case .workerLost(let worker, _, _, _) in node?.notices ?? [] {
            simulation.truth.noteGivenUp(worker: worker.name)
        }
        node?.notices.removeAll(keepingCapacity: true)
    }

    // MARK: Journal

    private func write(_ simulation: Simulation) {
        guard let entries = node?.journal, !entries.isEmpty else { return }
        node?.journal.removeAll(keepingCapacity: true)
        // The word of it waits for the disk, and the coordinator may be killed in between.
        for worker in entries.flatMap(\.batch.workers) where worker.departed {
            simulation.truth.noteGivenUp(worker: worker.offer.name)
        }
        disk.write(entries)
        beginCommit(simulation)
    }

    func beginCommit(_ simulation: Simulation) {
        guard isUp, simulation.diskStalls == 0, let ticket = disk.begin() else { return }
        let span = UInt64.random(in: simulation.options.commit, using: &generator)
        simulation.schedule(.committed(life: life, ticket: ticket), after: span)
    }

    /// The disk has done what it had been given up to this ticket.
    func committed(_ ticket: UInt64, life: Int, _ simulation: Simulation) {
        guard life == self.life, isUp else { return }
        disk.commit()
        committed = ticket
        if !isFrozen { simulation.wakeSoon(self) }
        beginCommit(simulation)
    }

    /// One of its connections has broken, and it is told so, but not which.
    func connectionBroke(_ simulation: Simulation) {
        hasLostConnection = true
        if !isFrozen { simulation.wakeSoon(self) }
    }

    private func transmit(_ simulation: Simulation) {
        guard let outgoing = node?.outgoing else { return }
        node?.outgoing.removeAll(keepingCapacity: true)
        for datagram in outgoing where !simulation.sendToPeer(datagram.frames, at: datagram.route) {
            // The next turn deals with it, as a shell does that learns it in sending.
            unreachable.append(datagram.route)
        }
        if !unreachable.isEmpty { simulation.wake(self, after: TimeSpan(nanoseconds: 1_000)) }
    }

    // MARK: Calm

    override func conditionsChanged(_ simulation: Simulation) {
        let isCalm = node != nil && !isFrozen && simulation.diskStalls == 0
        simulation.truth.coordinatorCalmSince = isCalm ? simulation.now : nil
        for case let peer as SimulatedPeer in simulation.nodes where !peer.isDead { peer.conditionsChanged(simulation) }
    }
}
