internal import Foundation
internal import Testing

/// One of the JSON Schemas in `protocols`.
struct SchemaFile {
    let root: [String: Any]
    let definitions: [String: [String: Any]]

    init(_ name: String) throws {
        let repository = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let data = try Data(contentsOf: repository.appendingPathComponent("protocols/\(name)"))
        root = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(root["$schema"] as? String == "https://json-schema.org/draft/2020-12/schema")
        definitions = try #require(root["$defs"] as? [String: [String: Any]])
    }

    /// Expects that an object has exactly these keys, all of them described.
    func expectKeys(
        _ keys: [String],
        of object: [String: Any],
        _ name: String,
        location: SourceLocation = #_sourceLocation
    ) throws {
        let properties = try #require(
            object["properties"] as? [String: [String: Any]],
            "\(name)",
            sourceLocation: location
        )
        #expect(properties.keys.sorted() == keys.sorted(), "\(name)", sourceLocation: location)
        #expect(object["additionalProperties"] as? Bool == false, "\(name)", sourceLocation: location)
        for (key, property) in properties {
            let reference = (property["$ref"] as? String)?.split(separator: "/").last.map(String.init)
            let referred = reference.flatMap { definitions[$0] }
            #expect(
                property["description"] ?? referred?["description"] != nil,
                "\(name).\(key)",
                sourceLocation: location
            )
        }
    }
}
