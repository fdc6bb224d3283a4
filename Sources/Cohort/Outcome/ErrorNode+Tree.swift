extension ErrorNode {
    /// How many errors there are, those that are not shown included.
    public var count: Int {
        switch self {
        case .leaf: 1
        case .group(let group): group.count
        }
    }

    /// Every leaf shown, depth first.
    public var leaves: [Leaf] {
        var leaves: [Leaf] = []
        collectLeaves(into: &leaves)
        return leaves
    }

    private func collectLeaves(into leaves: inout [Leaf]) {
        switch self {
        case .leaf(let leaf): leaves.append(leaf)
        case .group(let group):
            for error in group.errors { error.collectLeaves(into: &leaves) }
        }
    }

    /// The part of the tree whose leaves match, or `nil` if none does. Leaves that are not shown match nothing.
    public func filter(_ matches: (Leaf) throws -> Bool) rethrows -> ErrorNode? {
        try split(matches).matching
    }

    /// The part of the tree whose leaves match, and the part whose leaves do not. Leaves that are not shown are counted
    /// among the latter.
    public func split(_ matches: (Leaf) throws -> Bool) rethrows -> (matching: ErrorNode?, rest: ErrorNode?) {
        switch self {
        case .leaf(let leaf):
            return try matches(leaf) ? (self, nil) : (nil, self)
        case .group(let group):
            var matching: [ErrorNode] = []
            var rest: [ErrorNode] = []
            for error in group.errors {
                let parts = try error.split(matches)
                if let part = parts.matching { matching.append(part) }
                if let part = parts.rest { rest.append(part) }
            }
            return (
                group.part(errors: matching, omitted: nil).map(ErrorNode.group),
                group.part(errors: rest, omitted: group.omitted).map(ErrorNode.group)
            )
        }
    }

    /// The tree with its first `limit` leaves, at least one, depth first. What is cut off is counted in `omitted` of the
    /// innermost group that is left.
    public func capped(at limit: Int) -> ErrorNode {
        var room = max(1, limit)
        return capped(room: &room) ?? self
    }

    /// - Returns: `nil` if not one leaf of it is left.
    private func capped(room: inout Int) -> ErrorNode? {
        switch self {
        case .leaf:
            guard room > 0 else { return nil }
            room -= 1
            return self
        case .group(var group):
            var kept: [ErrorNode] = []
            var omitted = group.omitted ?? 0
            for error in group.errors {
                if let part = error.capped(room: &room) { kept.append(part) } else { omitted += error.count }
            }
            guard !kept.isEmpty else { return nil }
            group.errors = kept
            group.omitted = omitted > 0 ? omitted : nil
            return .group(group)
        }
    }
}

extension ErrorNode.Group {
    /// How many errors there are in the group and its child groups, those that are not shown included.
    public var count: Int {
        errors.reduce(omitted ?? 0) { $0 + $1.count }
    }

    var defaultMessage: String {
        "\(count) \(count == 1 ? "error" : "errors") in group \(group)"
    }

    /// The same group with fewer errors. A message that told the number of errors is made anew.
    func part(errors: [ErrorNode], omitted: Int?) -> Self? {
        guard !errors.isEmpty || (omitted ?? 0) > 0 else { return nil }
        var part = self
        part.errors = errors
        part.omitted = omitted
        if message == defaultMessage { part.message = part.defaultMessage }
        return part
    }
}
