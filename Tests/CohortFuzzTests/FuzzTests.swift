internal import CohortFuzzKit
internal import FoundationEssentials
internal import Testing

/// What others write is taken in by three readers; none traps, hangs, or keeps what it has read, whatever it is.
///
/// `.ci/fuzz` does the same for longer, guided by coverage.
@Suite("Fuzzing", .serialized, .timeLimit(.minutes(5)))
struct FuzzTests {
    /// `Tests/Fuzz/corpus`, from where this file is.
    private static let corpus =
        #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fuzz/corpus"

    @Test("The corpus and mutations of it", arguments: FuzzTargets.all.map { $0.name })
    func target(name: String) throws {
        let type = try #require(FuzzTargets.named(name))
        let seed: UInt64 = 20_261_121
        let result = try FuzzRun(type, root: Self.corpus, seed: seed).run(time: .seconds(4), inputs: 20_000)
        #expect(result.inputs > 20)
        #expect(result.growth < 64 << 20, "\(result)")
        #expect(result.slowest < .seconds(5), "\(result)")
        print("fuzz \(name): \(result.inputs) inputs, slowest \(result.slowest), growth \(result.growth / 1_024) KiB")
    }

    @Test("A seed gives the same inputs again")
    func replay() throws {
        let corpus: [[UInt8]] = [Array("tasks: [{run: a}]".utf8), [1, 2, 3], []]
        for type in FuzzTargets.all {
            var (one, two) = (
                Mutator(type.init(), corpus: corpus, seed: 5), Mutator(type.init(), corpus: corpus, seed: 5)
            )
            for _ in 0..<200 { #expect(one.next() == two.next()) }
        }
    }

    @Test("Any bytes are messages, and messages are bytes")
    func frameInputs() {
        let input = FrameInput([1, 2, 2, 0, 7, 8, 1, 0, 9, 6, 0, 3])
        #expect(input.messages.map(\.route) == [1, 2])
        #expect(input.messages.map(\.frames) == [[[7, 8], [9]], []])
        #expect(FrameInput(input.bytes).bytes == input.bytes)
    }
}
