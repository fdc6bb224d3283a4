/// The results of a group's tasks in the order in which they end; see ``Group/completions(buffering:)``.
///
/// Throws `CancellationError` if the task that waits for the next one is cancelled. Several readers share the results between
/// them. A reader should not itself wait for further tasks of the same tree: when it is so far behind that nothing starts any
/// more, they do not either.
public struct Completions: AsyncSequence, Sendable {
    /// What became of a task.
    public typealias Element = TaskResult
    /// A cancellation of the reader.
    public typealias Failure = any Error

    private let subscription: CompletionSubscription

    init(_ group: Group, limit: Int) {
        subscription = CompletionSubscription(group, limit: limit)
    }

    /// Begins to read, or goes on where an earlier reader has left off.
    public func makeAsyncIterator() -> Iterator { Iterator(subscription: subscription) }

    /// Takes one result after the other.
    public struct Iterator: AsyncIteratorProtocol {
        let subscription: CompletionSubscription

        /// The next result; `nil` when every task that was added so far has ended and been taken.
        public mutating func next() async throws -> TaskResult? { try await subscription.next() }
    }
}

/// Connects a reader with its group, for as long as somebody holds it.
final class CompletionSubscription: Sendable {
    private let group: Group
    private let channel: CompletionChannel

    init(_ group: Group, limit: Int) {
        self.group = group
        channel = group.cell.subscribe(limit: limit)
    }

    deinit {
        group.cell.unsubscribe(channel)
        group.session.giveBack(channel.release())
    }

    func next() async throws -> TaskResult? {
        if let result = take() { return result }
        // In this order: the last end of a task comes into the channel before the group is idle.
        if group.cell.isIdle || channel.isFinished { return take() }
        group.slots?.waitBegan()
        var isCancelled = false
        var result: TaskResult?
        while result == nil, !isCancelled {
            isCancelled = !(await channel.wait())
            if !isCancelled { result = take() }
            if result == nil, group.cell.isIdle || channel.isFinished { break }
        }
        await group.slots?.waitEnded()
        if isCancelled { throw CancellationError() }
        return result
    }

    private func take() -> TaskResult? {
        guard let (cell, weight) = channel.pop() else { return nil }
        group.session.giveBack(weight)
        return cell.result
    }
}
