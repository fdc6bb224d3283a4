/// Values that travel with tasks: what is set around a spawn is set in the function that the task calls, and in what that
/// spawns in turn.
///
/// For a command the value `traceparent` becomes the variable `TRACEPARENT`; others do not reach it.
public enum Propagated {
    /// The values that tasks spawned here would take along.
    @TaskLocal public static var values: [String: String] = [:]

    static let traceKey = "traceparent"
    static let traceVariable = "TRACEPARENT"

    /// The value of one key; `nil` if it is not set.
    public static func value(_ key: String) -> String? { values[key] }

    /// Runs `body` with one more value.
    public static func with<R>(_ key: String, _ value: String, _ body: () async throws -> R) async rethrows -> R {
        var all = values
        all[key] = value
        return try await $values.withValue(all) { try await body() }
    }

    /// Runs `body` with these values and no others: what a worker does for a task.
    package static func withValues<R>(_ values: [String: String], _ body: () async throws -> R) async rethrows -> R {
        try await $values.withValue(values) { try await body() }
    }

    /// The values as they travel in a task's template: a JSON object, or nothing if there are none.
    package static func encode(_ values: [String: String]) -> [UInt8] {
        guard !values.isEmpty else { return [] }
        let members = values.sorted { $0.key < $1.key }
            .map { JSONObject.Member(key: $0.key, value: .string($0.value)) }
        return Array(JSONValue.object(JSONObject(members)).text(.line).utf8)
    }

    /// The inverse of `encode`; what is not a string is left out.
    package static func decode(_ bytes: [UInt8]) -> [String: String] {
        guard !bytes.isEmpty, case .object(let object) = try? JSONValue(parsing: bytes) else { return [:] }
        var values: [String: String] = [:]
        for member in object.members {
            if case .string(let value) = member.value { values[member.key] = value }
        }
        return values
    }
}
