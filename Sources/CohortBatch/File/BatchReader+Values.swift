internal import Yams

/// Values of single fields. Each returns `nil` when the field is absent or has been reported.
extension BatchReader {
    /// The text of a scalar, whatever its type: `8080` and `true` are written without quotes where text is meant.
    ///
    /// - Parameter what: names the value in messages ("'cwd'").
    mutating func text(_ node: Node, what: String, allowsNUL: Bool = false) throws(Halt) -> String? {
        guard case .scalar(let scalar) = node else {
            let hint = Self.bracesHint(node)
            try report(node.mark, "\(what) must be text, not \(Self.kind(of: node))\(hint)")
            return nil
        }
        switch CoreScalar(scalar) {
        case .null:
            try report(scalar.mark, "\(what) is empty: write '' if that is meant")
            return nil
        case .badTag(let tag):
            try reportTag(tag, at: scalar.mark)
            return nil
        default:
            break
        }
        try charge(scalar.string.utf8.count, at: scalar.mark)
        if !allowsNUL, scalar.string.utf8.contains(0) {
            try report(scalar.mark, "\(what) has a NUL character, which no program can be given: remove it")
            return nil
        }
        return scalar.string
    }

    /// A field of text that must not be empty.
    mutating func nonemptyText(_ entry: Entry?) throws(Halt) -> String? {
        guard let entry, let text = try text(entry.value, what: "'\(entry.key)'") else { return nil }
        if text.isEmpty {
            try report(entry.value.mark, "'\(entry.key)' is empty: write something or remove the key")
            return nil
        }
        return text
    }

    /// A name: one line that can be shown in a report.
    mutating func name(_ entry: Entry?) throws(Halt) -> String? {
        guard let entry, let text = try nonemptyText(entry) else { return nil }
        if text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) {
            try report(entry.value.mark, "'\(entry.key)' must be one line without control characters")
            return nil
        }
        return text
    }

    mutating func duration(_ entry: Entry?, allowsZero: Bool = false) throws(Halt) -> Duration? {
        guard let entry, let text = try text(entry.value, what: "'\(entry.key)'") else { return nil }
        do {
            let duration = try CohortDuration.parse(text)
            if duration > .zero || allowsZero { return duration }
        } catch {
            try report(entry.value.mark, "\(error)")
            return nil
        }
        try report(entry.value.mark, "'\(entry.key)' must be longer than 0: remove the key if there is none")
        return nil
    }

    mutating func flag(_ entry: Entry?) throws(Halt) -> Bool? {
        guard let entry else { return nil }
        if case .scalar(let scalar) = entry.value, case .bool(let value) = CoreScalar(scalar) {
            return value
        }
        let found =
            if case .scalar(let scalar) = entry.value { "'\(scalar.string)'" } else { Self.kind(of: entry.value) }
        try report(entry.value.mark, "'\(entry.key)' must be true or false, not \(found)")
        return nil
    }

    mutating func integer(_ node: Node, what: String, in range: ClosedRange<Int>) throws(Halt) -> Int? {
        if case .scalar(let scalar) = node, case .integer(let json) = CoreScalar(scalar) {
            if let value = Int(json), range.contains(value) { return value }
            let bounds =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
            try report(node.mark, "\(what) must be \(bounds), not \(scalar.string)")
            return nil
        }
        let found = if case .scalar(let scalar) = node { "'\(scalar.string)'" } else { Self.kind(of: node) }
        try report(node.mark, "\(what) must be a whole number, not \(found)")
        return nil
    }

    /// A whole number, or a map of `limit` and `backoff`.
    mutating func retries(_ entry: Entry?) throws(Halt) -> RetryPlan? {
        guard let entry else { return nil }
        let limits = 0...1_000_000
        guard case .mapping(let mapping) = entry.value else {
            return try integer(entry.value, what: "'retries'", in: limits).map { RetryPlan(limit: $0) }
        }
        let fields = try fields(of: mapping, keys: BatchKeys.retries, what: "'retries'")
        let backoff = try duration(fields["backoff"], allowsZero: true) ?? .zero
        guard let limit = fields["limit"] else {
            try report(entry.keyMark, "'retries' needs 'limit': how many attempts may follow the first")
            return nil
        }
        return try integer(limit.value, what: "'limit'", in: limits).map { RetryPlan(limit: $0, backoff: backoff) }
    }

    mutating func policy(_ entry: Entry?) throws(Halt) -> GroupPlan.FailurePolicy? {
        guard let entry, let text = try text(entry.value, what: "'\(entry.key)'") else { return nil }
        if let policy = GroupPlan.FailurePolicy(rawValue: text) { return policy }
        let known = GroupPlan.FailurePolicy.allCases.map(\.rawValue)
        let near = EditDistance.nearest(to: text, among: known).map { "; did you mean '\($0)'?" } ?? ""
        try report(entry.value.mark, "'on_error' must be cancel, continue or first, not '\(text)'\(near)")
        return nil
    }

    /// Text with braces: templates where there are variables, plain text where there are none.
    mutating func template(
        _ node: Node,
        what: String,
        variables: [String]?,
        isShellLine: Bool = false,
        allowsNUL: Bool = false
    ) throws(Halt) -> BraceTemplate? {
        guard let text = try text(node, what: what, allowsNUL: allowsNUL) else { return nil }
        return try template(text, at: node.mark, variables: variables, isShellLine: isShellLine)
    }

    mutating func template(
        _ text: String,
        at mark: Mark?,
        variables: [String]?,
        isShellLine: Bool = false
    ) throws(Halt) -> BraceTemplate? {
        guard let variables else { return BraceTemplate(literal: text) }
        do {
            return try BraceTemplate(text, variables: variables, isShellLine: isShellLine)
        } catch {
            try report(mark, error.message)
            return nil
        }
    }

    /// Variables of the environment with their values, in order.
    mutating func environment(
        _ entry: Entry?,
        variables: [String]?
    ) throws(Halt) -> [(name: String, value: BraceTemplate)] {
        guard let entry else { return [] }
        guard case .mapping(let mapping) = entry.value else {
            try report(entry.value.mark, "'env' must be a map of names to values, not \(Self.kind(of: entry.value))")
            return []
        }
        var environment: [(name: String, value: BraceTemplate)] = []
        for variable in try entries(of: mapping, what: "'env'") {
            if variable.key.isEmpty || variable.key.utf8.contains(UInt8(ascii: "=")) || variable.key.utf8.contains(0) {
                try report(variable.keyMark, "'\(variable.key)' cannot name an environment variable")
                continue
            }
            if let value = try template(variable.value, what: "'\(variable.key)'", variables: variables) {
                environment.append((name: variable.key, value: value))
            }
        }
        return environment
    }

    mutating func reportTag(_ tag: String, at mark: Mark?) throws(Halt) {
        try report(mark, "the tag '\(tag)' does not fit here: remove it")
    }

    /// What to say when `{name}` was read as YAML's map of one key.
    static func bracesHint(_ node: Node) -> String {
        guard let name = soleBracedName(node) else { return "" }
        return ": YAML reads braces as a map, so write \"{\(name)}\""
    }

    /// The name in `{name}`, where YAML sees a map with one key and no value.
    static func soleBracedName(_ node: Node) -> String? {
        guard case .mapping(let mapping) = node, mapping.count == 1,
            case .scalar(let key) = mapping[mapping.startIndex].key, ASCII.isIdentifier(key.string),
            case .scalar(let value) = mapping[mapping.startIndex].value, value.string.isEmpty,
            let keyMark = key.mark, let valueMark = value.mark
        else { return nil }
        // Where there is a colon, the missing value stands behind it.
        let isBraced = valueMark.line == keyMark.line && valueMark.column == keyMark.column + key.string.utf8.count
        return isBraced ? key.string : nil
    }
}
