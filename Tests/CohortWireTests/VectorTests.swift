internal import CohortCore
internal import SwiftProtobuf
internal import Testing

@testable internal import CohortWire

/// The files of `protocols/vectors` say the same as the messages built here, in both directions.
///
/// With `COHORT_WRITE_VECTORS=1` in the environment the files are written anew instead.
@Suite struct VectorTests {
    @Test(.enabled(if: VectorDirectory.isWriting))
    func writeFiles() throws {
        for topic in VectorTopic.all {
            try write(topic.name, try topic.vectors.map(Self.entry))
        }
        try write(CommandVector.topic, try CommandVector.all.map(Self.entry))
        try VectorDirectory.write(
            InvalidVector.topic,
            .object([.init(name: "vectors", value: .array(InvalidVector.all.map(\.entry.json)))])
        )
    }

    private func write(_ name: String, _ entries: [VectorEntry]) throws {
        try VectorDirectory.write(name, .object([.init(name: "vectors", value: .array(entries.map(\.json)))]))
    }

    @Test func coverEveryKindOfMessage() {
        let kinds = Set(VectorTopic.all.flatMap(\.vectors).map(\.body.kind))
        #expect(kinds == Set(BodyKind.allCases))
    }

    @Test(arguments: VectorTopic.all) func haveNamesOfTheirOwn(_ topic: VectorTopic) {
        #expect(Set(topic.vectors.map(\.name)).count == topic.vectors.count)
    }

    @Test(.disabled(if: VectorDirectory.isWriting), arguments: VectorTopic.all)
    func decodeToTheMessageAndEncodeToTheBytes(_ topic: VectorTopic) throws {
        let file: VectorFile = try VectorDirectory.read(topic.name)
        try #require(file.vectors.map(\.name) == topic.vectors.map(\.name))
        for (entry, vector) in zip(file.vectors, topic.vectors) {
            let frames = try entry.frames.map { try [UInt8](hex: $0) }
            let (header, body) = try FrameCodec.decode(frames)
            #expect(header == vector.header, "\(vector.name)")
            #expect(body == vector.body, "\(vector.name)")
            #expect(FrameCodec.encode(vector.header, vector.body).map(\.hex) == entry.frames, "\(vector.name)")
            #expect(entry.description == vector.description)
        }
    }

    @Test(.disabled(if: VectorDirectory.isWriting), arguments: VectorTopic.all)
    func sayTheSameInJSON(_ topic: VectorTopic) throws {
        let file: VectorFile = try VectorDirectory.read(topic.name)
        for entry in file.vectors {
            #expect(entry.type == "Frame")
            let frame = try PBFrame(jsonString: entry.message.text())
            let bytes: [UInt8] = try frame.serializedBytes()
            #expect(bytes.hex == entry.frames.first, "\(entry.name)")
        }
    }

    @Test(.disabled(if: VectorDirectory.isWriting))
    func commandsDecodeAndEncode() throws {
        let file: VectorFile = try VectorDirectory.read(CommandVector.topic)
        try #require(file.vectors.map(\.name) == CommandVector.all.map(\.name))
        for (entry, vector) in zip(file.vectors, CommandVector.all) {
            #expect(entry.type == vector.type)
            #expect([vector.bytes.hex] == entry.frames, "\(vector.name)")
            let bytes = try [UInt8](hex: entry.frames.joined())
            #expect(try vector.decode(bytes) == vector.content, "\(vector.name)")
            #expect(try Self.json(of: vector) == entry.message, "\(vector.name)")
        }
    }

    @Test(.disabled(if: VectorDirectory.isWriting))
    func invalidMessagesAreTheOnesOfTheFile() throws {
        let file: InvalidVectorFile = try VectorDirectory.read(InvalidVector.topic)
        #expect(file.vectors == InvalidVector.all.map(\.entry))
    }

    @Test(arguments: InvalidVector.all)
    func invalidMessagesAreTurnedDown(_ vector: InvalidVector) throws {
        let frames = try vector.entry.bytes
        let error = #expect(throws: FrameError.self) { try FrameCodec.decode(frames) }
        #expect(error?.code == vector.code)
        #expect(error?.description.isEmpty == false)
    }

    // MARK: Entries

    private static func entry(_ vector: Vector) throws -> VectorEntry {
        let frames = FrameCodec.encode(vector.header, vector.body)
        let frame = try PBFrame(serializedBytes: frames[0])
        return VectorEntry(
            name: vector.name,
            description: vector.description,
            type: "Frame",
            frames: frames.map(\.hex),
            message: try JSONValue(message: frame)
        )
    }

    private static func entry(_ vector: CommandVector) throws -> VectorEntry {
        VectorEntry(
            name: vector.name,
            description: vector.description,
            type: vector.type,
            frames: [vector.bytes.hex],
            message: try json(of: vector)
        )
    }

    private static func json(of vector: CommandVector) throws -> JSONValue {
        switch vector.content {
        case .payload: try JSONValue(message: PBCommandPayload(serializedBytes: vector.bytes))
        case .settings: try JSONValue(message: PBCommandSpec(serializedBytes: vector.bytes))
        }
    }
}
