internal import Cohort
internal import Testing

@testable internal import cohort_conformance

@Suite struct ComparisonTests {
    @Test(arguments: [
        // Equal, whatever the order of members and the way to write a number.
        (#"{"kind": "ok", "value": {"a": 1, "b": 2}}"#, #"{"value": {"b": 2.0, "a": 1}, "kind": "ok"}"#, true),
        (#"{"kind": "ok"}"#, #"{"kind": "error"}"#, false),
        (#"{"kind": "ok"}"#, #"{"kind": "ok", "value": 1}"#, false),
        (#"{"kind": "ok", "value": 1}"#, #"{"kind": "ok"}"#, false),
        (#"{"kind": "ok", "value": true}"#, #"{"kind": "ok", "value": 1}"#, false),
        (#"{"kind": "ok"}"#, #"{"kind": "ok", "cancelled": true}"#, false),
        (#"{"kind": "ok", "value": [1, 2]}"#, #"{"kind": "ok", "value": [2, 1]}"#, false),
        // `started` and `errors` count only if they are expected.
        (#"{"kind": "cancelled"}"#, #"{"kind": "cancelled", "started": false}"#, true),
        (#"{"kind": "cancelled", "started": false}"#, #"{"kind": "cancelled"}"#, false),
        (#"{"kind": "errors"}"#, #"{"kind": "errors", "errors": ["a: E"]}"#, true),
        (#"{"kind": "errors", "errors": ["b: E"]}"#, #"{"kind": "errors", "errors": ["a: E"]}"#, false),
        // The order of errors is free, at any depth, but not their number.
        (
            #"{"kind": "errors", "errors": ["a: E", {"group": "h", "errors": ["b: E", "c: E"]}]}"#,
            #"{"kind": "errors", "errors": [{"errors": ["c: E", "b: E"], "group": "h"}, "a: E"]}"#, true
        ),
        (#"{"kind": "errors", "errors": ["a", "a", "b"]}"#, #"{"kind": "errors", "errors": ["b", "a", "b"]}"#, false),
        (
            #"{"kind": "error", "error": {"group": "g", "errors": ["a", "b"]}}"#,
            #"{"kind": "error", "error": {"group": "g", "errors": ["b", "a"], "timed_out": true}}"#, false
        ),
        // A list of kinds allows any of them and frees the rest.
        (#"{"kind": ["ok", "cancelled"]}"#, #"{"kind": "cancelled", "started": false, "value": 7}"#, true),
        (#"{"kind": ["ok", "cancelled"]}"#, #"{"kind": "error"}"#, false),
        // A member that is null is free.
        (#"{"kind": "ok", "value": null}"#, #"{"kind": "ok", "value": 7}"#, true),
        (#"{"kind": "ok", "value": null}"#, #"{"kind": "ok"}"#, true),
        // At least one error, and only such as are listed.
        (
            #"{"kind": "errors", "errors_within": ["a: E", "b: E"]}"#, #"{"kind": "errors", "errors": ["b: E"]}"#,
            true
        ),
        (#"{"kind": "errors", "errors_within": ["a: E"]}"#, #"{"kind": "errors", "errors": ["b: E"]}"#, false),
        (#"{"kind": "errors", "errors_within": ["a: E"]}"#, #"{"kind": "errors", "errors": []}"#, false),
        (#"{"kind": "errors", "errors_within": ["a: E"]}"#, #"{"kind": "errors"}"#, false),
    ])
    func outcomes(_ expected: String, _ actual: String, _ isSame: Bool) throws {
        #expect(Comparison.isSame(try JSONValue(parsing: expected), try JSONValue(parsing: actual)) == isSame)
    }

    @Test func anOutcomeThatIsMissingMeetsNothing() {
        #expect(!Comparison.isSame(["kind": "ok"], nil))
    }

    @Test(arguments: [
        (#"["a", "b"]"#, #"["a", "b"]"#, true),
        (#"["a", "b"]"#, #"["b", "a"]"#, false),
        (#"["a"]"#, #"["a", "b"]"#, false),
        (#"["a", "b"]"#, #"["a"]"#, false),
        (#"[]"#, #"[]"#, true),
        (#"[["a", "b"], "c"]"#, #"["b", "a", "c"]"#, true),
        (#"[["a", "b"], "c"]"#, #"["b", "c", "a"]"#, false),
        (#"[["a", "a"], "c"]"#, #"["a", "c", "a"]"#, false),
        (#"[{"e": {"errors": ["x", "y"]}}]"#, #"[{"e": {"errors": ["y", "x"]}}]"#, true),
    ])
    func logs(_ expected: String, _ actual: String, _ isSame: Bool) throws {
        guard case .array(let expected) = try JSONValue(parsing: expected),
            case .array(let actual) = try JSONValue(parsing: actual)
        else { return }
        #expect(Comparison.isSameLog(expected, actual) == isSame)
    }

    @Test(arguments: [(0.9, true), (0.89, false), (1.6, true), (1.61, false)])
    func aScriptMayBeALittleEarlyAndSomewhatLate(_ took: Double, _ isSame: Bool) {
        let differences = Comparison(slack: 0.6).differences(
            expected: Self.object(["took": 1]),
            actual: Self.object(["took": .double(took)])
        )
        #expect(differences.isEmpty == isSame)
    }

    @Test func everyDifferenceNamesItsPlaceAndBothSides() {
        let expected: JSONValue = [
            "script": ["kind": "ok"], "groups": ["g": ["kind": "ok"]],
            "tasks": ["a": ["kind": "ok"], "b": ["kind": "ok"]],
            "log": ["x"], "took": 0.4,
        ]
        let actual: JSONValue = [
            "script": ["kind": "cancelled"], "groups": [:], "tasks": ["a": ["kind": "ok"], "b": ["kind": "lost"]],
            "log": [], "took": nil,
        ]
        let found = Comparison(slack: 0.6).differences(expected: Self.object(expected), actual: Self.object(actual))
        #expect(
            found == [
                #"groups g: expected {"kind": "ok"}, got nothing"#,
                #"tasks b: expected {"kind": "ok"}, got {"kind": "lost"}"#,
                #"script: expected {"kind": "ok"}, got {"kind": "cancelled"}"#,
                #"log: expected ["x"], got []"#,
                #"took: expected 0.4, got nothing"#,
            ]
        )
    }

    private static func object(_ value: JSONValue) -> JSONObject {
        guard case .object(let object) = value else { return JSONObject() }
        return object
    }
}
