internal import Synchronization

/// Waits for the ends of some tasks, in the order in which they come. One waiter at a time.
final class EndWatch: Sendable {
    /// A task's note of who waits for it.
    struct Registration: Sendable {
        var watch: EndWatch
        /// The task's place among those that are waited for.
        var position: Int
    }

    /// How a wait came to its end.
    enum Finish {
        /// What was waited for has come.
        case satisfied
        case expired
        case cancelled
    }

    private struct State {
        var ready: [Int] = []
        var isExpired = false
        var isCancelled = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private let tasks: [TaskReference]
    private let state = Mutex(State())

    /// Tasks that have ended come first, in the order of their ends.
    init(_ tasks: [TaskReference]) {
        self.tasks = tasks
        var ended: [(position: Int, order: UInt64)] = []
        for (position, task) in tasks.enumerated() {
            if let order = task.cell.register(Registration(watch: self, position: position)) {
                ended.append((position, order))
            }
        }
        ended.sort { $0.order < $1.order }
        // What has ended in the meantime has been told already.
        state.withLock { $0.ready.insert(contentsOf: ended.map(\.position), at: 0) }
    }

    /// The tasks need not tell any more. Everybody who makes a watch ends it.
    func end() {
        for task in tasks { task.cell.unregister(self) }
    }

    /// Called once for each task.
    func ended(_ position: Int) {
        wake { $0.ready.append(position) }
    }

    func expire() {
        wake { $0.isExpired = true }
    }

    func cancel() {
        wake { $0.isCancelled = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let waiter = state.withLock { state in
            change(&state)
            return state.waiter.take()
        }
        waiter?.resume()
    }

    /// Waits until `take` says that it has what it wants. Slots are given up while it blocks.
    ///
    /// - Parameters:
    ///   - timeout: `nil` for as long as it takes.
    ///   - isCancellable: `false`: a cancellation of the waiting task changes nothing.
    ///   - take: called with the position of each task that has ended.
    func run(
        timeout: Duration? = nil,
        isCancellable: Bool = true,
        _ take: (Int) throws -> Bool
    ) async rethrows -> Finish {
        if try takeReady(take) { return .satisfied }
        let timer = timeout.map { timeout in
            Task {
                try await Task.sleep(for: timeout)
                self.expire()
            }
        }
        let slots = tasks.lazy.compactMap(\.slots).first
        slots?.waitBegan()
        do {
            let finish = try await block(isCancellable: isCancellable, take)
            timer?.cancel()
            await slots?.waitEnded()
            return finish
        } catch {
            timer?.cancel()
            await slots?.waitEnded()
            throw error
        }
    }

    private func block(isCancellable: Bool, _ take: (Int) throws -> Bool) async rethrows -> Finish {
        while true {
            if isCancellable {
                await withTaskCancellationHandler(operation: suspend, onCancel: cancel)
            } else {
                await suspend()
            }
            // A cancellation comes first, as it does to whoever waits in asyncio.
            if state.withLock({ $0.isCancelled }) { return .cancelled }
            if try takeReady(take) { return .satisfied }
            if state.withLock({ $0.isExpired }) { return .expired }
        }
    }

    private func takeReady(_ take: (Int) throws -> Bool) rethrows -> Bool {
        var ready = state.withLock { state in
            var ready: [Int] = []
            swap(&ready, &state.ready)
            return ready
        }
        for (count, position) in ready.enumerated() where try take(position) {
            ready.removeFirst(count + 1)
            state.withLock { $0.ready.insert(contentsOf: ready, at: 0) }
            return true
        }
        return false
    }

    private func suspend() async {
        await withCheckedContinuation { continuation in
            let isDue = state.withLock { state in
                if !state.ready.isEmpty || state.isExpired || state.isCancelled { return true }
                state.waiter = continuation
                return false
            }
            if isDue { continuation.resume() }
        }
    }
}
