internal import Cohort
internal import Testing

@testable internal import cohort_conformance

@Suite struct ScenarioTests {
    @Test func aScenarioIsReadWhole() throws {
        let text = """
            {"name": "n", "about": "…", "slots": 2, "programs": {"p": [{"exit": "kill"}]},
             "script": [{"group": "g", "timeout": null, "policy": "first", "limit": 3, "body": [
                {"spawn": "a", "run": "p", "count": 4, "shield": true, "timeout": 0.5},
                {"spawn": "b", "do": [{"spawn": "c", "sibling": true, "do": []}], "into": "g"}]}],
             "expect": {"took": 1}}
            """
        let scenario = try Scenario(parsing: text.utf8)
        #expect(scenario.name == "n")
        #expect(scenario.slots == 2)
        #expect(scenario.expected?["took"] == 1)
        let work: JSONValue = [["spawn": "c", "sibling": true, "do": []]]
        #expect(
            scenario.script == [
                .group(
                    GroupStep(
                        name: "g",
                        timeout: nil,
                        policy: .first,
                        limit: 3,
                        body: [
                            .spawn(
                                SpawnStep(
                                    name: "a",
                                    work: .program("p"),
                                    target: .innermost,
                                    timeout: 0.5,
                                    isShielded: true,
                                    count: 4
                                )
                            ),
                            .spawn(
                                SpawnStep(
                                    name: "b",
                                    work: .steps(work),
                                    target: .group("g"),
                                    timeout: nil,
                                    isShielded: false,
                                    count: 1
                                )
                            ),
                        ]
                    )
                )
            ]
        )
    }

    @Test(arguments: [
        (#"{"sleeep": 1}"#, "script[0]: a step needs a verb: one of as_completed, await, "),
        (#"{"sleep": 1, "log": "x"}"#, "script[0]: a step has one verb, this has log and sleep"),
        (#"{"sleep": 1, "for": 2}"#, "script[0]: 'for' is not known here; known are sleep"),
        (#"{"sleep": -1}"#, "script[0].sleep: a time must be from 0 to 1000000 seconds"),
        (#"{"sleep": "1"}"#, #"script[0].sleep: a time in seconds is expected here, not the string "1""#),
        (#"["sleep"]"#, "script[0]: an object is expected here, not a list"),
        (#"{"group": "g"}"#, "script[0]: 'body' is missing"),
        (#"{"group": "", "body": []}"#, "script[0].group: a name must not be empty"),
        (
            #"{"group": "g", "policy": "last", "body": []}"#,
            "script[0].policy: a policy is cancel, continue or first"
        ),
        (
            #"{"group": "g", "limit": 0, "body": []}"#,
            "script[0].limit: a whole number from 1 to 100000 is expected here, not the number 0"
        ),
        (
            #"{"group": "g", "body": [{"spawn": "a", "do": [{"sleep": null}]}]}"#,
            "script[0].body[0].do[0].sleep: a time in seconds is expected here, not null"
        ),
        (#"{"spawn": "a", "do": []}"#, "script[0]: 'spawn' needs a group around it, or 'into'"),
        (
            #"{"group": "g", "body": [{"spawn": "a"}]}"#,
            "script[0].body[0]: 'spawn' takes either 'do' or 'run'"
        ),
        (
            #"{"group": "g", "body": [{"spawn": "a", "run": "p"}]}"#,
            "script[0].body[0].run: there is no program 'p'"
        ),
        (
            #"{"group": "g", "body": [{"spawn": "a", "sibling": true, "do": []}]}"#,
            "script[0].body[0]: the root script is no task and has no siblings"
        ),
        (#"{"exit": 3}"#, "script[0]: 'exit' stands only in the steps of a task"),
        (#"{"rethrow": true}"#, "script[0]: 'rethrow' stands only in 'catch' and 'cancelled'"),
        (#"{"try": [], "finally": [{"return": 1}]}"#, "script[0].finally[0]: 'return' must not stand in 'finally'"),
        (
            #"{"try": [], "catch": [{"type": "Cancelled", "do": []}]}"#,
            "script[0].catch[0].type: a cancellation is no error; handle it in 'cancelled'"
        ),
        (
            #"{"wait": ["a"], "until": "never"}"#,
            "script[0].until: 'until' is all_completed, first_completed or first_exception"
        ),
    ])
    func aStepThatIsWrongIsToldWithItsPlace(_ step: String, _ message: String) {
        let error = #expect(throws: ScenarioError.self) {
            try Scenario(parsing: #"{"name": "n", "slots": 1, "script": [\#(step)]}"#.utf8)
        }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [
        ("{", "not JSON at line 1, column 2: "),
        ("[]", "an object is expected here, not a list"),
        (#"{"name": "n", "slots": 1}"#, "'script' is missing"),
        (#"{"name": "n", "slots": 1, "script": [], "expects": {}}"#, "'expects' is not known here; known are name, "),
        (
            #"{"name": "n", "slots": 1, "script": [], "expect": {"tasks": {"a": "ok"}}}"#,
            #"expect.tasks.a: an object is expected here, not the string "ok""#
        ),
        (
            #"{"name": "n", "slots": 1, "script": [], "programs": {"p": [{"busy": true}]}}"#,
            "programs.p[0].busy: a time in seconds is expected here, not a boolean"
        ),
    ])
    func aFileThatIsNoScenarioIsToldSo(_ text: String, _ message: String) {
        let error = #expect(throws: ScenarioError.self) { try Scenario(parsing: text.utf8) }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
    }
}
