internal import Foundation
internal import Testing

@testable internal import CohortBatch

@Suite("The JSON Schema of batch files")
struct BatchSchemaTests {
    private func definitions() throws -> [String: [String: Any]] {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: root.appendingPathComponent("protocols/batch.schema.json"))
        let schema = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(schema["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        return try #require(schema["$defs"] as? [String: [String: Any]])
    }

    @Test("Every object has the keys that the parser knows, all described, and no others")
    func keys() throws {
        let definitions = try definitions()
        let retries = try #require((definitions["retries"]?["oneOf"] as? [[String: Any]])?.last)
        let objects: [(name: String, object: [String: Any], keys: [String])] = [
            ("group", definitions["group"] ?? [:], BatchKeys.group),
            ("task", definitions["task"] ?? [:], BatchKeys.task),
            ("retries", retries, BatchKeys.retries),
            ("forEachRange", definitions["forEachRange"] ?? [:], BatchKeys.forEachRange),
            ("forEachFile", definitions["forEachFile"] ?? [:], BatchKeys.forEachFile),
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

    @Test("The parser and the schema agree on what makes a group and on the policies")
    func choices() throws {
        let definitions = try definitions()
        let condition = definitions["item"]?["if"] as? [String: Any]
        let markers = (condition?["anyOf"] as? [[String: [String]]])?.compactMap { $0["required"]?.first }
        #expect(markers == BatchKeys.markersOfGroup)
        let properties = definitions["group"]?["properties"] as? [String: [String: Any]]
        #expect(properties?["on_error"]?["enum"] as? [String] == GroupPlan.FailurePolicy.allCases.map(\.rawValue))
    }
}
