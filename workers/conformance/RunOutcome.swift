internal import Cohort

/// What became of a run, in the shape that scenarios expect.
struct RunOutcome: Sendable {
    var script: JSONObject
    /// From the first step of the script to its end, in seconds of the scenario; `nil` if it has not ended.
    var took: Double?
    private var groups = Families()
    private var tasks = Families()
    private(set) var log: [JSONValue] = []

    init(script: JSONObject, took: Double?) {
        self.script = script
        self.took = took
    }

    /// Adds what the processes of the run have written, in any order.
    mutating func add(lines text: some Sequence<UInt8>) throws {
        var records: [(time: Int, kind: String, value: JSONValue)] = []
        for line in Array(text).split(separator: UInt8(ascii: "\n")) {
            guard case .array(let parts) = try JSONValue(parsing: line), parts.count == 3,
                case .int(let time) = parts[0], case .string(let kind) = parts[1]
            else { throw RunError("the log of the run has a line that is none of its own") }
            records.append((time, kind, parts[2]))
        }
        for record in records.sorted(by: { $0.time < $1.time }) {
            switch (record.kind, record.value) {
            case ("log", let entry): log.append(entry)
            case ("group", .array(let parts)) where parts.count == 3: try add(group: parts)
            default: throw RunError("the log of the run has a line that is none of its own")
            }
        }
    }

    private mutating func add(group parts: [JSONValue]) throws(RunError) {
        try groups.add(parts[0], parts[1])
        guard case .array(let entries) = parts[2] else { return }
        for case .array(let entry) in entries where entry.count == 2 { try tasks.add(entry[0], entry[1]) }
    }

    /// All of it, as an outcome is printed.
    var json: JSONObject {
        var object = JSONObject()
        object["script"] = .object(script)
        object["groups"] = .object(groups.json)
        object["tasks"] = .object(tasks.json)
        object["log"] = .array(log)
        object["took"] = took.map(JSONValue.double) ?? .null
        return object
    }
}

/// Outcomes by name, in the order of the first of each name.
private struct Families: Sendable {
    private var names: [String] = []
    private var outcomes: [String: [JSONObject]] = [:]

    mutating func add(_ name: JSONValue, _ outcome: JSONValue) throws(RunError) {
        guard case .string(let name) = name, case .object(let outcome) = outcome else {
            throw RunError("the log of the run has an outcome without a name")
        }
        if outcomes[name] == nil { names.append(name) }
        outcomes[name, default: []].append(outcome)
    }

    /// Of a name that was used several times only the number of each kind is told.
    var json: JSONObject {
        JSONObject(names.map { JSONObject.Member(key: $0, value: .object(Self.merged(outcomes[$0] ?? []))) })
    }

    private static func merged(_ outcomes: [JSONObject]) -> JSONObject {
        if outcomes.count == 1 { return outcomes[0] }
        var counts = JSONObject()
        for case .string(let kind)? in outcomes.map({ $0["kind"] }) {
            if case .int(let count)? = counts[kind] { counts[kind] = .int(count + 1) } else { counts[kind] = 1 }
        }
        return JSONObject([JSONObject.Member(key: "count", value: .object(counts))])
    }
}

// MARK: - The library's outcomes in the language

extension OutcomeDocument {
    var inLanguage: JSONValue {
        var object = JSONObject()
        object["kind"] = .string(outcome?.rawValue ?? "open")
        if timedOut { object["timed_out"] = true }
        if cancelled { object["cancelled"] = true }
        if outcome == .errors, case .group(let group)? = error {
            object["errors"] = .array(group.errors.map { $0.inLanguage() })
        }
        return .object(object)
    }
}

extension TaskResult {
    var inLanguage: JSONValue {
        var object = brief
        if outcome == .ok, afterCancel { object["after_cancel"] = true }
        if !started { object["started"] = false }
        return .object(object)
    }

    /// The kind, and the value or error if there is one.
    var brief: JSONObject {
        var object = JSONObject()
        object["kind"] = .string(outcome.rawValue)
        switch outcome {
        case .ok, .timeout:
            if let value, value != .null { object["value"] = value }
        case .error:
            if let error { object["error"] = error.inLanguage() }
        case .cancelled, .lost: break
        }
        return object
    }
}
