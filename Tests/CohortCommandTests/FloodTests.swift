internal import TestSupport
internal import Testing

extension CommandLineTests {
    @Suite("Floods")
    struct FloodTests {
        /// `Tests/Fuzz/corpus`, from where this file is.
        private static let corpus =
            #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Fuzz/corpus"

        @Test("Random and mutated messages at every port harm nobody; cohort-harness floods sends more")
        func everyPort() throws {
            let sandbox = try Sandbox()
            let words = ["cohort-harness", "floods", "--frames", "2000", "--tasks", "30", "--corpus", Self.corpus]
            let finished = try sandbox.start(words, input: []).wait(limit: .seconds(600))
            #expect(finished.code == 0, "\(finished)")
            #expect(finished.lines.count(where: { $0.hasSuffix("no harm") }) == 5, "\(finished)")
        }
    }
}
