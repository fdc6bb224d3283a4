internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("The JSON Schema of fault plans")
struct FaultSchemaTests {
    private func schema() throws -> [String: Any] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appendingPathComponent("protocols/faults.schema.json"))
        let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        return schema
    }

    @Test("Every object has the keys that the parser knows, all described, and no others")
    func keys() throws {
        let schema = try schema()
        let definitions = try #require(schema["$defs"] as? [String: [String: Any]])
        let objects: [(name: String, object: [String: Any], keys: [String])] = [
            ("plan", schema, FaultKeys.plan),
            ("fault", definitions["fault"] ?? [:], FaultKeys.entry),
            ("pool", definitions["pool"] ?? [:], FaultKeys.pool),
            ("fail", definitions["fail"] ?? [:], FaultKeys.fail),
            ("delay", definitions["delay"] ?? [:], FaultKeys.delay),
            ("hang", definitions["hang"] ?? [:], FaultKeys.hang),
            ("frames", definitions["frames"] ?? [:], FaultKeys.frames),
        ]
        for (name, object, keys) in objects {
            let properties = try #require(object["properties"] as? [String: [String: Any]], "\(name)")
            #expect(properties.keys.sorted() == keys.sorted(), "\(name)")
            #expect(object["additionalProperties"] as? Bool == false, "\(name)")
            for (key, property) in properties {
                let reference = (property["$ref"] as? String)?.split(separator: "/").last.map(String.init)
                let referred = reference.flatMap { definitions[$0] }
                #expect(property["description"] ?? referred?["description"] != nil, "\(name).\(key)")
            }
        }
    }

    @Test("The parser and the schema agree on actions and targets")
    func choices() throws {
        let definitions = try #require(try schema()["$defs"] as? [String: [String: Any]])
        let fault = try #require(definitions["fault"])
        let actions = (fault["oneOf"] as? [[String: Any]])?.compactMap { ($0["required"] as? [String])?.first }
        #expect(actions == FaultKeys.actions)
        let properties = fault["properties"] as? [String: [String: Any]]
        for key in ["kill", "freeze"] {
            #expect(properties?[key]?["enum"] as? [String] == ProcessFault.Target.allCases.map(\.rawValue))
        }
    }
}
