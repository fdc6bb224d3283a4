internal import CohortCore
internal import Synchronization

/// The group that a running task belongs to, as far as that task adds tasks to it.
final class JoinedCell: Sendable {
    /// What became of a task that was to be added.
    enum Answer: Sendable {
        case accepted
        case refused(SpawnRefused)
    }

    private struct Pending {
        var cell: TaskCell
        var waiter: CheckedContinuation<Answer, Never>
    }

    private struct State {
        var id: GroupID?
        var lane = SubmissionLane()
        /// Tasks that have been sent and not been answered, by their numbers here.
        var pending: [UInt32: Pending] = [:]
        var refusal: SpawnRefused?
    }

    let key: GroupKey
    /// The running task.
    let attempt: AttemptRef
    private let state = Mutex(State())

    init(key: GroupKey, attempt: AttemptRef) {
        self.key = key
        self.attempt = attempt
    }

    var id: GroupID? { state.withLock { $0.id } }

    func opened(_ id: GroupID) {
        state.withLock { $0.id = id }
    }

    /// Adds a task, and waits until the coordinator has answered.
    func spawn(
        _ template: TaskTemplate,
        _ payload: [UInt8],
        _ outbox: Outbox,
        wake: () -> Void
    ) async throws(SpawnRefused) -> TaskCell {
        let cell = TaskCell(name: template.name, attempts: Int(template.retries) + 1)
        let answer = await withCheckedContinuation { waiter in
            let (refusal, mustWake): (SpawnRefused?, Bool) = state.withLock { state in
                if let refusal = state.refusal { return (refusal, false) }
                let (place, isNewTemplate) = state.lane.add(template)
                state.pending[place.number] = Pending(cell: cell, waiter: waiter)
                return (
                    nil, outbox.submit(key, place, newTemplate: isNewTemplate ? template : nil, payload: payload)
                )
            }
            if let refusal { waiter.resume(returning: .refused(refusal)) }
            if mustWake { wake() }
        }
        if case .refused(let refusal) = answer { throw refusal }
        return cell
    }

    /// - Returns: the tasks that have got their numbers in the group.
    func accepted(_ tasks: AcceptedTasks, _ wakeups: inout Wakeups) -> [(index: UInt32, cell: TaskCell)] {
        state.withLock { state in
            (0..<tasks.count).compactMap { offset in
                guard let cell = state.pending[tasks.first &+ offset]?.cell else { return nil }
                cell.number(tasks.index &+ offset, &wakeups)
                return (tasks.index &+ offset, cell)
            }
        }
    }

    func tellAccepted(_ tasks: AcceptedTasks, _ wakeups: inout Wakeups) {
        let waiters = state.withLock { state in
            (0..<tasks.count).compactMap { state.pending.removeValue(forKey: tasks.first &+ $0)?.waiter }
        }
        for waiter in waiters { wakeups.resume { waiter.resume(returning: .accepted) } }
    }

    /// It takes no tasks any more; those that have not been accepted will not be.
    func refuse(_ refusal: SpawnRefused, _ wakeups: inout Wakeups) {
        let waiters = state.withLock { state in
            if state.refusal == nil { state.refusal = refusal }
            defer { state.pending = [:] }
            return state.pending.values.map(\.waiter)
        }
        for waiter in waiters { wakeups.resume { waiter.resume(returning: .refused(refusal)) } }
    }
}
