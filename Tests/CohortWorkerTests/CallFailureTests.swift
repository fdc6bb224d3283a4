internal import Testing

@testable internal import CohortWorker

@Suite struct CallFailureTests {
    enum Outer {
        struct Inner: Error {}
    }

    struct Talkative: Error, CustomStringConvertible, CustomDebugStringConvertible {
        let description = "short"
        let debugDescription = "long"
    }

    private struct Hidden: Error {}

    @Test func nestedTypesLoseTheirModule() {
        #expect(CallFailure(describing: Outer.Inner()).type == "CallFailureTests.Outer.Inner")
    }

    @Test func privateTypesHaveAName() {
        #expect(CallFailure(describing: Hidden()).type == "CallFailureTests.Hidden")
    }

    @Test func traceIsWhatADebuggerShows() {
        let failure = CallFailure(describing: Talkative())
        #expect(failure == CallFailure(type: "CallFailureTests.Talkative", message: "short", trace: "long"))
    }

    @Test func longTextsAreCutAtACharacter() {
        let failure = CallFailure(
            type: String(repeating: "é", count: 1_000),
            message: "a" + String(repeating: "é", count: 20_000),
            trace: String(repeating: "x", count: CallFailure.maximumTextBytes)
        )
        #expect(failure.type.utf8.count <= 256 && failure.type.utf8.count >= 253)
        #expect(failure.type.hasSuffix("é…"))
        #expect(failure.message.utf8.count <= 16 << 10 && failure.message.hasSuffix("é…"))
        #expect(failure.trace.utf8.count == 16 << 10)
    }

    @Test func aTreeThatIsTooLargeIsLeftOutAndSaidSo() {
        let tree = [UInt8](repeating: 0x20, count: CallFailure.maximumTreeBytes + 1)
        let failure = CallFailure(type: "T", message: String(repeating: "x", count: 20_000), tree: tree)
        #expect(failure.tree.isEmpty)
        #expect(failure.message.utf8.count <= 16 << 10 && failure.message.contains("is left out"))
        #expect(CallFailure(type: "T", message: "m", tree: tree.dropLast()).tree.count == 1 << 20)
    }

    @Test func encodingKeepsEveryPart() {
        for failure in [
            CallFailure(type: "T", message: "mé", trace: ""),
            CallFailure(type: "T", message: "m", trace: "trace", tree: [1, 2, 3]),
        ] {
            failure.encoded().withUnsafeBytes { #expect(CallFailure(encoded: $0) == failure) }
            for count in 0..<12 {
                failure.encoded().prefix(count).withUnsafeBytes { #expect(CallFailure(encoded: $0) == nil) }
            }
        }
        let contradictory: [UInt8] = [255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0, 65]
        contradictory.withUnsafeBytes { #expect(CallFailure(encoded: $0) == nil) }
    }
}
