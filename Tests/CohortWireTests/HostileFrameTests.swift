internal import CohortCore
internal import CohortFuzzKit
internal import Testing

@testable internal import CohortWire

/// Whatever arrives, decoding gives an error or a message that can be sent on.
@Suite struct HostileFrameTests {
    private static let vectors = VectorTopic.all.flatMap(\.vectors)

    /// - Returns: whether the frames were a message.
    @discardableResult
    private func check(_ frames: [[UInt8]], _ comment: @autoclosure () -> String) -> Bool {
        let decoded: (FrameHeader, FrameBody)
        do {
            decoded = try FrameCodec.decode(frames)
        } catch {
            if error.description.isEmpty { Issue.record("an error without a text: \(comment())") }
            return false
        }
        let again = try? FrameCodec.decode(FrameCodec.encode(decoded.0, decoded.1))
        if again?.0 != decoded.0 || again?.1 != decoded.1 {
            Issue.record("the message does not survive being sent on: \(comment())")
        }
        return true
    }

    @Test(arguments: vectors) func everyTruncationOfFrameZeroIsHarmless(_ vector: Vector) {
        let frames = FrameCodec.encode(vector.header, vector.body)
        for length in 0..<frames[0].count {
            check([Array(frames[0].prefix(length))] + frames.dropFirst(), "\(vector.name), \(length) bytes")
        }
    }

    @Test(arguments: vectors.filter { FrameCodec.encode($0.header, $0.body).count == 2 })
    func everyTruncationOfThePayloadIsMalformed(_ vector: Vector) {
        let frames = FrameCodec.encode(vector.header, vector.body)
        for length in 0..<frames[1].count {
            let error = #expect(throws: FrameError.self) {
                try FrameCodec.decode([frames[0], Array(frames[1].prefix(length))])
            }
            #expect(error?.code == .malformed)
        }
        let missing = #expect(throws: FrameError.self) { try FrameCodec.decode([frames[0]]) }
        #expect(missing?.code == .malformed)
    }

    /// In parts, so that they can run at the same time.
    @Test(arguments: 0..<8) func mutationsAreHarmless(_ part: Int) {
        var accepted = 0
        for number in 0..<1_000 {
            let seed = UInt64(part * 1_000 + number)
            var random = RandomMessages(seed: seed)
            var frames = FrameCodec.encode(random.header(), random.body())
            for _ in 0..<Int.random(in: 1...3, using: &random.generator) {
                let frame = Int.random(in: frames.indices, using: &random.generator)
                frames[frame].mutate(using: &random.generator)
            }
            if check(frames, "seed \(seed)") { accepted += 1 }
        }
        // Else the mutations would be too coarse to reach what lies behind the first check.
        #expect((100..<900).contains(accepted), "\(accepted) of 1000 mutated messages were accepted")
    }

    @Test func randomBytesAreHarmless() {
        for seed: UInt64 in 0..<2_000 {
            var random = RandomMessages(seed: seed)
            let frames = random.list(atMost: 3) { $0.bytes(atMost: 64) }
            check(frames, "seed \(seed)")
        }
    }
}

extension [UInt8] {
    /// One small damage: a bit, a byte, a piece left out, doubled, or moved.
    mutating func mutate(using generator: inout SplitMix64) {
        guard !isEmpty else {
            append(.random(in: .min ... .max, using: &generator))
            return
        }
        let place = Int.random(in: indices, using: &generator)
        let length = Swift.min(Int.random(in: 1...8, using: &generator), count - place)
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: self[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: self[place] = .random(in: .min ... .max, using: &generator)
        case 2: insert(.random(in: .min ... .max, using: &generator), at: place)
        case 3: removeSubrange(place..<place + length)
        case 4: insert(contentsOf: self[place..<place + length], at: Int.random(in: 0...count, using: &generator))
        default: self[place] &+= UInt8.random(in: 1...3, using: &generator)
        }
    }
}
