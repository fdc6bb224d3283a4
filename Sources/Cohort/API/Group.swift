internal import CohortCore

/// A group of tasks that ends as one: what the body of ``Pool/withGroup(_:_:_:)`` works with.
///
/// It may be kept after it has ended, to read ``document``.
public struct Group: Sendable {
    let session: GroupSession
    let cell: GroupCell
    let slots: (any SlotHolder)?

    /// Its name.
    public var name: String { cell.name }

    /// It has begun to stop or has ended, as far as is known here. It takes no tasks then.
    public var isStopping: Bool { cell.isStopping }

    /// Outcome, flags, every task with its error, and the groups that the body has opened; `nil` until the group has closed.
    public var document: OutcomeDocument? { cell.document }

    /// Adds the call of a function. Returns at once; the task starts when a worker has a slot for it.
    ///
    /// - Parameter name: what the task is called in errors and reports; `nil` for the function's name.
    /// - Throws: ``SpawnRefused`` if the group stops or has ended.
    @discardableResult
    public func spawn<I, O>(
        _ function: RemoteFunction<I, O>,
        _ input: I,
        name: String? = nil,
        _ options: TaskOptions = TaskOptions()
    ) throws(SpawnRefused) -> TaskHandle<O> {
        try session.spawn(function, input, name: name, options, into: cell, slots: slots)
    }

    /// Adds a command.
    ///
    /// - Parameter name: what the task is called in errors and reports; `nil` for the command itself.
    /// - Throws: ``SpawnRefused`` if the group stops or has ended.
    @discardableResult
    public func run(
        _ command: Command,
        name: String? = nil,
        _ options: TaskOptions = TaskOptions()
    ) throws(SpawnRefused) -> TaskHandle<CommandOutput> {
        try session.run(command, name: name, options, in: cell, slots: slots)
    }

    /// Opens a group inside this one. Its errors are thrown here, to the body, and count for nothing in this group unless
    /// they leave its body as well.
    public func withGroup<R: Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> R {
        try await session.withGroup(name, options, parent: cell, owner: nil, slots: slots, body)
    }

    /// Cancels the group, as from outside: every task that is not shielded, every group inside, and the body.
    ///
    /// - Returns: whether the request came before the group's end.
    @discardableResult
    public func cancel(reason: String = "") async -> Bool {
        await session.cancel(cell, reason: reason)
    }

    /// Moves the deadline: so long from now, or `nil` for none.
    ///
    /// - Throws: ``DeadlineRefused`` if the deadline has fired or the group has ended.
    public func setDeadline(_ fromNow: Duration?) async throws(DeadlineRefused) {
        try await session.setDeadline(of: cell, to: fromNow.map { TimeSpan($0) })
    }

    /// The results of the group's tasks in the order in which they end, those that have ended already first.
    ///
    /// The sequence ends when every task that was added so far has ended and been taken. While more than `limit` results
    /// wait to be taken, their credit with the coordinator is held back: it starts no further tasks once a reader is far
    /// behind.
    public func completions(buffering limit: Int = 256) -> Completions {
        Completions(self, limit: limit)
    }
}
