internal import FoundationEssentials
internal import SwiftProtobuf

extension JSONValue {
    /// `message` in protobuf's JSON mapping, with the field names of the .proto file.
    init(message: some Message) throws {
        var options = JSONEncodingOptions()
        options.preserveProtoFieldNames = true
        let text = try message.jsonString(options: options)
        self = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }
}
