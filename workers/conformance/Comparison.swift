internal import Cohort

/// Whether an outcome is what a scenario expects. What the expectation leaves out is free.
struct Comparison {
    /// How much longer than expected a script may take, in seconds.
    let slack: Double

    /// How much shorter than expected it may be: timers are rounded.
    static let leeway = 0.1

    /// Lines that tell where a run was not what its scenario expects. Its script must have ended in any case.
    func differences(_ scenario: Scenario, _ outcome: RunOutcome) -> [String] {
        let found = differences(expected: scenario.expected ?? JSONObject(), actual: outcome.json)
        return outcome.took == nil ? found + ["the script has not ended after \(ScenarioRunner.limit) s"] : found
    }

    /// Lines that tell where the outcome is not what was expected; none if it is.
    func differences(expected: JSONObject, actual: JSONObject) -> [String] {
        var found: [String] = []
        for part in ["groups", "tasks"] {
            guard case .object(let outcomes)? = expected[part] else { continue }
            for outcome in outcomes.members {
                let actual = actual[part]?.member(outcome.key)
                if !Self.isSame(outcome.value, actual) {
                    found.append(Self.difference("\(part) \(outcome.key)", outcome.value, actual))
                }
            }
        }
        if let script = expected["script"], !Self.isSame(script, actual["script"]) {
            found.append(Self.difference("script", script, actual["script"]))
        }
        if case .array(let log)? = expected["log"] {
            var entries: [JSONValue] = []
            if case .array(let written)? = actual["log"] { entries = written }
            if !Self.isSameLog(log, entries) { found.append(Self.difference("log", .array(log), .array(entries))) }
        }
        if let expected = expected["took"]?.number {
            let actual = actual["took"]?.number
            let isSame = actual.map { (expected - Self.leeway...expected + slack).contains($0) } ?? false
            if !isSame { found.append(Self.difference("took", .double(expected), actual.map(JSONValue.double))) }
        }
        return found
    }

    private static func difference(_ part: String, _ expected: JSONValue, _ actual: JSONValue?) -> String {
        "\(part): expected \(expected), got \(actual.map(\.description) ?? "nothing")"
    }

    /// Whether the outcome of the script, a group or a task meets what is expected of it.
    ///
    /// `started` and `errors` count only if they are expected, a member that is `null` is free, a list of kinds allows any
    /// of them and frees the rest, and `errors_within` asks for at least one error and only such as are listed.
    static func isSame(_ expected: JSONValue, _ actual: JSONValue?) -> Bool {
        guard case .object(let expected) = expected, case .object(let actual)? = actual else { return false }
        if case .array(let allowed)? = expected["errors_within"] {
            guard case .array(let errors)? = actual["errors"], !errors.isEmpty else { return false }
            let canonical = Set(allowed.map(\.canonical))
            guard errors.allSatisfy({ canonical.contains($0.canonical) }) else { return false }
        }
        if case .array(let kinds)? = expected["kind"] {
            return actual["kind"].map(kinds.contains) ?? false
        }
        var free: Set = ["errors_within"]
        for key in ["errors", "started"] where expected[key] == nil { free.insert(key) }
        for member in expected.members where member.value == .null { free.insert(member.key) }
        func counted(_ outcome: JSONObject) -> JSONValue {
            JSONValue.object(JSONObject(outcome.members.filter { !free.contains($0.key) })).canonical
        }
        return counted(expected) == counted(actual)
    }

    /// Whether the entries are those expected, in order; a list among them stands for its members in any order.
    static func isSameLog(_ expected: [JSONValue], _ actual: [JSONValue]) -> Bool {
        var rest = actual[...]
        for entry in expected {
            var entries = [entry]
            if case .array(let unordered) = entry { entries = unordered }
            guard entries.canonicalInAnyOrder == Array(rest.prefix(entries.count)).canonicalInAnyOrder else {
                return false
            }
            rest = rest.dropFirst(entries.count)
        }
        return rest.isEmpty
    }
}

extension JSONValue {
    /// The value with all that is no part of the contract put in order: members, the lists under `errors` at any depth,
    /// and the ways to write one number. Equal contents have one text.
    fileprivate var canonical: JSONValue {
        switch self {
        case .object(let object):
            let members = object.members.map { member in
                if member.key == "errors", case .array(let errors) = member.value {
                    return JSONObject.Member(key: member.key, value: .array(errors.canonicalInAnyOrder))
                }
                return JSONObject.Member(key: member.key, value: member.value.canonical)
            }
            return .object(JSONObject(members.sorted { $0.key < $1.key }))
        case .array(let elements): return .array(elements.map(\.canonical))
        case .double(let number): return Int(exactly: number).map(JSONValue.int) ?? self
        case .null, .bool, .int, .string: return self
        }
    }

    fileprivate func member(_ key: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[key]
    }

    fileprivate var number: Double? {
        switch self {
        case .int(let number): Double(number)
        case .double(let number): number
        default: nil
        }
    }
}

extension [JSONValue] {
    /// The same list for every order of the same values.
    fileprivate var canonicalInAnyOrder: [JSONValue] {
        map(\.canonical).sorted { $0.text() < $1.text() }
    }
}
