internal import CohortCore
internal import CohortWire

/// A worker's process of the simulated cluster, with the programs that it runs.
final class SimulatedWorker: SimulatedPeer {
    private(set) var core: WorkerCore
    private var actions: [WorkerAction] = []
    /// What the programs have said, on its way to the loop.
    private var events: [WorkerEvent] = []
    let slots: Int
    var isDraining = false
    /// Nothing is left here.
    private var hasDrained = false

    // The programs; see SimulatedWorker+Programs.
    var programs: ContiguousArray<Program?> = []
    var freePlaces: [Int] = []
    var versions = 0
    /// Looked up, never iterated.
    var places: [TaskKey: Int] = [:]
    /// Calls that wait in a host behind others.
    var queue: [Int] = []
    /// The record that survives the worker: attempts that have begun, and the number of the message that told of their end.
    private var begun: [(ref: AttemptRef, toldIn: UInt64?)] = []
    /// Messages with reports that it has sent, over all its sessions.
    private var reports: UInt64 = 0
    private var isDurable = false
    private var cutOffSince: Instant?
    private var silentUntil: Instant?
    /// What its end of the connection has noticed.
    private var hasBroken = false
    private var isRestored = false
    /// It has got a session in this turn that goes on.
    private var hasResumed = false

    init(_ simulation: Simulation, name: String, machine: Int, slots: Int) {
        self.slots = slots
        core = WorkerCore(slots: UInt32(slots))
        let token = PeerToken(
            SeededGenerator.first(of: simulation.seed, stream: 0x3_0000_0000 + UInt64(simulation.nodes.count))
        )
        let life = simulation.truth.workers.count
        simulation.truth.workers.append(Truth.Life(name: name, token: token, began: simulation.now))
        let offer = WorkerOffer(
            name: name,
            host: "machine-\(machine)",
            processID: UInt32(life + 1),
            slots: UInt32(slots),
            credit: UInt32(slots) * 513,
            runsCommands: true,
            functions: ["f", "nest"]
        )
        let greeting = Greeting(
            role: .worker(offer),
            name: name,
            host: offer.host,
            processID: offer.processID,
            token: token
        )
        super.init(simulation, machine: machine, life: life, greeting: greeting)
    }

    override var name: String { "worker \(life)" }

    override var nextDeadline: Instant? {
        [core.nextDeadline, super.nextDeadline, hasDrained ? departure : nil].compactMap(\.self).min()
    }

    /// When it leaves after draining, whether or not its reports are acknowledged.
    private var departure: Instant? {
        peer.isOpen ? peer.session.lastHeard.advanced(by: peer.session.lease) : silentUntil
    }

    override func calmChanged(_ since: Instant?, _ simulation: Simulation) {
        simulation.truth.workers[life].calmSince = since
    }

    override func outOfSight(_ simulation: Simulation) { simulation.truth.workers[life].wasOutOfSight = true }

    /// A program has something to say; the loop gets round to it.
    func deliver(_ event: WorkerEvent, _ simulation: Simulation) {
        events.append(event)
        simulation.wakeSoon(self)
    }

    override func turn(_ simulation: Simulation) {
        let truth = simulation.truth
        truth.workers[life].turns = (simulation.now, truth.workers[life].turns.last)
        super.turn(simulation)
        if isDead { return }
        watchConnection(simulation)
        noteHeard(simulation)
        let said = events
        events.removeAll(keepingCapacity: true)
        for event in said { core.handle(event, at: simulation.now, into: &actions) }
        if let due = core.nextDeadline, due <= simulation.now {
            core.handle(.timeReached, at: simulation.now, into: &actions)
        }
        core.flush(into: &actions)
        while !actions.isEmpty, !isDead {
            let batch = actions
            actions.removeAll(keepingCapacity: true)
            for action in batch { perform(action, simulation) }
        }
        if hasResumed, !isDead { simulation.observe(.resumed(worker: life, asked: askedAt)) }
        hasResumed = false
        // Now that what was to be reported has been given to the link.
        core.acknowledged(allBut: peer.unacknowledgedCount)
        let isOver = departure.map { $0 <= simulation.now } ?? false
        if hasDrained, isOver || !peer.keepsUnacknowledged { end(simulation) }
        transmit(simulation)
    }

    private func perform(_ action: WorkerAction, _ simulation: Simulation) {
        switch action {
        case .runCommand(let order): runCommand(order, simulation)
        case .runCall(let order, _): runCall(order, simulation)
        case .cancel(let task, _, let grace, _, _): cancel(task, grace: grace, simulation)
        case .grant(let task, _, let bytes): granted(task, bytes, simulation)
        case .retract(let tasks): retract(tasks, simulation)
        case .proceed(let task): proceed(task, simulation)
        case .kill(let task, _): kill(task, simulation)
        case .report(let report):
            peer.send(.report(report))
            reports += 1
            let number = reports
            for finished in report.finished {
                if let place = begun.lastIndex(where: { $0.ref == finished.ref }) { begun[place].toldIn = number }
            }
        case .announceDraining: peer.send(.draining)
        case .drained: hasDrained = true
        }
    }

    // MARK: Session

    override func opened(_ acceptance: Acceptance, _ simulation: Simulation) {
        isDurable = acceptance.durable
        let isFirst = cutOffSince == nil
        cutOffSince = nil
        hasBroken = false
        isRestored = false
        simulation.truth.workers[life].cutOffSince = nil
        hasResumed = acceptance.resumed
        if acceptance.resumed {
            core.handle(.resumed(unwanted: acceptance.unwanted), at: simulation.now, into: &actions)
        } else if !isFirst {
            startAnew(simulation)
        }
        core.handle(.welcomed(isDurable: acceptance.durable), at: simulation.now, into: &actions)
        if isDraining { peer.send(.draining) }
    }

    override func received(_ body: FrameBody, _ simulation: Simulation) {
        let event: WorkerEvent
        switch body {
        case .assign(let batch):
            noteAssigned(batch, simulation)
            event = .assigned(batch)
        case .cancel(let orders):
            noteCancelled(orders, simulation)
            event = .cancelled(orders)
        case .grant(let grants): event = .granted(grants)
        case .forget(let templates): event = .forgotten(templates)
        case .proceed(let refs): event = .proceedGranted(refs)
        default: return
        }
        // In the order in which they were sent: what has come proves that the way is open.
        noteHeard(simulation)
        core.handle(event, at: simulation.now, into: &actions)
    }

    private func noteAssigned(_ batch: AssignBatch, _ simulation: Simulation) {
        var offset = 0
        for assignment in batch.tasks {
            let task = Self.task(of: batch.payload[offset..<(offset + Int(assignment.payloadLength))])
            offset += Int(assignment.payloadLength)
            let group = simulation.truth.tasks[task].group
            if let fault = simulation.truth.place(task, at: assignment.index, of: group) { simulation.broke(fault) }
            simulation.observe(.assigned(task: task, assignment.ref, worker: life))
        }
    }

    private func noteCancelled(_ orders: [CancelOrder], _ simulation: Simulation) {
        for order in orders {
            guard let place = places[order.ref.task], let execution = programs[place]?.execution,
                simulation.truth.executions[execution].ref == order.ref
            else { continue }
            simulation.truth.noteCancel(of: execution, grace: order.grace, at: simulation.now)
        }
    }

    /// The number in `Truth` of the task whose payload this is.
    static func task(of payload: some Collection<UInt8>) -> Int {
        payload.reversed().reduce(0) { $0 << 8 | Int($1) }
    }

    override func connectionBroke(_ simulation: Simulation) {
        hasBroken = true
        if !isFrozen { simulation.wakeSoon(self) }
    }

    override func connectionRestored(_ simulation: Simulation) {
        isRestored = true
        if !isFrozen { simulation.wakeSoon(self) }
    }

    /// What its end of the connection has noticed.
    private func watchConnection(_ simulation: Simulation) {
        guard peer.isOpen else { return }
        if hasBroken { cutOff(simulation) }
        hasBroken = false
        if isRestored {
            peer.speak()
            core.handle(.wayRestored, at: simulation.now, into: &actions)
            // A coordinator that is back gets its second to answer.
            if cutOffSince != nil { simulation.truth.workers[life].cutOffSince = simulation.now }
        }
        isRestored = false
    }

    /// Lets the session go on if something was heard since it was cut off.
    private func noteHeard(_ simulation: Simulation) {
        let heard = peer.session.lastHeard
        simulation.truth.workers[life].lastHeard = heard
        guard let since = cutOffSince, peer.isOpen, heard > since else { return }
        cutOffSince = nil
        simulation.truth.workers[life].cutOffSince = nil
        core.handle(.heardAgain, at: simulation.now, into: &actions)
    }

    private func cutOff(_ simulation: Simulation) {
        if cutOffSince == nil {
            cutOffSince = simulation.now
            simulation.truth.workers[life].cutOffSince = simulation.now
        }
        silentUntil = peer.session.lastHeard.advanced(by: peer.session.lease)
        core.handle(
            .cutOff(lastHeard: peer.session.lastHeard, lease: peer.session.lease, isDurable: isDurable),
            at: simulation.now,
            into: &actions
        )
    }

    /// It keeps what it has, for a while, and asks for a session that continues this one.
    override func lost(_ loss: PeerSession.Loss, _ simulation: Simulation) {
        switch loss {
        case .goodbye:
            // It has ended what it had there, and wants nothing of it any more.
            startAnew(simulation)
            if isDraining { end(simulation) } else { retry(simulation, isNew: true) }
        case .silent, .asleep, .unknown, .incomprehensible, .noAnswer, .refused:
            cutOff(simulation)
            retry(simulation)
        }
    }

    override var held: [HeldAttempt] { core.held }

    /// Nothing of what it had means anything to this coordinator.
    private func startAnew(_ simulation: Simulation) {
        simulation.truth.workers[life].hasBegunAnew = true
        killPrograms(.killed, simulation)
        core = WorkerCore(slots: UInt32(slots))
        hasDrained = false
        events = []
        actions = []
        begun = []
        if isDraining { core.handle(.drainRequested, at: simulation.now, into: &actions) }
    }

    /// It has drained: a goodbye, and its process ends.
    private func end(_ simulation: Simulation) {
        guard !isDead else { return }
        killPrograms(.killed, simulation)
        peer.close(reason: "the worker has drained")
        transmit(simulation)
        simulation.truth.workers[life].ended = simulation.now
        leave(simulation)
    }

    /// Its process is killed, with everything that runs in it.
    ///
    /// - Returns: what the record that survives it says of the attempts that had begun.
    func kill(signal: Int32, isNoticed: Bool, _ simulation: Simulation) -> [AttemptRef] {
        let record = begun.filter(mayBeUnreported).map(\.ref)
        simulation.truth.workers[life].ended = simulation.now
        simulation.truth.workers[life].signal = signal
        killPrograms(.died(signal: signal), simulation)
        die(isNoticed: isNoticed, simulation)
        return record
    }

    func drain(_ simulation: Simulation) {
        guard !isDraining else { return }
        isDraining = true
        core.handle(.drainRequested, at: simulation.now, into: &actions)
        simulation.wakeSoon(self)
    }

    func noteBegun(_ ref: AttemptRef) {
        if begun.count > 256 { begun = begun.filter(mayBeUnreported) }
        begun.append((ref, nil))
    }

    private func mayBeUnreported(_ attempt: (ref: AttemptRef, toldIn: UInt64?)) -> Bool {
        attempt.toldIn.map { $0 + UInt64(peer.unacknowledgedCount) > reports } ?? true
    }
}
