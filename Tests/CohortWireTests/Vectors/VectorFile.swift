internal import FoundationEssentials
internal import Glibc

/// A file of `protocols/vectors` as it is read.
struct VectorFile: Codable {
    var vectors: [VectorEntry]
}

/// One vector as it stands in its file.
struct VectorEntry: Codable {
    var name: String
    var description: String
    /// The protobuf message that frame 0 holds, without its package.
    var type: String
    /// Each frame in hexadecimal.
    var frames: [String]
    /// Frame 0 in protobuf's JSON mapping, with the field names of the .proto file.
    var message: JSONValue
}

/// A file of messages that must be turned down.
struct InvalidVectorFile: Codable {
    var vectors: [InvalidVectorEntry]
}

struct InvalidVectorEntry: Codable, Equatable {
    /// Bytes that stand in a frame a number of times: frames that are too large would not fit a file otherwise.
    struct Piece: Codable, Equatable {
        var hex: String
        var times: Int

        var bytes: [UInt8] {
            get throws {
                let bytes = try [UInt8](hex: hex)
                guard bytes.count > 1 else { return [UInt8](repeating: bytes.first ?? 0, count: bytes.count * times) }
                return (0..<times).flatMap { _ in bytes }
            }
        }
    }

    var name: String
    var description: String
    /// Why it must be turned down; see the table of codes in SPEC.md.
    var error: String
    var frames: [[Piece]]

    var bytes: [[UInt8]] {
        get throws { try frames.map { try $0.reduce(into: []) { $0 += try $1.bytes } } }
    }
}

/// Where the vectors are, and whether to write them instead of comparing with them.
enum VectorDirectory {
    static let path = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "protocols/vectors")

    static let isWriting = getenv("COHORT_WRITE_VECTORS") != nil

    static func file(_ name: String) -> URL { path.appending(path: "\(name).json") }

    static func read<File: Decodable>(_ name: String, as type: File.Type = File.self) throws -> File {
        try JSONDecoder().decode(type, from: Data(contentsOf: file(name)))
    }

    static func write(_ name: String, _ content: JSONValue) throws {
        try Data((content.text() + "\n").utf8).write(to: file(name))
    }
}

/// Text that is no hexadecimal number of whole bytes.
struct HexError: Error {
    var text: String
}

extension [UInt8] {
    init(hex: String) throws {
        let digits = hex.utf8.map { UInt8(exactly: Character(UnicodeScalar($0)).hexDigitValue ?? -1) }
        guard digits.count.isMultiple(of: 2), !digits.contains(nil) else { throw HexError(text: hex) }
        self = stride(from: 0, to: digits.count, by: 2).map { digits[$0]! << 4 | digits[$0 + 1]! }
    }

    var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}

// Members in the order in which a reader wants them.

extension VectorEntry {
    var json: JSONValue {
        .object([
            .init(name: "name", value: .string(name)),
            .init(name: "description", value: .string(description)),
            .init(name: "type", value: .string(type)),
            .init(name: "frames", value: .array(frames.map(JSONValue.string))),
            .init(name: "message", value: message),
        ])
    }
}

extension InvalidVectorEntry {
    var json: JSONValue {
        let frames = frames.map { pieces in
            JSONValue.array(
                pieces.map { piece in
                    .object([
                        .init(name: "hex", value: .string(piece.hex)),
                        .init(name: "times", value: .number(Int64(piece.times))),
                    ])
                }
            )
        }
        return .object([
            .init(name: "name", value: .string(name)),
            .init(name: "description", value: .string(description)),
            .init(name: "error", value: .string(error)),
            .init(name: "frames", value: .array(frames)),
        ])
    }
}
