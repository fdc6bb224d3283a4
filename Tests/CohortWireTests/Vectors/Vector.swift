internal import Testing

@testable internal import CohortWire

/// A message of which the frames are laid down, byte by byte, in `protocols/vectors`.
struct Vector: Sendable, CustomTestStringConvertible {
    var name: String
    var description: String
    var header: FrameHeader
    var body: FrameBody

    init(_ name: String, _ description: String, _ header: FrameHeader, _ body: FrameBody) {
        self.name = name
        self.description = description
        self.header = header
        self.body = body
    }

    var testDescription: String { name }
}

/// The vectors of one file.
struct VectorTopic: Sendable, CustomTestStringConvertible {
    /// Name of the file, without its extension.
    var name: String
    var vectors: [Vector]

    var testDescription: String { name }

    static let all = [session, client, update, worker, nested]
}

extension FrameHeader {
    /// A header in the middle of a session, as most vectors have it.
    static func at(_ sequence: UInt64, acknowledging acknowledge: UInt64 = 0) -> FrameHeader {
        FrameHeader(epoch: 0x0102_0304_0506_0708, session: 7, sequence: sequence, acknowledge: acknowledge)
    }
}
