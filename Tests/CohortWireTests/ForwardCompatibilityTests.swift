internal import CohortCore
internal import SwiftProtobuf
internal import Testing

@testable internal import CohortWire

/// What a later minor change of the protocol may do without harm.
@Suite struct ForwardCompatibilityTests {
    /// Field 199 as a varint, field 198 as four bytes and field 197 as text.
    private static let unknownFields: [UInt8] =
        [0xb8, 0x0c, 0x2a] + [0xb5, 0x0c, 1, 2, 3, 4] + [0xaa, 0x0c, 0x02, 0x68, 0x69]

    @Test(arguments: VectorTopic.all.flatMap(\.vectors)) func unknownFieldsOfAFrameAreIgnored(_ vector: Vector) throws {
        var frames = FrameCodec.encode(vector.header, vector.body)
        frames[0] += Self.unknownFields
        let (header, body) = try FrameCodec.decode(frames)
        #expect(header == vector.header)
        #expect(body == vector.body)
    }

    @Test func unknownFieldsOfABodyAreIgnored() throws {
        let body: [UInt8] = [0x0a, 0x03] + Array("bye".utf8) + Self.unknownFields
        let frame: [UInt8] = [0x08, 0x01, 0x7a, UInt8(body.count)] + body
        #expect(try FrameCodec.decode([frame]).1 == .goodbye("bye"))
    }

    @Test func unknownFlagsAreIgnored() throws {
        var frame = PBFrame()
        frame.version = FrameCodec.version
        frame.report.finishedTask = [1]
        frame.report.finishedAttempt = [1]
        frame.report.finishedStatus = [0]
        frame.report.finishedFlags = [.max - 1]
        frame.report.finishedElapsed = [0]
        frame.report.finishedValueLength = [0]
        frame.report.finishedDetail = [0]
        let (_, body) = try FrameCodec.decode([try frame.serializedBytes()])
        var report = WorkerReport()
        report.finished = [
            FinishedAttempt(ref: AttemptRef(task: TaskKey(raw: 1), attempt: 1), status: .ok, started: false)
        ]
        #expect(body == .report(report))
    }

    @Test func columnsNeedNotBePacked() throws {
        // forget { template: 5  template: 6 }, one field each.
        let frame: [UInt8] = [0x08, 0x01, 0xfa, 0x03, 0x04, 0x08, 0x05, 0x08, 0x06]
        #expect(try FrameCodec.decode([frame]).1 == .forget([TemplateID(5), TemplateID(6)]))
    }

    @Test func lastOfTwoBodiesCounts() throws {
        let goodbye = FrameCodec.encode(.at(1), .goodbye("bye"))[0]
        let draining = FrameCodec.encode(.at(2), .draining)[0]
        let (header, body) = try FrameCodec.decode([goodbye + draining])
        #expect(header.sequence == 2)
        #expect(body == .draining)
    }
}
