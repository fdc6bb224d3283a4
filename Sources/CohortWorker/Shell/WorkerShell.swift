internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import Glibc
internal import ZeroMQ

/// The shell around `WorkerCore`: frames and the executors' events in, orders and reports out.
///
/// Lives on the loop thread, on which no task's code runs: heartbeats never wait for it.
final class WorkerShell: LoopHandler {
    private static let socketToken = 0

    /// Makes executors that tell what happens to the closure, from any thread.
    typealias ExecutorMaker =
        @Sendable (WorkerConfiguration, @escaping @Sendable ([WorkerEvent]) -> Void) throws -> any TaskExecutors

    let context: Context
    let configuration: WorkerConfiguration
    let notify: @Sendable (WorkerNotice) -> Void
    private let loop: LoopThread
    var core: WorkerCore
    private var executors: any TaskExecutors
    private let makeExecutors: ExecutorMaker
    /// Of the present executors.
    private var inbox: ExecutorInbox
    let keeper: RecordKeeper?
    private(set) var connection: PeerConnection?
    var actions: [WorkerAction] = []
    private(set) var isDraining = false
    /// Nothing is left here, and nobody has been told so.
    private var hasDrained = false
    var hasEnded = false
    /// When the connection broke or the session was lost, until something is heard again.
    var brokenAt: Instant?
    /// There is no way to the coordinator: what still comes was sent before it broke.
    var isBroken = false
    /// When the coordinator has given up for certain what it had not heard of when the last session was lost.
    var silentUntil: Instant?

    init(
        _ configuration: WorkerConfiguration,
        loop: LoopThread,
        makeExecutors: @escaping ExecutorMaker = { try Executors($0, deliver: $1) },
        notify: @escaping @Sendable (WorkerNotice) -> Void
    ) throws {
        self.configuration = configuration
        self.notify = notify
        self.loop = loop
        context = try Context()
        keeper = configuration.record.map { RecordKeeper($0.record) }
        core = WorkerCore(slots: UInt32(configuration.slots))
        let inbox = ExecutorInbox()
        self.inbox = inbox
        self.makeExecutors = makeExecutors
        executors = try makeExecutors(configuration, Self.delivery(to: inbox, loop))
        try connect()
    }

    private static func delivery(to inbox: ExecutorInbox, _ loop: LoopThread) -> @Sendable ([WorkerEvent]) -> Void {
        { [weak loop] events in
            guard inbox.put(events) else { return }
            loop?.perform { handler in (handler as? WorkerShell)?.takeGathered() }
        }
    }

    private func connect() throws {
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
        // In every turn of the loop: nothing is put together for it.
        var due = core.nextDeadline
        if let other = connection?.nextDeadline { due = min(due ?? other, other) }
        if hasDrained, let departure { due = min(due ?? departure, departure) }
        return due?.nanoseconds
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
        departIfDrained(at: now)
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

    /// When a worker that has drained leaves, whether or not its reports are acknowledged.
    private var departure: Instant? {
        guard let connection, connection.isOpen else { return silentUntil }
        return connection.lastHeard.advanced(by: connection.lease)
    }

    /// Nothing is left to run, and the coordinator knows how everything has ended: only then can this process go, for what is
    /// not acknowledged goes with it, and a coordinator that comes back would take for lost what has ended well.
    private func departIfDrained(at now: Instant) {
        guard hasDrained, let connection else { return }
        let isOver = departure.map { $0 <= now } ?? false
        guard isOver || !connection.keepsUnacknowledged else { return }
        hasDrained = false
        notify(.drained)
    }

    /// First of all the connection: after a sleep, or a silence, longer than the lease the end of one task must not start
    /// the next.
    private func takeGathered() {
        connection?.tick()
        take(inbox.takeAll())
    }

    private func take(_ events: [WorkerEvent]) {
        let now = Instant.now
        for event in events {
            core.handle(event, at: now, into: &actions)
            if let keeper, keeper.hasDisowned { for task in event.ended { keeper.ended(task) } }
        }
    }

    func drain() {
        isDraining = true
        core.handle(.drainRequested, at: .now, into: &actions)
    }

    func explainSilence() { notify(.unanswered(trouble: connection?.trouble)) }

    /// Kills what runs, and says why in a goodbye.
    func leave(reason: String) {
        // With the end of the last session the executors have been stopped, which they are once only.
        if !hasEnded {
            // From here on nothing begins.
            hasEnded = true
            take(inbox.takeAll())
            executors.stop()
            // What has been killed just now is lost with the session; the rest has ended in its own way.
            take(inbox.takeAll().filter { !$0.isKill })
            drain()
            performAll()
            tellBegun()
        }
        connection?.close(reason: reason)
    }

    /// Reports what has begun and was not reported: a goodbye says that everything else can begin elsewhere.
    private func tellBegun() {
        let unstarted = core.held.filter { $0.state == .unstarted }.map(\.ref)
        var report = WorkerReport()
        if let begun = configuration.record?.record.begun {
            let begun = Set(begun)
            report.started = unstarted.filter { begun.contains($0) }
        } else {
            report.started = unstarted
        }
        if !report.started.isEmpty { send(report) }
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
        inbox = ExecutorInbox()
        executors = try makeExecutors(configuration, Self.delivery(to: inbox, loop))
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
            if case .runCall(let order, let ahead) = action, !hasEnded {
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
        // Calls go out together, save those that come when nothing begins any more.
        case .runCall: break
        case .runCommand(let order):
            if hasEnded { return }
            if let failure = executors.run(order, place: place(of: order)) { take([failure]) }
        case .cancel(let task, let isCall, let grace, _, let reason):
            executors.cancel(task, isCall: isCall, grace: grace, reason: reason)
        case .grant(let task, let isCall, let bytes): executors.grant(task, isCall: isCall, bytes: bytes)
        case .retract(let tasks): executors.retract(tasks)
        case .kill(let task, let isCall): executors.kill(task, isCall: isCall)
        case .proceed(let task): executors.proceed(task)
        case .report(let report): send(report)
        case .announceDraining: connection?.send(.draining)
        case .drained: hasDrained = true
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

extension WorkerEvent {
    /// The tasks of which nothing more will come.
    fileprivate var ended: [TaskKey] {
        switch self {
        case .commandEnded(let task, _), .commandNotStarted(let task, _, _), .callEnded(let task, _, _): [task]
        case .callsReturned(let tasks): tasks
        default: []
        }
    }

    /// The end of a command that did not end by itself.
    fileprivate var isKill: Bool {
        guard case .commandEnded(_, let end) = self else { return false }
        return end.forced && end.signal == SIGKILL
    }
}
