internal import CohortCore
package import CohortWire
internal import FoundationEssentials

/// Messages without end for whoever listens at a port: random bytes, and messages of the protocol with something changed.
package struct FloodMessages {
    private var mutator: Mutator
    private var random: SplitMix64
    /// Of the last mutated input, still to be sent.
    private var waiting: [[[UInt8]]] = []

    /// - Parameter root: the directory `Tests/Fuzz/corpus`.
    package init(root: String, seed: UInt64) throws {
        let directory = "\(root)/\(FrameTarget.name)"
        let corpus = try FileManager.default.contentsOfDirectory(atPath: directory).sorted().map { name in
            Array(try Data(contentsOf: URL(filePath: "\(directory)/\(name)")))
        }
        mutator = Mutator(FrameTarget(), corpus: corpus, seed: seed)
        random = SplitMix64(seed: seed)
    }

    /// The next message; never without frames.
    package mutating func next() -> [[UInt8]] {
        if random.below(4) == 0 {
            return (0...random.below(3)).map { _ in (0..<random.below(300)).map { _ in random.byte() } }
        }
        while waiting.isEmpty {
            waiting = FrameInput(mutator.next()).messages.map(\.frames).filter { !$0.isEmpty }
        }
        return waiting.removeLast()
    }

    /// The next message, as one of a session wherever it can be read.
    ///
    /// - Parameter isHarmless: what is not is left out.
    package mutating func next(
        epoch: UInt64,
        session: UInt64,
        sequence: inout UInt64,
        isHarmless: (FrameBody) -> Bool
    ) -> [[UInt8]] {
        while true {
            let frames = next()
            guard let body = try? FrameCodec.decode(frames).1 else { return frames }
            guard isHarmless(body) else { continue }
            if body.isNumbered { sequence += 1 }
            let header = FrameHeader(
                epoch: epoch,
                session: session,
                sequence: body.isNumbered ? sequence : 0,
                acknowledge: 0
            )
            return FrameCodec.encode(header, body)
        }
    }
}
