internal import CohortCore
internal import Synchronization

/// What is known here of one task: shared by its handles, its group and those who wait for it.
final class TaskCell: Sendable {
    /// How it has ended, as far as this session learns.
    enum End: Sendable {
        case reported(TaskAccount, reason: String?)
        /// It was not accepted, and never was a task of the group.
        case refused(reason: String)
        /// The connection was lost before.
        case lost(PoolError, wasRunning: Bool)
    }

    private struct State {
        /// Its number in its group; `nil` until that is known.
        var index: UInt32?
        var isRunning = false
        var end: End?
        /// Grows with the ends of tasks, over all sessions.
        var order: UInt64 = 0
        var progress: TaskProgress?
        /// What somebody here gave as reason for a cancel of this task.
        var cancelReason: String?
        var watches: [EndWatch.Registration] = []
        /// Those who wait for `index`.
        var indexWaiters: [CheckedContinuation<UInt32?, Never>] = []
    }

    private static let ends = Atomic<UInt64>(0)

    let name: String
    /// What ran, in one line; `nil` for a call and for a task that was not spawned here.
    let command: String?
    /// How many attempts it may have; `nil` if it was not spawned here.
    let attempts: Int?
    private let state: Mutex<State>

    init(name: String, command: String? = nil, attempts: Int? = nil, index: UInt32? = nil) {
        self.name = name
        self.command = command
        self.attempts = attempts
        state = Mutex(State(index: index))
    }

    var index: UInt32? { state.withLock { $0.index } }

    var end: End? { state.withLock { $0.end } }

    var endOrder: UInt64 { state.withLock { $0.order } }

    var hasEnded: Bool { state.withLock { $0.end != nil } }

    var progress: TaskProgress? { state.withLock { $0.progress } }

    var phase: TaskState {
        state.withLock { state in
            if state.end != nil { return .ended }
            return state.isRunning ? .running : .queued
        }
    }

    func number(_ index: UInt32, _ wakeups: inout Wakeups) {
        let waiters = state.withLock { state in
            state.index = index
            defer { state.indexWaiters = [] }
            return state.indexWaiters
        }
        for waiter in waiters { wakeups.resume { waiter.resume(returning: index) } }
    }

    /// Its number in its group, once the coordinator has told it; `nil` if it ends without one.
    func waitForIndex() async -> UInt32? {
        await withCheckedContinuation { waiter in
            let (isDue, index) = state.withLock { state in
                if state.index != nil || state.end != nil { return (true, state.index) }
                state.indexWaiters.append(waiter)
                return (false, nil)
            }
            if isDue { waiter.resume(returning: index) }
        }
    }

    func started() {
        state.withLock { $0.isRunning = true }
    }

    func progressed(_ progress: TaskProgress) {
        state.withLock { $0.progress = progress }
    }

    /// Notes why it is about to be cancelled; the first reason stands.
    func cancelling(_ reason: String) {
        state.withLock { state in
            if state.cancelReason == nil, state.end == nil { state.cancelReason = reason }
        }
    }

    // MARK: Its end

    /// - Parameter groupReason: why its group stops, if it does.
    func end(_ account: TaskAccount, groupReason: String?, _ wakeups: inout Wakeups) {
        end(&wakeups) { state in
            // The reason of a cancel from here only if that came first.
            let own = account.report.cause == .requested ? state.cancelReason : nil
            let reason = own ?? groupReason
            return .reported(account, reason: reason.flatMap { $0.isEmpty ? nil : $0 })
        }
    }

    func refuse(reason: String, _ wakeups: inout Wakeups) {
        end(&wakeups) { _ in .refused(reason: reason) }
    }

    func lose(_ error: PoolError, _ wakeups: inout Wakeups) {
        end(&wakeups) { .lost(error, wasRunning: $0.isRunning) }
    }

    private func end(_ wakeups: inout Wakeups, _ make: (State) -> End) {
        state.withLock { state in
            guard state.end == nil else { return }
            state.end = make(state)
            state.order = Self.ends.add(1, ordering: .relaxed).newValue
            wakeups.ended(state.watches)
            state.watches = []
            for waiter in state.indexWaiters { wakeups.resume { waiter.resume(returning: nil) } }
            state.indexWaiters = []
        }
    }

    /// - Returns: `nil`, or the order of its end if it has ended; then nothing is told any more.
    func register(_ registration: EndWatch.Registration) -> UInt64? {
        state.withLock { state in
            guard state.end == nil else { return state.order }
            state.watches.append(registration)
            return nil
        }
    }

    func unregister(_ watch: EndWatch) {
        state.withLock { $0.watches.removeAll { $0.watch === watch } }
    }

    // MARK: What became of it

    /// Of a task that has ended; `nil` before.
    var outcome: TaskOutcome? {
        switch end {
        case nil: nil
        case .reported(let account, _): account.outcome
        case .refused: .cancelled
        case .lost: .lost
        }
    }

    /// The result of a task that has ended; `nil` before.
    var result: TaskResult? {
        switch end {
        case nil: nil
        case .reported(let account, _): account.result()
        case .refused:
            TaskResult(name: name, id: "", outcome: .cancelled, started: false, attempts: 0, command: command)
        case .lost(let error, let wasRunning):
            lostResult(error, wasRunning: wasRunning)
        }
    }

    /// What became of the task will never be known here.
    private func lostResult(_ error: PoolError, wasRunning: Bool) -> TaskResult {
        let leaf = ErrorNode.Leaf(task: name, type: .connectionLost, message: error.message, command: command)
        return TaskResult(
            name: name,
            id: "",
            outcome: .lost,
            started: wasRunning,
            attempts: wasRunning ? 1 : 0,
            command: command,
            error: .leaf(leaf)
        )
    }
}
