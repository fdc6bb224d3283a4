package import CohortCore
internal import CohortWire

/// Opening a group, running its body, and waiting until everything in it has ended.
extension GroupSession {
    /// A group that has been left.
    struct Left<R: Sendable>: Sendable {
        var cell: GroupCell
        var body: Result<R, any Error>
    }

    /// A group of a client's own, or one that a running task opens.
    package func withGroup<R: Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        owner: AttemptRef? = nil,
        slots: (any SlotHolder)? = nil,
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> R {
        try await withGroup(name, options, parent: nil, owner: owner, slots: slots, body)
    }

    func withGroup<R: Sendable>(
        _ name: String,
        _ options: GroupOptions,
        parent: GroupCell?,
        owner: AttemptRef?,
        slots: (any SlotHolder)?,
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> R {
        let left = try await leave(name, options, parent: parent, owner: owner, slots: slots, body)
        if let error = left.cell.error { throw error }
        switch left.body {
        case .success(let value): return value
        // Stopped by a task that was first: there is nothing to return.
        case .failure: throw left.cell.cancelledError
        }
    }

    /// Runs the group to its end, whatever that is.
    func leave<R: Sendable>(
        _ name: String,
        _ options: GroupOptions,
        parent: GroupCell?,
        owner: AttemptRef?,
        slots: (any SlotHolder)?,
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> Left<R> {
        let cell: GroupCell
        do {
            let (opened, mustWake) = try ledger.open(name, options, parent: parent, owner: owner)
            cell = opened
            if mustWake { wake() }
        } catch {
            throw GroupError(kind: .lost, group: name, message: error.message)
        }
        parent?.add(cell)
        let group = Group(session: self, cell: cell, slots: slots)
        if options.shield {
            // A task of its own, which no cancellation of the caller reaches.
            return await Task { await self.run(group, body) }.value
        }
        // A request that has come before is delivered where the body waits next, and reaches the group then.
        let isPending = Task.isCancelled
        return await withTaskCancellationHandler {
            await run(group, body)
        } onCancel: {
            if !isPending { callerCancelled(cell) }
        }
    }

    private func callerCancelled(_ cell: GroupCell) {
        guard cell.requestCancel() == (true, true) else { return }
        send(.cancelGroup(.key(cell.key), grace: nil, reason: "the caller was cancelled"))
    }

    private func run<R: Sendable>(
        _ group: Group,
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async -> Left<R> {
        let result = await runBody(group, body)
        // A request that the body has seen must not come after its seal, and one that was pending is delivered here.
        if Task.isCancelled { callerCancelled(group.cell) }
        let end: BodyEnd
        var bodyError: ErrorNode?
        switch result {
        case .success: end = .returned
        case .failure(let error):
            let thrown = isStop(error, of: group) ? .cancelled : ThrownError(error)
            bodyError = thrown.node(task: "body")
            end = bodyError == nil ? .cancelled : .failed(thrown.detail)
        }
        group.cell.seal(bodyError)
        send(.seal(group.cell.key, end))
        await group.cell.waitForEnd(group.slots)
        return Left(cell: group.cell, body: result)
    }

    /// A body that the stop has reached in the form of a refused task has not failed by itself.
    private func isStop(_ error: any Error, of group: Group) -> Bool {
        (error as? SpawnRefused)?.code == .shuttingDown && group.isStopping
    }

    /// Runs the body in a task of its own, which is cancelled when the caller is or the group stops.
    private func runBody<R: Sendable>(
        _ group: Group,
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async -> Result<R, any Error> {
        // A child task in form only: of a real one nobody else could say that it is to be cancelled now, before it sees what
        // the stop does to the tasks that it waits for.
        let task = Task { try await body(group) }
        group.cell.bodyBegan { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        group.cell.bodyEnded()
        return result
    }

    func send(_ body: FrameBody) {
        if ledger.outbox.append(body) { wake() }
    }

    /// A reader has taken reports whose weight was held back.
    func giveBack(_ weight: UInt64) {
        if weight > 0, ledger.giveBack(weight) { wake() }
    }
}
