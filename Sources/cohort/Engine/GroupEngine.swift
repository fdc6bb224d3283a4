internal import Cohort
internal import CohortCore
internal import CohortReport
internal import CohortRuntime
internal import Glibc

/// Where the tasks of a group come from.
protocol TaskSource: AnyObject {
    /// Descriptors that become readable when the source has more to submit.
    var descriptors: [Int32] { get }
    /// Submits what there is, as far as the window allows.
    func submit(to client: Client) throws
    /// What is known of a task that this source has submitted.
    func describe(_ group: GroupID, _ index: UInt32) -> OutcomeCollector.TaskDescription?
    /// The task's number among all of the run, from 1.
    func number(_ group: GroupID, _ index: UInt32) -> Int
    /// How many tasks there will be, once that is known.
    var total: Int? { get }
    /// How many have been submitted.
    var submitted: Int { get }
    func taskEnded(_ number: Int)
    /// The coordinator has not accepted a group, or tasks of it from some number on. Returns the numbers of those submitted
    /// that have not been told before.
    func refused(_ refusal: Refusal) -> [Int]
    /// The root stops: nothing more is to be submitted, what is unsealed is to be sealed.
    func stop(_ client: Client)
}

/// Drives one tree of groups from a command: submits, takes in updates, presents them, and returns when the tree has closed.
///
/// Everything happens on the calling thread, which waits in one place for notices, signals, input and the clock.
final class GroupEngine {
    private let connection: Connection
    private let source: any TaskSource
    private let presenter: Presenter
    private let collector: OutcomeCollector
    /// What to cancel on Ctrl-C.
    private let root: GroupTarget
    private var interruption: Interruption
    private var watch: WriteWatch?
    private var owedWeight: UInt64 = 0
    private var isStopping = false
    private var hasLostWorker = false
    /// Something was left to be cancelled when the last worker had died.
    private var hasCancelledForWorker = false
    private var stall = StallWatch()

    /// When to leave without the group's end, and how.
    private var giveUp: (at: ContinuousClock.Instant, error: any Error)?

    /// How long a kill may take to be reported.
    private static let killPatience = Duration.seconds(2)

    /// The weight of updates is given back in pieces of at least so much: half of what the protocol asks for.
    private static let weightStep: UInt64 = 32 << 10

    init(
        connection: Connection,
        source: any TaskSource,
        presenter: Presenter,
        collector: OutcomeCollector,
        root: GroupTarget,
        interruption: Interruption
    ) {
        self.connection = connection
        self.source = source
        self.presenter = presenter
        self.collector = collector
        self.root = root
        self.interruption = interruption
    }

    /// Lets signals be dealt with while nobody reads what is printed.
    func attend(to watch: WriteWatch) {
        self.watch = watch
        watch.begin(interruption.signals.descriptor) { [unowned self] in signalAmidOutput() }
    }

    /// - Returns: the signal after which nobody waits for a reader any more.
    private func signalAmidOutput() -> Int32? {
        guard interruption.poll() else { return nil }
        let hasEnded = collector.isClosed
        if !hasEnded { interrupt() }
        return hasEnded || interruption.count > 1 ? interruption.first : nil
    }

    /// Runs until the tree has closed.
    ///
    /// - Returns: the document, and the exit status.
    func run() throws -> (document: OutcomeDocument, status: Int32) {
        var deaths = connection.pool?.deathDescriptors ?? []
        let fixed = [connection.client.notices.descriptor, interruption.signals.descriptor]
        while !collector.isClosed {
            try source.submit(to: connection.client)
            let ready = Descriptors.wait(for: fixed + deaths + source.descriptors, timeout: timeout)
            if interruption.poll() { interrupt() }
            if interruption.count > 1, let signal = interruption.first { watch?.stop(after: signal) }
            for notice in connection.client.notices.takeAll() { try take(notice) }
            try presenter.flush()
            if deaths.contains(where: ready.contains), !collector.isClosed {
                try poolDied(deaths.filter(ready.contains))
                deaths.removeAll(where: ready.contains)
            }
            if hasLostWorker { stopWithoutWorker() }
            try giveUpIfDue()
            payBack()
            askWhyNothingRuns()
            presenter.draw(progress)
        }
        guard let document = collector.document(), let report = collector.rootReport else {
            throw Failure(.coordinator, "the coordinator closed a group that was never opened")
        }
        if let signal = interruption.first { return (document, 128 + signal) }
        if hasCancelledForWorker {
            presenter.note("no worker is left in the pool: what had not begun was cancelled")
            return (document, Failure.Status.coordinator.rawValue)
        }
        return (document, GroupOutcome(report.outcome).exitStatus)
    }

    private var timeout: Duration? {
        let instants = [stall.askAt, giveUp?.at].compactMap(\.self).map {
            max(.zero, ContinuousClock.now.duration(to: $0))
        }
        return ([presenter.timeToNextDrawing].compactMap(\.self) + instants).min()
    }

    /// What no cancel reaches, shielded tasks above all, ends with the session: the coordinator stops what lost its owner.
    private func giveUpIfDue() throws {
        guard let giveUp, ContinuousClock.now >= giveUp.at, !collector.isClosed else { return }
        throw giveUp.error
    }

    /// When nothing has been heard for a while, somebody should know why: no silent hang.
    private func askWhyNothingRuns() {
        let isWorthIt = collector.rootID != nil && source.submitted > 0
        if stall.asks(running: collector.progress.running, ifWorthIt: isWorthIt) { connection.client.query() }
    }

    private func explainWaiting(_ snapshot: Snapshot) {
        guard let id = collector.rootID, let explanation = stall.explanation(snapshot, of: id) else { return }
        presenter.note(explanation)
    }

    private var progress: ProgressSnapshot {
        let (ended, running) = collector.progress
        return ProgressSnapshot(
            group: collector.rootName,
            done: ended.total,
            failed: ended.failed,
            running: running,
            queued: max(0, source.submitted - ended.total - running),
            total: source.total
        )
    }

    private func take(_ notice: ClientNotice) throws {
        switch notice {
        case .connected: stall.heard()
        case .snapshot(let snapshot): explainWaiting(snapshot)
        case .unanswered(let explanation), .interrupted(let explanation): presenter.note(explanation)
        case .restored(.same): presenter.note("the coordinator is back")
        case .restored(.resumed):
            // Credit begins anew, and what is told again has been dealt with.
            owedWeight = 0
            collector.positions.tellAll()
            stall.heard()
            presenter.note("the coordinator is back")
        case .restored(.anew), .restored(.forgotten):
            throw Failure(.coordinator, "the coordinator has been started anew and does not know what was open")
        case .lost(_, let explanation):
            // A coordinator that shuts down tells the outcome, and then says goodbye.
            if !collector.isClosed { throw Failure(.coordinator, explanation) }
        case .update(let update): try take(update)
        }
    }

    private func take(_ update: ClientUpdate) throws {
        stall.heard()
        try collector.take(update) { piece, bytes in
            let number = source.number(piece.group, piece.index)
            try presenter.output(number, attempt: piece.attempt, piece.stream, bytes)
        } ended: { ended in
            let number = source.number(ended.group, ended.index)
            if ended.lacksOutput { presenter.note("some of the output of task \(ended.result.name) has been lost") }
            try presenter.ended(number, ended)
            source.taskEnded(number)
        }
        owedWeight += update.weight
        if !update.stopping.isEmpty, update.stopping.contains(where: { $0.group == collector.rootID }) {
            isStopping = true
            source.stop(connection.client)
        }
        for refusal in update.refusals { try take(refusal) }
    }

    private func take(_ refusal: Refusal) throws {
        switch refusal.code {
        case .draining, .limit: throw Failure(.coordinator, "the coordinator refuses: \(refusal.message)")
        // A group that stops takes nothing more, and below it nothing can be opened.
        case .shuttingDown, .finished, .unknownGroup:
            guard let key = refusal.key, collector.rootID != nil else { fallthrough }
            let numbers = source.refused(refusal)
            collector.refused(key, count: numbers.count)
            for number in numbers {
                source.taskEnded(number)
                try presenter.neverStarted(number)
            }
        case .invalid: throw Failure(.usage, "the coordinator refuses: \(refusal.message)")
        }
    }

    /// First signal: cancel and wait out the grace. Second: kill now.
    private func interrupt() {
        source.stop(connection.client)
        let isSecond = interruption.count > 1
        connection.client.cancel(root, grace: isSecond ? .zero : nil, reason: "interrupted")
        presenter.note(
            isSecond ? "killing what runs" : "interrupted: waiting for running tasks to end; once more to kill them now"
        )
        if isSecond, giveUp == nil {
            let status = ExitStatusError(code: 128 + (interruption.first ?? SIGINT))
            giveUp = (ContinuousClock.now + Self.killPatience, status)
        }
    }

    /// A process of one's own pool has died. Without a worker nothing would ever run again, without a coordinator nothing
    /// would ever be heard again: no silent hang.
    private func poolDied(_ descriptors: [Int32]) throws {
        if descriptors.contains(where: { $0 == connection.pool?.deathDescriptors.first }) {
            throw Failure(.coordinator, "the pool's coordinator has died; its tasks were killed")
        }
        hasLostWorker = true
        let failure = Failure(
            .coordinator,
            "the pool's worker has died, and shielded tasks are left that nothing can run"
        )
        giveUp = giveUp ?? (ContinuousClock.now + Self.killPatience, failure)
    }

    /// The coordinator first tells what ran as lost; a cancel that overtook that would hide how those tasks ended.
    private func stopWithoutWorker() {
        guard !isStopping, collector.progress.running == 0 else { return }
        isStopping = true
        hasCancelledForWorker = true
        source.stop(connection.client)
        connection.client.cancel(root, grace: .zero, reason: "the pool's worker died")
    }

    /// Tells the coordinator what has been dealt with.
    private func payBack() {
        let outputs = collector.positions.takeDue()
        guard owedWeight >= Self.weightStep || !outputs.isEmpty else { return }
        connection.client.consumed(weight: owedWeight, outputs)
        owedWeight = 0
    }
}
