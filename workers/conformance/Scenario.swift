internal import Cohort

/// A scenario as its file has it.
struct Scenario: Sendable {
    var name: String
    var slots: Int
    /// Lists of steps by name, for `run`. They travel with every task.
    var programs: JSONObject
    var script: [Step]
    /// `nil` in a scenario that only shows what happens.
    var expected: JSONObject?

    /// Reads the text of a scenario's file.
    init(parsing text: some Sequence<UInt8>) throws(ScenarioError) {
        let value: JSONValue
        do {
            value = try JSONValue(parsing: text)
        } catch {
            throw ScenarioError(place: "", problem: error.description)
        }
        try self.init(PlacedValue(value: value, place: ""))
    }

    private init(_ file: PlacedValue) throws(ScenarioError) {
        let members = try file.object()
        try members.allow(["name", "about", "slots", "script", "programs", "expect", "diverges", "asyncio"])
        let programs = try members["programs"]?.object()
        let decoder = StepDecoder(programs: Set(programs?.object.keys ?? []))
        for name in programs?.object.keys ?? [] {
            guard let list = programs?[name] else { continue }
            _ = try decoder.steps(list, in: StepDecoder.Surroundings(isTask: true))
        }
        self.name = try members.required("name").name()
        self.slots = try members.required("slots").count()
        self.programs = programs?.object ?? JSONObject()
        self.script = try decoder.steps(try members.required("script"), in: StepDecoder.Surroundings(isTask: false))
        self.expected = try members["expect"].map { expected throws(ScenarioError) in
            try Self.checked(try expected.object())
        }
    }

    /// What is compared must have the shape that the comparison reads, or an expectation would be met by mistake.
    private static func checked(_ expected: PlacedObject) throws(ScenarioError) -> JSONObject {
        try expected.allow(["script", "groups", "tasks", "log", "took"])
        _ = try expected["script"]?.object()
        for part in ["groups", "tasks"] {
            guard let outcomes = try expected[part]?.object() else { continue }
            for name in outcomes.object.keys { _ = try outcomes[name]?.object() }
        }
        _ = try expected["log"]?.array()
        _ = try expected["took"]?.time()
        return expected.object
    }
}
