internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import ZeroMQ

/// The shell around `WorkerCore`: frames and the executors' events in, orders and reports out.
///
/// Lives on the loop thread, on which no task's code runs: heartbeats never wait for it.
final class WorkerShell: LoopHandler {
    private static let socketToken = 0

    let context: Context
    let configuration: WorkerConfiguration
    let notify: @Sendable (WorkerNotice) -> Void
    private let deliver: @Sendable ([WorkerEvent]) -> Void
    private let loop: LoopThread
    var core: WorkerCore
    private var executors: Executors
    private let keeper: RecordKeeper?
    private(set) var connection: PeerConnection?
    var actions: [WorkerAction] = []
    private(set) var isDraining = false
    var hasEnded = false
    /// When the connection broke or the session was lost, until something is heard again.
    var brokenAt: Instant?

    init(
        _ configuration: WorkerConfiguration,
        loop: LoopThread,
        notify: @escaping @Sendable (WorkerNotice) -> Void
    ) throws {
        self.configuration = configuration
        self.notify = notify
        self.loop = loop
        context = try Context()
        keeper = configuration.record.map { RecordKeeper($0.record) }
        core = WorkerCore(slots: UInt32(configuration.slots))
        let deliver: @Sendable ([WorkerEvent]) -> Void = { [weak loop] events in
            loop?.perform { handler in (handler as? WorkerShell)?.take(events) }
        }
        self.deliver = deliver
        executors = try Executors(configuration, deliver: deliver)
        try connect()
    }

    func connect() throws {
        let offer = WorkerOffer(
            name: configuration.name,
            host: Host.name,
            processID: Host.processID,
            slots: UInt32(configuration.slots),
            credit: UInt32(configuration.slots) * (UInt32(WorkerCore.callDepth) * 4 + 1),
            runsCommands: configuration.runsCommands,
            functions: configuration.functions.names
        )
        connection = try PeerConnection(
            to: configuration.endpoint,
            as: Greeting(
                role: .worker(offer),
                name: offer.name,
                host: offer.host,
                processID: offer.processID,
                token: configuration.token
            ),
            keys: configuration.keys,
            in: context,
            loop: loop,
            token: Self.socketToken,
            patience: configuration.patience,
            delegate: self
        )
    }

    // MARK: The loop

    func nextDeadline() -> UInt64? {
        guard let due = core.nextDeadline else { return connection?.nextDeadline?.nanoseconds }
        return min(due, connection?.nextDeadline ?? due).nanoseconds
    }

    func socketReady(_ token: Int, in loop: LoopThread) { connection?.ready(token) }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {
        connection?.tick()
        noteAcknowledgements()
        noteHeard()
        let now = Instant.now
        if let due = core.nextDeadline, due <= now { core.handle(.timeReached, at: now, into: &actions) }
        performAll()
    }

    /// Does all that is to be done, the reports included.
    func performAll() {
        core.flush(into: &actions)
        while !actions.isEmpty {
            let batch = actions
            actions.removeAll(keepingCapacity: true)
            perform(batch)
        }
    }

    private func noteAcknowledgements() {
        guard let connection else { return }
        let outstanding = connection.unacknowledgedMessages
        core.acknowledged(allBut: outstanding)
        keeper?.acknowledged(allBut: outstanding)
    }

    func take(_ events: [WorkerEvent]) {
        let now = Instant.now
        for event in events { core.handle(event, at: now, into: &actions) }
    }

    func drain() {
        isDraining = true
        core.handle(.drainRequested, at: .now, into: &actions)
    }

    /// Kills what runs, and says why in a goodbye.
    func leave(reason: String) {
        // With the end of the last session the executors have been stopped, which they are once only.
        if !hasEnded { executors.stop() }
        hasEnded = true
        connection?.close(reason: reason)
    }

    /// Kills everything that runs.
    func stopExecutors() { executors.stop() }

    /// Begins anew, as if nothing had been before: what runs is killed, and nobody will hear of it.
    func forgetEverything() throws {
        executors.stop()
        core = WorkerCore(slots: UInt32(configuration.slots))
        if isDraining { core.handle(.drainRequested, at: .now, into: &actions) }
        actions.removeAll()
        keeper?.forgetAll()
        brokenAt = nil
        executors = try Executors(configuration, deliver: deliver)
    }

    // MARK: Actions out

    private func perform(_ batch: [WorkerAction]) {
        var calls: [CallOrder] = []
        // Calls go out together, but never past another order that may concern them.
        func submitCalls() {
            if !calls.isEmpty { executors.run(calls) }
            calls.removeAll()
        }
        for action in batch {
            if case .runCall(let order, let ahead) = action {
                calls.append(CallOrder(order: order, ahead: ahead, place: place(of: order)))
                continue
            }
            submitCalls()
            perform(action)
        }
        submitCalls()
    }

    private func perform(_ action: WorkerAction) {
        switch action {
        case .runCommand(let order):
            if let failure = executors.run(order, place: place(of: order)) { take([failure]) }
        case .runCall(let order, let ahead):
            executors.run([CallOrder(order: order, ahead: ahead, place: place(of: order))])
        case .cancel(let task, let isCall, let grace, _, let reason):
            executors.cancel(task, isCall: isCall, grace: grace, reason: reason)
        case .grant(let task, let isCall, let bytes): executors.grant(task, isCall: isCall, bytes: bytes)
        case .retract(let tasks): executors.retract(tasks)
        case .kill(let task, let isCall): executors.kill(task, isCall: isCall)
        case .proceed(let task): executors.proceed(task)
        case .report(let report): send(report)
        case .announceDraining: connection?.send(.draining)
        case .drained: notify(.drained)
        }
    }
}

extension WorkerShell {
    /// A place in the record of attempts for one that is about to be handed over.
    private func place(of order: WorkOrder) -> UInt32 {
        keeper?.assign(AttemptRef(task: order.task, attempt: order.attempt)) ?? AttemptRecord.noEntry
    }

    private func send(_ report: WorkerReport) {
        guard let connection else { return }
        connection.send(.report(report))
        keeper?.sent(report)
    }
}
