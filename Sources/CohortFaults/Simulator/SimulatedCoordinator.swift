internal import CohortCore
internal import CohortWire

/// The coordinator's process: its node while it lives, and what has arrived for it.
final class SimulatedCoordinator: SimulatedNode {
    /// `nil` while it is down.
    private(set) var node: CoordinatorNode?
    private(set) var life = 0
    private var frames: [(route: [UInt8], frames: [[UInt8]])] = []
    private var unreachable: [[UInt8]] = []
    private var turns = 0

    /// How often the tables of the core are cross-checked, in turns.
    private static let checkInterval = 32

    init(_ simulation: Simulation) {
        super.init(number: 0, machine: 0)
        start(simulation)
    }

    var isUp: Bool { node != nil }

    func start(_ simulation: Simulation) {
        life += 1
        let core = CoordinatorCore(limits: simulation.options.limits)
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
        conditionsChanged(simulation)
    }

    override var nextDeadline: Instant? { node?.nextDeadline }

    override func arrived(_ frames: [[UInt8]], from connection: Int) {}

    func arrived(_ frames: [[UInt8]], at route: [UInt8]) { self.frames.append((route, frames)) }

    override func turn(_ simulation: Simulation) {
        guard node != nil else { return }
        let now = simulation.now
        for route in unreachable { node?.unreachable(route: route, at: now) }
        unreachable.removeAll(keepingCapacity: true)
        for message in frames { node?.received(route: message.route, frames: message.frames, at: now) }
        frames.removeAll(keepingCapacity: true)
        node?.flush(at: now)
        transmit(simulation)
        takeNotices(simulation)
        turns += 1
        if turns % Self.checkInterval == 0 { check(simulation) }
    }

    func check(_ simulation: Simulation) {
        guard let node, let fault = InvariantsOfTheCore.check(node.core) else { return }
        simulation.broke(fault)
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

    private func takeNotices(_ simulation: Simulation) {
        guard let notices = node?.notices, !notices.isEmpty else { return }
        node?.notices.removeAll(keepingCapacity: true)
        for notice in notices {
            guard case .workerLost(let end, _, _) = notice else { continue }
            if case .died(let death) = end, death.begun != nil { continue }
            simulation.truth.unprovenLosses += 1
        }
    }

    // MARK: Calm

    override func conditionsChanged(_ simulation: Simulation) {
        let isCalm = node != nil && !isFrozen && simulation.diskStalls == 0
        simulation.truth.coordinatorCalmSince = isCalm ? simulation.now : nil
    }
}
