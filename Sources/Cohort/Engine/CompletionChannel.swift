internal import Synchronization

/// Ended tasks of one group on their way to one reader.
///
/// A reader that is far behind holds back the weight of what waits here beyond its limit: once enough is held back, the
/// coordinator starts no further tasks.
final class CompletionChannel: Sendable {
    private struct State {
        var queue = FIFO<TaskCell>()
        /// Weights of the last ones in the queue, oldest first.
        var held = FIFO<UInt64>()
        /// Nothing more will come.
        var isFinished = false
        /// One for each reader that waits, by number.
        var waiters: [(number: UInt64, continuation: CheckedContinuation<Void, Never>)] = []
        var lastWaiter: UInt64 = 0
        /// Waits that were cancelled and have not noticed yet.
        var cancelled: Set<UInt64> = []

        /// Lets all that wait look again.
        mutating func wakeAll(_ wakeups: inout Wakeups) {
            for waiter in waiters { wakeups.resume(waiter.continuation) }
            waiters = []
        }
    }

    private let limit: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: ended tasks that may wait here at no cost.
    ///   - ended: those that have ended before, in the order of their ends.
    init(limit: Int, ended: [TaskCell], isFinished: Bool) {
        self.limit = max(1, limit)
        state.withLock { state in
            for cell in ended { state.queue.append(cell) }
            state.isFinished = isFinished
        }
    }

    /// How many wait.
    var count: Int { state.withLock { $0.queue.count } }

    /// - Returns: whether the weight is held back.
    func push(_ cell: TaskCell, _ weight: UInt64, _ wakeups: inout Wakeups) -> Bool {
        state.withLock { state in
            state.queue.append(cell)
            state.wakeAll(&wakeups)
            guard state.queue.count > limit, weight > 0 else { return false }
            state.held.append(weight)
            return true
        }
    }

    func finish(_ wakeups: inout Wakeups) {
        state.withLock { state in
            state.isFinished = true
            state.wakeAll(&wakeups)
        }
    }

    private func cancel(_ number: UInt64) {
        let waiter = state.withLock { state in
            state.cancelled.insert(number)
            return state.waiters.firstIndex { $0.number == number }.map { state.waiters.remove(at: $0) }
        }
        waiter?.continuation.resume()
    }

    /// The next one, and the weight that can be given back now.
    func pop() -> (cell: TaskCell, weight: UInt64)? {
        state.withLock { state in
            guard let cell = state.queue.popFirst() else { return nil }
            return (cell, state.held.popFirst() ?? 0)
        }
    }

    /// All that is held back, to be given back.
    func release() -> UInt64 {
        state.withLock { $0.held.removeAll().reduce(0, +) }
    }

    var isFinished: Bool { state.withLock { $0.isFinished } }

    /// Waits until there is something, or nothing more will come, or the waiting task is cancelled.
    ///
    /// - Returns: `false` if it is cancelled.
    func wait() async -> Bool {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isDue = state.withLock { state in
                    if !state.queue.isEmpty || state.isFinished || state.cancelled.contains(number) { return true }
                    state.waiters.append((number, continuation))
                    return false
                }
                if isDue { continuation.resume() }
            }
        } onCancel: {
            cancel(number)
        }
        return state.withLock { $0.cancelled.remove(number) == nil }
    }
}
