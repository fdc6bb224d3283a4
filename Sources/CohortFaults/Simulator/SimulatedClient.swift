internal import CohortCore
internal import CohortWire

/// A client of the simulated cluster: it opens trees of groups, and keeps what it is told of them.
///
/// A call that opens groups has one of its own, which is part of its worker's machine and ends with the call.
final class SimulatedClient: SimulatedPeer {
    /// Its groups by key. Looked up, never iterated.
    var groups: [GroupKey: Int] = [:]
    /// Groups to which others add tasks as well, by its keys for them. Looked up, never iterated.
    var shared: [GroupKey: SharedGroup] = [:]
    /// The same, in the order of opening.
    private(set) var opened: [Int] = []
    private(set) var watching: [Int] = []
    /// Watched trees of which all has been told.
    private(set) var caughtUp: [GroupID] = []
    var nextKey: UInt32 = 1
    /// Of its requests for other deadlines that are answered: an extension counts once.
    private var nextToken: UInt32 = 0
    /// Groups for which it has asked for another deadline without a wish for an answer, and does not know it to be set.
    private var moved: [Int] = []
    /// The groups of those requests. Looked up, never iterated.
    private var asked: [UInt32: Int] = [:]
    /// The key with which its call adds tasks to the call's own group.
    var joinedKey: GroupKey?
    private var owedWeight: UInt64 = 0
    private var payBackAt: Instant?
    /// The call that it belongs to.
    let program: (worker: Int, place: Int)?
    private var output = ReceivedOutput()
    /// Every task it has been told of in this run of the tree, to notice what is told twice.
    private var told: Set<UInt64> = []

    init(_ simulation: Simulation, name: String, machine: Int, program: (worker: Int, place: Int)?, execution: Int?) {
        self.program = program
        let token = PeerToken(
            SeededGenerator.first(of: simulation.seed, stream: 0x2_0000_0000 + UInt64(simulation.nodes.count))
        )
        let life = simulation.truth.clients.count
        simulation.truth.clients.append(
            Truth.Life(name: name, token: token, began: simulation.now, execution: execution)
        )
        let greeting = Greeting(
            role: .client,
            name: name,
            host: "machine-\(machine)",
            processID: UInt32(life + 1),
            token: token
        )
        super.init(simulation, machine: machine, life: life, greeting: greeting)
    }

    override var name: String { program == nil ? "client \(life)" : "call host \(life)" }

    override var nextDeadline: Instant? {
        guard let payBackAt else { return super.nextDeadline }
        return min(payBackAt, super.nextDeadline ?? payBackAt)
    }

    override func calmChanged(_ since: Instant?, _ simulation: Simulation) {
        simulation.truth.clients[life].calmSince = since
    }

    override func outOfSight(_ simulation: Simulation) { simulation.truth.clients[life].wasOutOfSight = true }

    override func turn(_ simulation: Simulation) {
        super.turn(simulation)
        if isDead { return }
        if let payBackAt, payBackAt <= simulation.now {
            self.payBackAt = nil
            peer.send(.consumed(weight: owedWeight, output.takeDue()))
            owedWeight = 0
        }
        noteMoves(simulation)
        transmit(simulation)
    }

    // MARK: Session

    override func opened(_ acceptance: Acceptance, _ simulation: Simulation) {
        told = []
        // A coordinator without a journal means something else by the number.
        watching.removeAll { simulation.truth.groups[$0].isForgotten }
        for group in watching {
            if let id = simulation.truth.groups[group].id { peer.send(.watch(.id(id))) }
        }
        caughtUp = []
        owedWeight = 0
        guard !acceptance.resumed else {
            output.tellAll()
            payBackAt = payBackAt ?? simulation.now
            return
        }
        output = ReceivedOutput()
        guard peer.greeting.request.previous != 0 else { return }
        if simulation.options.isDurable, !mayHaveBeenGivenUp {
            let message = "\(name) was given up, though it could be heard all the time"
            simulation.broke(BrokenPromise(promise: .oneOutcome, message: message, evidence: []))
        }
        abandon(simulation)
    }

    /// What it had in earlier sessions is lost, and its user is told so.
    private func abandon(_ simulation: Simulation) {
        moved = []
        let lost = opened.filter { simulation.truth.groups[$0].closed == nil }
        for group in lost {
            simulation.truth.groups[group].abandoned = simulation.now
            groups[simulation.truth.groups[group].spec.key] = nil
        }
        if let program, !lost.isEmpty || joinedKey != nil {
            simulation.groupsLost(worker: program.worker, program: program.place)
        }
    }

    override func lost(_ loss: PeerSession.Loss, _ simulation: Simulation) { retry(simulation) }

    /// Ends it: with a goodbye, or because it was killed.
    func end(_ simulation: Simulation, isKilled: Bool, isNoticed: Bool = true) {
        guard !isDead else { return }
        if !isKilled {
            peer.close(reason: "it is done")
            transmit(simulation)
        }
        simulation.truth.clients[life].ended = simulation.now
        simulation.truth.clients[life].wasNoticed = isNoticed
        for group in opened where simulation.truth.groups[group].closed == nil {
            simulation.truth.groups[group].abandoned = simulation.truth.groups[group].abandoned ?? simulation.now
        }
        if isKilled { die(isNoticed: isNoticed, simulation) } else { leave(simulation) }
    }

    // MARK: Requests

    /// Opens one group.
    ///
    /// - Returns: its number in `Truth`.
    @discardableResult
    func open(_ draft: GroupDraft, parent: Int?, owner: AttemptRef?, _ simulation: Simulation) -> Int {
        let truth = simulation.truth
        let key = GroupKey(nextKey)
        nextKey += 1
        let number = truth.groups.count
        let spec = GroupSpec(
            key: key,
            parent: parent.map { truth.groups[$0].spec.key },
            owner: owner,
            name: "g\(number)",
            policy: draft.policy,
            limit: draft.limit,
            timeout: draft.timeout,
            grace: draft.grace,
            shield: draft.shield,
            detached: draft.detached,
            isScope: draft.isScope,
            acceptsSiblings: SharedGroup.draw(number, simulation)
        )
        if spec.acceptsSiblings { shared[key] = SharedGroup(group: number) }
        truth.groups.append(
            Truth.Group(
                client: life,
                parent: parent,
                opener: owner == nil ? nil : truth.clients[life].execution,
                spec: spec,
                asked: simulation.now,
                isDetached: owner == nil && (parent.map { truth.groups[$0].isDetached } ?? spec.detached),
                mayTimeOut: spec.timeout != nil,
                deadline: KnownDeadline(timeout: spec.timeout, asked: simulation.now)
            )
        )
        groups[key] = number
        opened.append(number)
        peer.send(.openGroup(spec))
        return number
    }

    /// Adds tasks of one template to a group.
    func add(_ count: Int, _ template: TaskTemplate, to group: Int, _ simulation: Simulation) {
        let truth = simulation.truth
        if truth.groups[group].spec.acceptsSiblings {
            return add(count, template, with: truth.groups[group].spec.key, generation: 0, simulation)
        }
        let first = UInt32(truth.groups[group].tasks.count)
        let template = OutputPlan.draw(template, group: group, simulation)
        var payload: [UInt8] = []
        for index in 0..<count {
            let number = truth.tasks.count
            truth.tasks.append(Truth.Task(group: group, index: first + UInt32(index), template: template))
            truth.groups[group].tasks.append(number)
            withUnsafeBytes(of: UInt32(number).littleEndian) { payload.append(contentsOf: $0) }
        }
        let submission = TaskSubmission(
            group: truth.groups[group].spec.key,
            first: first,
            firstTemplate: truth.groups[group].templates,
            templates: [template],
            runs: [TaskRun(template: truth.groups[group].templates, lengths: [UInt32](repeating: 4, count: count))],
            payload: payload
        )
        truth.groups[group].templates += 1
        peer.send(.submit(submission))
    }

    func seal(_ group: Int, _ end: BodyEnd, _ simulation: Simulation) {
        simulation.truth.groups[group].body = end
        peer.send(.seal(simulation.truth.groups[group].spec.key, end))
    }

    func request(_ body: FrameBody) { peer.send(body) }

    /// Asks for another deadline of a group.
    func moveDeadline(of group: Int, _ move: KnownDeadline.Move, _ simulation: Simulation) {
        let target = GroupTarget.key(simulation.truth.groups[group].spec.key)
        let token = takeToken(move, simulation)
        if token == 0 { moved.append(group) } else { asked[token] = group }
        simulation.truth.groups[group].deadline.request(move, token: token, at: simulation.now)
        switch move {
        case .none: peer.send(.setDeadline(target, nil, token: token))
        case .later(let span): peer.send(.extendDeadline(target, by: span, token: token))
        case .new(let span):
            simulation.truth.groups[group].mayTimeOut = true
            peer.send(.setDeadline(target, span, token: token))
        }
    }

    private func takeToken(_ move: KnownDeadline.Move, _ simulation: Simulation) -> UInt32 {
        if case .later = move {} else if !simulation.options.wantsAnswers { return 0 }
        nextToken += 1
        return nextToken
    }

    /// What is acknowledged by a coordinator that keeps a journal has been done.
    private func noteMoves(_ simulation: Simulation) {
        guard !moved.isEmpty, peer.isOpen, peer.unacknowledgedCount == 0 else { return }
        let settled = moved
        moved = []
        for group in settled where simulation.truth.isDurable {
            simulation.truth.groups[group].deadline.settleUnanswered(at: simulation.now)
        }
    }

    func watch(_ group: Int, _ simulation: Simulation) {
        guard !watching.contains(group), let id = simulation.truth.groups[group].id else { return }
        watching.append(group)
        peer.send(.watch(.id(id)))
    }

    // MARK: What it is told

    override func received(_ body: FrameBody, _ simulation: Simulation) {
        guard case .update(let update) = body else { return }
        take(update, simulation)
        owedWeight += update.weight
        if payBackAt == nil, owedWeight > 0 {
            let wait = UInt64.random(in: 1_000_000...100_000_000, using: &generator)
            payBackAt = simulation.now.advanced(by: TimeSpan(nanoseconds: wait))
        }
    }

    /// What the coordinator that it has a session with means by a number.
    func name(_ id: GroupID, _ truth: Truth) -> Truth.GroupName {
        Truth.GroupName(epoch: truth.isDurable ? 0 : peer.session.epoch, id: id)
    }

    private func take(_ update: ClientUpdate, _ simulation: Simulation) {
        let truth = simulation.truth
        for opened in update.opened {
            guard let group = groups[opened.key] else { continue }
            if truth.groups[group].id == nil {
                truth.groups[group].deadline.opened(timeout: truth.groups[group].spec.timeout, at: simulation.now)
            }
            truth.groups[group].id = opened.group
            // It may be the word of a coordinator that is no more.
            let epoch = simulation.coordinator.node?.epoch
            if !truth.isDurable, let epoch, epoch != peer.session.epoch { truth.groups[group].isForgotten = true }
            truth.groupNumbers[name(opened.group, truth)] = group
            simulation.observe(.groupOpened(group: group, client: life))
        }
        for answer in update.answers {
            guard let group = asked[answer.token] else { continue }
            truth.groups[group].deadline.answered(answer.token, isAccepted: answer.isAccepted, at: simulation.now)
        }
        placed(update, simulation)
        for stop in update.stopping {
            guard let group = truth.groupNumbers[name(stop.group, truth)] else { continue }
            truth.groups[group].stopTold = truth.groups[group].stopTold ?? simulation.now
        }
        var cursor = 0
        for piece in update.outputs {
            let bytes = update.payload[cursor..<(cursor + Int(piece.length))]
            cursor = bytes.endIndex
            guard let group = truth.groupNumbers[name(piece.group, truth)] else { continue }
            judge(output.take(piece, bytes, group: group, client: life, truth), simulation)
        }
        for report in update.reports {
            let value = Array(update.payload[cursor..<(cursor + Int(report.valueLength))])
            cursor += Int(report.valueLength)
            let detail = report.detail >= 0 ? update.details[Int(report.detail)] : nil
            ended(report, detail, value, simulation)
        }
        // What was refused belongs to the group no more when that is judged.
        for refusal in update.refusals { refused(refusal, truth) }
        for report in update.closed { closed(report, simulation) }
        caughtUp += update.caughtUp
        if let program, isAnswered(truth) {
            simulation.siblingsAnswered(worker: program.worker, program: program.place)
        }
        if let program, opened.allSatisfy({ truth.groups[$0].closed != nil || truth.groups[$0].isRefused }) {
            simulation.groupsClosed(worker: program.worker, program: program.place)
        }
    }

    private func ended(_ report: TaskReport, _ detail: AttemptDetail?, _ value: [UInt8], _ simulation: Simulation) {
        let truth = simulation.truth
        guard let group = truth.groupNumbers[name(report.group, truth)] else { return }
        guard let task = truth.task(report.index, of: group) else {
            return simulation.broke(
                BrokenPromise(
                    promise: .oneOutcome,
                    message: "task \(report.index) of \(truth.name(group: group)) was told, but never asked for",
                    evidence: truth.evidence(group: group)
                )
            )
        }
        if !told.insert(UInt64(task)).inserted {
            simulation.broke(
                BrokenPromise(
                    promise: .oneOutcome,
                    message: "\(truth.name(task: task)) was told twice in one session",
                    evidence: truth.evidence(task: task)
                )
            )
        }
        if truth.groups[group].client == life {
            truth.tasks[task].isOwnerTold = true
            judge(output.end(report, detail?.rest, task: task, truth), simulation)
        }
        simulation.observe(.taskTold(task: task, report, detail, value: value, client: life))
        truth.tasks[task].told = report
        truth.tasks[task].toldAt = truth.tasks[task].toldAt ?? simulation.now
        truth.tasks[task].detail = detail
        truth.tasks[task].value = value
    }

    func judge(_ fault: BrokenPromise?, _ simulation: Simulation) {
        if let fault { simulation.broke(fault) }
    }

    private func closed(_ report: GroupReport, _ simulation: Simulation) {
        let truth = simulation.truth
        guard let group = truth.groupNumbers[name(report.group, truth)] else { return }
        // Who watches a tree that is not its own, and not detached, may hear of its end before its owner does.
        guard truth.groups[group].isDetached || truth.groups[group].client == life else { return }
        simulation.observe(.groupClosed(group: group, report, client: life))
        if !truth.groups[group].isDetached {
            for task in unaccepted(in: group, truth) where truth.tasks[task].told == nil {
                truth.tasks[task].isRefused = true
            }
        }
        truth.groups[group].closed = report
        truth.groups[group].closedAt = truth.groups[group].closedAt ?? simulation.now
    }

    /// The tasks of a group that is closed which may have come too late for it. What a coordinator with a journal has
    /// acknowledged it has accepted or refused, whatever becomes of it.
    private func unaccepted(in group: Int, _ truth: Truth) -> [Int] {
        let key = truth.groups[group].spec.key
        let tasks = shared[key]?.tasks ?? truth.groups[group].tasks
        guard truth.isDurable else { return tasks }
        return peer.unacknowledged.flatMap { body -> ArraySlice<Int> in
            guard case .submit(let submission) = body, submission.group == key else { return [] }
            return tasks[Int(submission.first)..<submission.end]
        }
    }

    private func refused(_ refusal: Refusal, _ truth: Truth) {
        guard let key = refusal.key else { return }
        let added = shared[key]
        guard let group = groups[key] else { return added?.refuse(from: refusal.from, truth) ?? () }
        if truth.groups[group].id == nil {
            truth.groups[group].isRefused = true
            groups[key] = nil
        }
        let from = truth.groups[group].id == nil ? 0 : refusal.from
        (added ?? SharedGroup(group: group, tasks: truth.groups[group].tasks)).refuse(from: from, truth)
    }
}

extension SeededGenerator {
    static func first(of seed: UInt64, stream: UInt64) -> UInt64 {
        var generator = SeededGenerator(seed: seed, stream: stream)
        return generator.next() | 1
    }
}
