internal import FoundationEssentials

/// Arguments and results as JSON.
enum ArgumentCoding {
    /// Decodes the arguments of a call. An empty payload stands for `null`: the call was given no arguments.
    static func decode<Input: Decodable>(_ type: Input.Type, from payload: [UInt8]) throws(CallFailure) -> Input {
        let json = payload.isEmpty ? Array("null".utf8) : payload
        do {
            return try JSONDecoder().decode(type, from: Data(json))
        } catch let error as DecodingError {
            let reason = payload.isEmpty ? "the call has none" : describe(error)
            throw CallFailure(type: "InvalidArguments", message: reason)
        } catch {
            throw CallFailure(type: "InvalidArguments", message: String(describing: error))
        }
    }

    static func encode(_ output: some Encodable) throws(CallFailure) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(output))
        } catch {
            throw CallFailure(type: "InvalidResult", message: String(describing: error))
        }
    }

    private static func describe(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, let context):
            "\(path(context.codingPath + [key])) is missing"
        case .valueNotFound(let type, let context):
            "\(path(context.codingPath)) is null, expected \(type)"
        case .typeMismatch(let type, let context):
            "\(path(context.codingPath)) is not \(type): \(context.debugDescription)"
        case .dataCorrupted(let context):
            "\(path(context.codingPath)): \(context.debugDescription)"
        @unknown default:
            String(describing: error)
        }
    }

    /// The place in the arguments, as `args.files[3].size`.
    private static func path(_ keys: [any CodingKey]) -> String {
        keys.reduce(into: "args") { path, key in
            if let index = key.intValue {
                path += "[\(index)]"
            } else {
                path += ".\(key.stringValue)"
            }
        }
    }
}
