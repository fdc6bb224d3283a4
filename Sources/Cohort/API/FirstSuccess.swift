internal import CohortCore

extension Pool {
    /// Opens a group whose first success stops the rest, and returns the winner's value.
    ///
    /// - Throws: ``GroupError`` with every failure if nobody succeeds.
    public func firstSuccess<O: Codable & Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        _ body: @escaping @Sendable (Group) async throws -> [TaskHandle<O>]
    ) async throws(GroupError) -> O {
        try await session.firstSuccess(name, options, parent: nil, slots: nil, body)
    }
}

extension Group {
    /// Opens a group inside this one whose first success stops the rest, and returns the winner's value.
    ///
    /// - Throws: ``GroupError`` with every failure if nobody succeeds.
    public func firstSuccess<O: Codable & Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        _ body: @escaping @Sendable (Group) async throws -> [TaskHandle<O>]
    ) async throws(GroupError) -> O {
        try await session.firstSuccess(name, options, parent: cell, slots: slots, body)
    }
}

extension GroupSession {
    func firstSuccess<O: Codable & Sendable>(
        _ name: String,
        _ options: GroupOptions,
        parent: GroupCell?,
        slots: (any SlotHolder)?,
        _ body: @escaping @Sendable (Group) async throws -> [TaskHandle<O>]
    ) async throws(GroupError) -> O {
        var options = options
        options.policy = .first
        let left = try await leave(name, options, parent: parent, owner: nil, slots: slots, body)
        if let error = left.cell.error { throw error }
        guard let winner = left.cell.winner, case .reported(let account, _) = winner.end else {
            throw left.cell.failed(with: TaskError(type: "NoSuccess", message: "no task of the group has succeeded"))
        }
        let handles = (try? left.body.get()) ?? []
        do {
            // The body may have been stopped before it could tell its tasks.
            guard let handle = handles.first(where: { $0.reference.cell === winner }) else {
                return try Self.readValue(account)
            }
            return try handle.endedValue()
        } catch {
            throw left.cell.failed(with: error)
        }
    }
}

extension GroupCell {
    /// The group has ended well, and yet has not brought what it should.
    fileprivate func failed(with error: any Error) -> GroupError {
        guard let node = ThrownError(error).node(task: "body") else { return cancelledError }
        let tree = ErrorNode.Group(group: name, errors: [node], id: id.map { String($0.value) })
        return GroupError(kind: .errors, group: name, message: tree.message, tree: .group(tree), cell: self)
    }
}
