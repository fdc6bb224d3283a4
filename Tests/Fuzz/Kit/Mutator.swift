/// Makes inputs of those in a corpus: some steps each, that know the target's form or nothing but bytes.
package struct Mutator {
    /// Inputs grow no further.
    private static let bytesMax = 32 << 10
    private static let stepsMax = 6
    private static let oddBytes: [UInt8] = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x22]

    private let target: any FuzzTarget
    private let words: [[UInt8]]
    private let corpus: [[UInt8]]
    private var random: SplitMix64

    package init(_ target: any FuzzTarget, corpus: [[UInt8]], seed: UInt64) {
        self.target = target
        words = type(of: target).words
        self.corpus = corpus.isEmpty ? [[]] : corpus
        random = SplitMix64(seed: seed)
    }

    package mutating func next() -> [UInt8] {
        var input = corpus[random.below(corpus.count)]
        for _ in 0...random.below(Self.stepsMax) {
            let other = corpus[random.below(corpus.count)]
            if random.below(2) == 0, let changed = target.mutate(input, with: other, &random) {
                input = changed
            } else {
                step(&input, other)
            }
        }
        return Array(input.prefix(Self.bytesMax))
    }

    private mutating func step(_ input: inout [UInt8], _ other: [UInt8]) {
        let place = random.below(input.count + 1)
        let length = min(input.count - place, 1 + random.below(random.below(4) == 0 ? 256 : 8))
        switch random.below(8) {
        case 0 where place < input.count: input[place] ^= 1 << UInt8(random.below(8))
        case 1 where place < input.count: input[place] = Self.oddBytes[random.below(Self.oddBytes.count)]
        case 2: input.removeSubrange(place..<place + length)
        case 3: input.insert(contentsOf: input[place..<place + length], at: random.below(input.count + 1))
        case 4 where !words.isEmpty: input.insert(contentsOf: words[random.below(words.count)], at: place)
        case 5:
            let start = random.below(other.count + 1)
            let piece = other[start..<min(other.count, start + 1 + random.below(512))]
            input.replaceSubrange(place..<place + length, with: piece)
        case 6: input.removeSubrange(place...)
        default: input.insert(contentsOf: (0...random.below(8)).map { _ in random.byte() }, at: place)
        }
    }
}
