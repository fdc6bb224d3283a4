internal import CohortCore
internal import Testing

@Suite struct KeyRangesTests {
    @Test func numbersInARowAreOneRange() {
        var keys = KeyRanges()
        for key: UInt32 in 1...1_000 { keys.insert(key) }
        #expect(keys.ranges == [1...1_000])
        #expect(keys.contains(1) && keys.contains(1_000))
        #expect(!keys.contains(0) && !keys.contains(1_001))
    }

    @Test func theEndsOfTheNumbersAreNumbersToo() {
        var keys = KeyRanges()
        for key in [UInt32.max, 0, .max - 1, 1, .max] { keys.insert(key) }
        #expect(keys.ranges == [0...1, (.max - 1)...(.max)])
    }

    @Test(arguments: [UInt64](1...50))
    func theyAreASet(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var keys = KeyRanges()
        var set: Set<UInt32> = []
        for _ in 0..<200 {
            let key = UInt32.random(in: 0...120, using: &generator)
            keys.insert(key)
            set.insert(key)
        }
        #expect((0...121).allSatisfy { keys.contains($0) == set.contains($0) }, "seed \(seed)")
        let gaps = zip(keys.ranges, keys.ranges.dropFirst()).map { $1.lowerBound - $0.upperBound }
        #expect(gaps.allSatisfy { $0 > 1 }, "seed \(seed)")
    }
}
