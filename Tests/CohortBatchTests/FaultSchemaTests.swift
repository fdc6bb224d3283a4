internal import Testing

@testable internal import CohortBatch

@Suite("The JSON Schema of fault plans")
struct FaultSchemaTests {
    private let file: SchemaFile

    init() throws { file = try SchemaFile("faults.schema.json") }

    @Test("Every object has the keys that the parser knows, all described, and no others")
    func keys() throws {
        try file.expectKeys(FaultKeys.plan, of: file.root, "plan")
        let objects = [
            ("fault", FaultKeys.entry), ("pool", FaultKeys.pool), ("fail", FaultKeys.fail), ("delay", FaultKeys.delay),
            ("hang", FaultKeys.hang), ("frames", FaultKeys.frames),
        ]
        for (name, keys) in objects { try file.expectKeys(keys, of: file.definitions[name] ?? [:], name) }
    }

    @Test("The parser and the schema agree on actions and targets")
    func choices() throws {
        let fault = try #require(file.definitions["fault"])
        let actions = (fault["oneOf"] as? [[String: Any]])?.compactMap { ($0["required"] as? [String])?.first }
        #expect(actions == FaultKeys.actions)
        let properties = fault["properties"] as? [String: [String: Any]]
        for key in ["kill", "freeze"] {
            #expect(properties?[key]?["enum"] as? [String] == ProcessFault.Target.allCases.map(\.rawValue))
        }
    }
}
