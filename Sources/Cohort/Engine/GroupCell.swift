internal import CohortCore
internal import Synchronization

/// What is known here of one group that this session has opened: shared by its handles and the loop.
///
/// Locks are taken in the order group, task or channel or outbox, and nobody is woken while one is held.
final class GroupCell: Sendable {
    /// How it has ended, as far as this session learns.
    enum End: Sendable {
        case closed(GroupReport)
        /// The coordinator has not opened it.
        case refused(Refusal)
        case lost(PoolError)
    }

    struct State {
        var id: GroupID?
        /// Why it stops.
        var stop: GroupStop?
        var end: End?
        /// Somebody here has asked it to stop, so it takes no tasks, even if it is not known yet to stop.
        var isCancelRequested = false
        /// The coordinator has been told that nothing more comes from here.
        var isSealed = false
        /// The coordinator has turned down tasks though the group did not stop.
        var trouble: Refusal?
        var lane = SubmissionLane()
        /// Tasks spawned here, by their numbers here; `nil` for one that is not kept any more.
        var own: [TaskCell?] = []
        /// Tasks by their numbers in the group, where those are not the numbers here.
        var numbered: [UInt32: TaskCell] = [:]
        /// Those that have ended and are kept no longer: one that is told again is none of them anew.
        var omitted = IndexBits()
        var counts = OutcomeCounts()
        var unfinished = 0
        /// Ended well or cancelled, and not kept.
        var omittedTasks = 0
        var failures: [TaskCell] = []
        var omittedFailures = 0
        var bodyError: ErrorNode?
        /// The first success under the policy `first`.
        var winner: TaskCell?
        var children: [GroupCell] = []
        var channels: [CompletionChannel] = []
        var openedAt = Timestamp.now
        var closeWaiter: CheckedContinuation<Void, Never>?
        /// Cancels the body while that runs.
        var cancelBody: (@Sendable () -> Void)?
    }

    /// Failures kept of one group; further ones are counted.
    static let failureLimit = 10_000
    /// Other ended tasks kept of one group.
    static let taskLimit = 100_000

    let key: GroupKey
    let name: String
    let policy: FailurePolicy
    /// Tasks of the group may add to it, so that numbers here are not those in the group.
    let acceptsSiblings: Bool
    let state = Mutex(State())

    init(key: GroupKey, name: String, options: GroupOptions) {
        self.key = key
        self.name = name
        policy = options.policy
        acceptsSiblings = options.acceptsSiblings
    }

    var id: GroupID? { state.withLock { $0.id } }

    var end: End? { state.withLock { $0.end } }

    var isStopping: Bool {
        state.withLock { $0.stop != nil || $0.isCancelRequested || $0.end != nil }
    }

    /// The first success under the policy `first`.
    var winner: TaskCell? { state.withLock { $0.winner } }

    /// Whether every task that is known here has ended.
    var isIdle: Bool { state.withLock { $0.unfinished == 0 } }

    // MARK: From the program

    /// Adds a task, or says why not.
    func spawn(
        _ template: TaskTemplate,
        command: String?,
        payload: [UInt8],
        outbox: Outbox
    ) throws(SpawnRefused) -> (cell: TaskCell, mustWake: Bool) {
        try state.withLock { state throws(SpawnRefused) in
            if let refusal = Self.refusal(state) { throw refusal }
            let (place, isNewTemplate) = state.lane.add(template)
            let cell = TaskCell(
                name: template.name,
                command: command,
                attempts: Int(template.retries) + 1,
                index: acceptsSiblings ? nil : place.number
            )
            state.own.append(cell)
            state.unfinished += 1
            // Under the lock, for messages must leave in the order of the numbers.
            let mustWake = outbox.submit(key, place, newTemplate: isNewTemplate ? template : nil, payload: payload)
            return (cell, mustWake)
        }
    }

    private static func refusal(_ state: State) -> SpawnRefused? {
        switch state.end {
        case .closed: return .finished
        case .refused(let refusal): return SpawnRefused(refusal)
        case .lost(let error): return SpawnRefused(code: .lost, message: error.message)
        case nil: break
        }
        if let trouble = state.trouble { return SpawnRefused(trouble) }
        if state.stop != nil || state.isCancelRequested { return .shuttingDown }
        return state.isSealed ? .finished : nil
    }

    func add(_ child: GroupCell) {
        state.withLock { $0.children.append(child) }
    }

    /// Somebody here is about to cancel the group.
    ///
    /// - Returns: whether it has not ended, and whether nobody here has asked for it before.
    func requestCancel() -> (isInTime: Bool, isFirst: Bool) {
        state.withLock { state in
            let isFirst = !state.isCancelRequested
            guard state.end == nil else { return (false, isFirst) }
            state.isCancelRequested = true
            return (true, isFirst)
        }
    }

    /// The group takes no more from here.
    func seal(_ bodyError: ErrorNode?) {
        state.withLock { state in
            state.isSealed = true
            state.bodyError = bodyError
        }
    }

    // MARK: The body

    /// The body runs; `cancel` is called when the group stops or is lost.
    func bodyBegan(cancel: @escaping @Sendable () -> Void) {
        let isDue = state.withLock { state in
            if state.stop != nil || state.end != nil { return true }
            state.cancelBody = cancel
            return false
        }
        if isDue { cancel() }
    }

    func bodyEnded() {
        state.withLock { $0.cancelBody = nil }
    }

    /// Returns when the group has ended. Cannot be interrupted.
    func waitForEnd(_ slots: (any SlotHolder)?) async {
        guard end == nil else { return }
        slots?.waitBegan()
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                if state.end != nil { return true }
                state.closeWaiter = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
        await slots?.waitEnded()
    }
}
