internal import Testing

@testable internal import CohortBatch

@Suite("The JSON Schema of batch files")
struct BatchSchemaTests {
    private let file: SchemaFile

    init() throws { file = try SchemaFile("batch.schema.json") }

    @Test("Every object has the keys that the parser knows, all described, and no others")
    func keys() throws {
        let objects = [
            ("group", BatchKeys.group), ("task", BatchKeys.task), ("forEachRange", BatchKeys.forEachRange),
            ("forEachFile", BatchKeys.forEachFile),
        ]
        for (name, keys) in objects { try file.expectKeys(keys, of: file.definitions[name] ?? [:], name) }
        let retries = try #require((file.definitions["retries"]?["oneOf"] as? [[String: Any]])?.last)
        try file.expectKeys(BatchKeys.retries, of: retries, "retries")
    }

    @Test("The parser and the schema agree on what makes a group and on the policies")
    func choices() throws {
        let condition = file.definitions["item"]?["if"] as? [String: Any]
        let markers = (condition?["anyOf"] as? [[String: [String]]])?.compactMap { $0["required"]?.first }
        #expect(markers == BatchKeys.markersOfGroup)
        let properties = file.definitions["group"]?["properties"] as? [String: [String: Any]]
        #expect(properties?["on_error"]?["enum"] as? [String] == GroupPlan.FailurePolicy.allCases.map(\.rawValue))
    }
}
