internal import CohortCore
internal import Testing

@testable internal import CohortWire

@Suite struct RoundTripTests {
    @Test(arguments: BodyKind.allCases) func everyMessageArrivesAsItWasSent(_ kind: BodyKind) throws {
        for seed: UInt64 in 0..<60 {
            var random = RandomMessages(seed: seed)
            let (header, body) = (random.header(), random.body(kind))
            let frames = FrameCodec.encode(header, body)
            let (decodedHeader, decodedBody) = try FrameCodec.decode(frames)
            #expect(decodedHeader == header, "seed \(seed)")
            #expect(decodedBody == body, "seed \(seed)")
        }
    }

    @Test(arguments: BodyKind.allCases) func sameMessageGivesSameBytes(_ kind: BodyKind) {
        for seed: UInt64 in 0..<10 {
            var (first, second) = (RandomMessages(seed: seed), RandomMessages(seed: seed))
            let bytes = FrameCodec.encode(first.header(), first.body(kind))
            #expect(FrameCodec.encode(second.header(), second.body(kind)) == bytes)
        }
    }

    @Test func payloadFrameStandsBehindMessagesWithPayloadOnly() {
        let run = TaskRun(template: 0, lengths: [3])
        let submission = TaskSubmission(group: GroupKey(1), first: 0, runs: [run], payload: [1, 2, 3])
        #expect(FrameCodec.encode(FrameHeader(), .submit(submission)).dropFirst() == [[1, 2, 3]])
        let empty = TaskSubmission(group: GroupKey(1), first: 0, runs: [])
        #expect(FrameCodec.encode(FrameHeader(), .submit(empty)).count == 1)
    }

    /// A sender that cannot leave an empty frame out may send one.
    @Test func emptyPayloadFrameMeansNone() throws {
        let frames = FrameCodec.encode(.at(1), .draining)
        #expect(try FrameCodec.decode(frames + [[]]).1 == .draining)
    }

    @Test func thousandTasksTravelInOneMessage() throws {
        var batch = AssignBatch()
        batch.tasks = (0..<1_000).map {
            Assignment(
                ref: AttemptRef(task: TaskKey(index: $0, generation: 1), attempt: 1),
                template: TemplateID(1),
                index: $0,
                payloadLength: 2
            )
        }
        batch.payload = [UInt8](repeating: 7, count: 2_000)
        let frames = FrameCodec.encode(.at(1), .assign(batch))
        #expect(try FrameCodec.decode(frames).1 == .assign(batch))
        // 8 bytes of key, 1 of attempt, template and length each, and up to 2 of index.
        #expect(frames[0].count < 1_000 * 13 + 50)
    }

    @Test func numbersOutsideTheSessionsOrderAreZeroByKind() {
        let unnumbered: Set<BodyKind> = [.hello, .welcome, .refused, .heartbeat, .resend, .obituary]
        for kind in BodyKind.allCases {
            var random = RandomMessages(seed: 1)
            #expect(random.body(kind).isNumbered == !unnumbered.contains(kind), "\(kind)")
        }
    }
}
