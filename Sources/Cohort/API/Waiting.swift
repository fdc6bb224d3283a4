/// Waits for all tasks, and returns their values in the order of the tasks.
///
/// The first error is thrown at once; the other tasks go on.
public func gather<O>(_ tasks: [TaskHandle<O>]) async throws -> [O] {
    var values = [O?](repeating: nil, count: tasks.count)
    var missing = tasks.count
    if missing > 0 {
        let watch = EndWatch(tasks.map(\.reference))
        defer { watch.end() }
        let finish = try await watch.run { position in
            values[position] = try tasks[position].endedValue()
            missing -= 1
            return missing == 0
        }
        if finish == .cancelled { throw CancellationError() }
    }
    return values.compactMap(\.self)
}

/// Waits for all tasks, whatever becomes of them, even if the waiting task is cancelled: `gather(return_exceptions=True)`.
public func gatherEnds<O>(_ tasks: [TaskHandle<O>]) async -> [TaskEnd<O>] {
    var missing = tasks.count
    if missing > 0 {
        let watch = EndWatch(tasks.map(\.reference))
        defer { watch.end() }
        _ = await watch.run(isCancellable: false) { _ in
            missing -= 1
            return missing == 0
        }
    }
    var ends: [TaskEnd<O>] = []
    for task in tasks { ends.append(await task.ended) }
    return ends
}

/// What a wait is for.
public enum WaitCondition: Sendable, Equatable {
    /// One task has ended, however.
    case firstCompleted
    /// One task has failed, or all have ended. A cancelled task is none that has failed.
    case firstFailed
    /// All tasks have ended.
    case allCompleted
}

/// Waits for some of the tasks, without regard to what becomes of them.
///
/// - Parameter timeout: how long to wait at most; when it is over, this returns what there is.
/// - Returns: the tasks that have ended and those that have not, both in the order given.
/// - Throws: `CancellationError` if the waiting task is cancelled.
public func wait(
    for tasks: [any AwaitableTask],
    until condition: WaitCondition = .allCompleted,
    timeout: Duration? = nil
) async throws(CancellationError) -> (done: [any AwaitableTask], pending: [any AwaitableTask]) {
    var missing = tasks.count
    if missing > 0 {
        let watch = EndWatch(tasks.map(\.reference))
        defer { watch.end() }
        let finish = await watch.run(timeout: timeout) { position in
            missing -= 1
            switch condition {
            case .firstCompleted: return true
            case .firstFailed:
                return missing == 0 || tasks[position].reference.cell.outcome?.isFailure == true
            case .allCompleted: return missing == 0
            }
        }
        if finish == .cancelled { throw CancellationError() }
    }
    // Looked at once: one that ends meanwhile must not be missing from both.
    var (done, pending): ([any AwaitableTask], [any AwaitableTask]) = ([], [])
    for task in tasks {
        if task.state == .ended { done.append(task) } else { pending.append(task) }
    }
    return (done, pending)
}

/// The tasks in the order in which they end, those that have ended already first.
///
/// - Parameter timeout: how long all of it may take, from here; then the sequence throws ``WaitTimeout``.
public func asCompleted<O>(_ tasks: [TaskHandle<O>], timeout: Duration? = nil) -> AsCompleted<O> {
    AsCompleted(tasks: tasks, deadline: timeout.map { ContinuousClock.now + $0 })
}

/// Tasks in the order in which they end; see ``asCompleted(_:timeout:)``.
public struct AsCompleted<O: Codable & Sendable>: AsyncSequence, Sendable {
    /// A task that has ended.
    public typealias Element = TaskHandle<O>
    /// ``WaitTimeout`` or `CancellationError`.
    public typealias Failure = any Error

    let tasks: [TaskHandle<O>]
    let deadline: ContinuousClock.Instant?

    /// Begins from the start.
    public func makeAsyncIterator() -> Iterator { Iterator(tasks: tasks, deadline: deadline) }

    /// Takes one ended task after the other.
    public struct Iterator: AsyncIteratorProtocol {
        private let tasks: [TaskHandle<O>]
        private let deadline: ContinuousClock.Instant?
        private let watch: OwnedWatch
        private var missing: Int

        init(tasks: [TaskHandle<O>], deadline: ContinuousClock.Instant?) {
            self.tasks = tasks
            self.deadline = deadline
            watch = OwnedWatch(EndWatch(tasks.map(\.reference)))
            missing = tasks.count
        }

        /// The next task that has ended; `nil` after the last one.
        public mutating func next() async throws -> TaskHandle<O>? {
            guard missing > 0 else { return nil }
            var next: Int?
            let timeout = deadline.map { Swift.max(.zero, ContinuousClock.now.duration(to: $0)) }
            let finish = await watch.watch.run(timeout: timeout) { position in
                next = position
                return true
            }
            switch finish {
            case .expired: throw WaitTimeout()
            case .cancelled: throw CancellationError()
            case .satisfied: break
            }
            missing -= 1
            return next.map { tasks[$0] }
        }
    }
}

/// Ends a watch when nobody holds it any more.
private final class OwnedWatch: Sendable {
    let watch: EndWatch

    init(_ watch: EndWatch) { self.watch = watch }

    deinit { watch.end() }
}
