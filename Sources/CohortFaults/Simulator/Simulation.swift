internal import CohortCore
internal import CohortWire

/// A whole cluster in one thread: a coordinator, workers and clients over a simulated network, disk and clock.
///
/// The nodes are the product's own, and every message is encoded and decoded. What happens depends on the seed alone. First
/// comes a phase in which requests and faults are injected, then one in which everything is healed and must come to its end.
package final class Simulation {
    package struct Settings: Sendable {
        package var seed: UInt64
        /// Events before everything is healed.
        package var steps: Int
        /// When that is instead, for a run that is to be like another one but for what is left out.
        package var healAt: UInt64?
        package var without = InjectionNumbers([])
        /// Keeps a line for each thing that happens.
        package var isTraced = false

        package init(seed: UInt64, steps: Int = 2_000) {
            self.seed = seed
            self.steps = steps
        }
    }

    let settings: Settings
    package let options: SwarmOptions
    let truth = Truth()
    var network: SimulatedNetwork
    var queue = EventQueue()
    var nodes: [SimulatedNode] = []
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    private(set) var steps = 0
    private(set) var hash = TraceHash()
    var checkers: [any Checker] = [
        OneOutcome(), AtMostOnce(), Structure(), BoundedCancellation(), TimelyStops(), SlotsAfterStops(), NoSurvivors(),
        NoSilentHang(), EveryErrorTold(), ExactBlame(), ExactDeadlines(), OutputInTime(),
    ]
    private(set) var brokenPromise: BrokenPromise?
    /// What was injected, in order; those left out have no effect, and are here all the same.
    var injections: [Injection] = []
    /// How often what happened that is worth counting.
    private(set) var counts: [(name: String, count: Int)] = []
    private(set) var trace: [String] = []
    /// Everything works from now on.
    private(set) var isHealed = false
    private(set) var healedAt: Instant?
    private(set) var isOver = false
    var requests: SeededGenerator
    var faults: SeededGenerator
    private var loops: SeededGenerator
    /// The disk of the coordinator is as slow as can be.
    var diskStalls = 0
    /// Looks on, in the second phase, and is told of all detached trees.
    var auditor: SimulatedClient?
    /// Since when nothing has been left to do.
    var quietSince: Instant?

    var seed: UInt64 { settings.seed }

    package init(_ settings: Settings) {
        self.settings = settings
        options = SwarmOptions(seed: settings.seed)
        network = SimulatedNetwork(seed: settings.seed, delay: options.delay)
        requests = SeededGenerator(seed: settings.seed, stream: 2)
        faults = SeededGenerator(seed: settings.seed, stream: 3)
        loops = SeededGenerator(seed: settings.seed, stream: 4)
        truth.limits = options.limits
        truth.isDurable = options.isDurable
    }

    var coordinator: SimulatedCoordinator { nodes[0] as! SimulatedCoordinator }

    /// How long a message and what follows from it take at most when nothing is disturbed.
    var latency: TimeSpan {
        let once = options.delay.upperBound + options.turnDelay.upperBound + options.commit.upperBound
        return TimeSpan(nanoseconds: 2 * once + 10_000_000)
    }

    /// How long a peer may be out of sight without being given up.
    var tolerableAbsence: TimeSpan {
        let most = options.limits.unreachable.nanoseconds / 2
        let onTheWay = 2 * (options.delay.upperBound + options.turnDelay.upperBound)
        return TimeSpan(nanoseconds: most - min(most, onTheWay))
    }

    // MARK: Running

    /// Runs to the end, or to the first broken promise.
    package func run() {
        nodes.append(SimulatedCoordinator(self))
        begin()
        queue.schedule(.sweep, at: now.advanced(by: Self.sweepInterval))
        while !isOver, brokenPromise == nil, let (due, event) = queue.next() {
            now = due
            steps += 1
            if !isHealed, isTimeToHeal { heal() }
            handle(event)
        }
    }

    static let sweepInterval = TimeSpan.milliseconds(250)

    private var isTimeToHeal: Bool {
        if let healAt = settings.healAt { return now.nanoseconds >= healAt }
        return steps >= settings.steps
    }

    private func handle(_ event: SimulatedEvent) {
        hash.add(now.nanoseconds)
        switch event {
        case .turn(let number): turn(nodes[number])
        case .arrival(let connection, let generation, let toPeer, let frames):
            arrived(connection, generation, toPeer, frames)
        case .connected(let connection, let generation): connected(connection, generation)
        case .broken(let connection, let generation, let span):
            if !isHealed, network[connection].generation == generation { breakConnection(connection, for: span) }
        case .silenced(let connection, let generation, let span):
            if !isHealed, network[connection].generation == generation {
                stall(connection, toPeer: true, toCoordinator: false, for: span)
            }
        case .released(let connection, let generation): release(connection, generation)
        case .programWrites(let number, let task, let execution):
            (nodes[number] as? SimulatedWorker)?.write(task, execution: execution, self)
        case .programStep(let number, let program, let version):
            (nodes[number] as? SimulatedWorker)?.step(program, version: version, self)
        case .thaw(let number): thaw(nodes[number])
        case .closed(let connection): close(connection)
        case .obituary(let frames, let worker): obituaryArrives(frames, of: worker)
        case .workerReplaced: addWorker()
        case .coordinatorDies(let span): killCoordinator(for: span)
        case .coordinatorRestarts: restartCoordinator()
        case .bodiesEnd: sealAll()
        case .diskRecovers: changeDiskStalls(by: -1)
        case .committed(let life, let ticket): coordinator.committed(ticket, life: life, self)
        case .injection(let stream): inject(stream)
        case .sweep: sweep()
        }
    }

    private func turn(_ node: SimulatedNode) {
        guard node.scheduledTurn == now else { return }
        node.scheduledTurn = nil
        guard !node.isDead, !node.isFrozen else { return }
        node.turn(self)
        guard !node.isDead, let due = node.nextDeadline else { return }
        wake(node, at: max(due, now.advanced(by: TimeSpan(nanoseconds: 1_000))))
    }

    // MARK: Scheduling

    func schedule(_ event: SimulatedEvent, at due: Instant) { queue.schedule(event, at: due) }

    func schedule(_ event: SimulatedEvent, after nanoseconds: UInt64) {
        queue.schedule(event, at: now.advanced(by: TimeSpan(nanoseconds: nanoseconds)))
    }

    func wake(_ node: SimulatedNode, at due: Instant) {
        if let scheduled = node.scheduledTurn, scheduled <= due { return }
        node.scheduledTurn = due
        queue.schedule(.turn(node: node.number), at: due)
    }

    func wake(_ node: SimulatedNode, after span: TimeSpan) { wake(node, at: now.advanced(by: span)) }

    /// Its loop gets round to what has arrived.
    func wakeSoon(_ node: SimulatedNode) {
        wake(node, after: TimeSpan(nanoseconds: UInt64.random(in: options.turnDelay, using: &loops)))
    }

    // MARK: What the checkers see

    var scene: Scene { Scene(truth: truth, now: now, latency: latency) }

    func observe(_ observation: Observation) {
        if settings.isTraced { note(observation) }
        let scene = scene
        for place in checkers.indices {
            if let fault = checkers[place].observe(observation, scene) { broke(fault) }
        }
    }

    /// A promise was not kept; only the first time counts.
    func broke(_ fault: BrokenPromise) {
        if brokenPromise == nil { brokenPromise = fault }
    }

    func ended(_ execution: Int, _ end: Truth.ProgramEnd) {
        truth.executions[execution].end = end
        truth.executions[execution].ended = now
        truth.running.removeAll { $0 == execution }
        observe(.programEnded(execution: execution))
    }

    func count(_ name: String) {
        if let place = counts.firstIndex(where: { $0.name == name }) {
            counts[place].count += 1
        } else {
            counts.append((name, 1))
        }
    }

    // MARK: Trace

    /// A line of what happens, for the report of a failure.
    func note(_ line: @autoclosure () -> String) {
        guard settings.isTraced else { return }
        trace.append("\(truth.seconds(now)): \(line())")
    }

    private func note(_ observation: Observation) {
        switch observation {
        case .programBegan(let execution): note(truth.describe(execution: execution))
        case .programEnded(let execution): note(truth.describe(execution: execution))
        case .taskTold(let task, let report, _, _, let client):
            note("\(truth.name(task: task)) is told to client \(client): \(report.outcome)")
        case .groupClosed(let group, let report, let client):
            note("\(truth.name(group: group)) is told to client \(client) as closed: \(report.outcome)")
        case .groupOpened(let group, let client):
            note("\(truth.name(group: group)) is told to client \(client) as open")
        case .assigned(let task, let ref, let worker):
            note("\(truth.name(task: task)), attempt \(ref.attempt), is given to worker \(worker)")
        case .resumed, .sweep, .end: break
        }
    }

    func add(toHash frames: [[UInt8]]) { hash.add(frames) }

    // MARK: Phases

    /// From now on nothing goes wrong any more.
    private func heal() {
        isHealed = true
        healedAt = now
        note("all is healed")
        recover()
    }

    private func sweep() {
        observe(.sweep)
        if isHealed { lookForTheEnd() }
        if !isOver { queue.schedule(.sweep, at: now.advanced(by: Self.sweepInterval)) }
    }

    func finish() { isOver = true }

    // MARK: Programs

    func groupsClosed(worker: Int, program: Int) {
        (nodes[worker] as? SimulatedWorker)?.groupsEnded(program, areLost: false, self)
    }

    func siblingsAnswered(worker: Int, program: Int) {
        (nodes[worker] as? SimulatedWorker)?.siblingsAnswered(program, self)
    }

    func groupsLost(worker: Int, program: Int) {
        (nodes[worker] as? SimulatedWorker)?.groupsEnded(program, areLost: true, self)
    }
}
