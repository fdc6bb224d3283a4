/// Why a group did not end well: the one error that leaving a group throws.
///
/// With the kind `errors` it carries a tree that mirrors the groups, every failed task in it once. `filter` and `split`
/// work as `except*` does: they keep the structure around the leaves that match.
///
///     do {
///         try await pool.withGroup("nightly") { group in … }
///     } catch {
///         guard error.kind == .errors else { throw error }
///         let (timeouts, rest) = error.split(types: .taskTimeout)
///     }
public struct GroupError: Error, Sendable {
    /// What has happened.
    public enum Kind: Sendable, Equatable {
        /// A task or the body has failed. Outranks the others; see ``GroupError/timedOut`` and ``GroupError/cancelled``.
        case errors
        /// The group's deadline fired.
        case timeout
        /// The group was stopped from outside, or its body ended as cancelled.
        case cancelled
        /// The coordinator did not open the group.
        case refused
        /// The connection to the coordinator was lost before the group had ended.
        case lost
    }
    /// What has happened.
    public var kind: Kind
    /// Name of the group.
    public var group: String
    /// In one line, for people.
    public var message: String
    /// The errors; of a timeout one leaf `GroupTimeout`; `nil` for the other kinds.
    public var tree: ErrorNode?
    /// Its deadline, or one around it, fired.
    public var timedOut: Bool
    /// It was stopped from outside.
    public var cancelled: Bool
    /// Name of the group whose deadline fired: this one or one around it.
    public var deadlineOf: String?
    /// What whoever cancelled it gave as reason.
    public var cancelReason: String?
    /// Where the document comes from; made on demand, as it may be large.
    var cell: GroupCell?

    init(
        kind: Kind,
        group: String,
        message: String,
        tree: ErrorNode? = nil,
        timedOut: Bool = false,
        cancelled: Bool = false,
        deadlineOf: String? = nil,
        cancelReason: String? = nil,
        cell: GroupCell? = nil
    ) {
        self.kind = kind
        self.group = group
        self.message = message
        self.tree = tree
        self.timedOut = timedOut
        self.cancelled = cancelled
        self.deadlineOf = deadlineOf
        self.cancelReason = cancelReason
        self.cell = cell
    }

    /// Outcome, flags and every task of the group; `nil` unless it has closed.
    public var document: OutcomeDocument? { cell?.document }

    /// Every error, depth first.
    public var leaves: [ErrorNode.Leaf] { tree?.leaves ?? [] }
}

// MARK: - Parts

extension GroupError {
    /// The part of the tree whose leaves match, with the groups around them; `nil` if none does.
    public func filter(_ matches: (ErrorNode.Leaf) throws -> Bool) rethrows -> GroupError? {
        try split(matches).matching
    }

    /// The part of the tree whose leaves match, and the part whose leaves do not. An error without a tree matches nothing.
    public func split(
        _ matches: (ErrorNode.Leaf) throws -> Bool
    ) rethrows -> (matching: GroupError?, rest: GroupError?) {
        guard let tree else { return (nil, self) }
        let parts = try tree.split(matches)
        return (parts.matching.map(part), parts.rest.map(part))
    }

    /// The part with errors of these types.
    public func filter(types: ErrorType...) -> GroupError? { filter { types.contains($0.type) } }

    /// The part with errors of these types, and the rest.
    public func split(types: ErrorType...) -> (matching: GroupError?, rest: GroupError?) {
        split { types.contains($0.type) }
    }

    /// The part with the errors of tasks of these names.
    public func filter(task names: String...) -> GroupError? { filter { names.contains($0.task ?? "") } }

    /// The part with the errors of tasks of these names, and the rest.
    public func split(task names: String...) -> (matching: GroupError?, rest: GroupError?) {
        split { names.contains($0.task ?? "") }
    }

    private func part(_ tree: ErrorNode) -> GroupError {
        var part = self
        part.tree = tree
        if case .group(let group) = tree { part.message = group.message }
        return part
    }
}

extension GroupError: CustomStringConvertible {
    /// The message, and below it the tree of errors.
    public var description: String {
        guard kind == .errors, let tree else { return message }
        return ErrorDrawing.text(of: tree)
    }
}
