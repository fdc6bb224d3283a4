internal import TestSupport
internal import Testing

extension CommandLineTests {
    /// The harnesses that kill real processes, at a length for every day.
    @Suite("Harnesses", .timeLimit(.minutes(10)))
    struct HarnessTests {
        private func harness(_ arguments: String...) throws -> Finished {
            let sandbox = try Sandbox()
            let program = Sandbox.programs + "/cohort-harness"
            return try sandbox.start([program] + arguments, input: []).wait(limit: .seconds(300))
        }

        @Test("Nothing survives the kill of any part of a cluster")
        func survivors() throws {
            let finished = try harness("survivors", "--kills", "12", "--lanes", "3", "--seed", "11")
            #expect(finished.code == 0, "\(finished)")
        }

        @Test("Who did not execute is not blamed, and nothing runs twice")
        func blame() throws {
            let finished = try harness("blame", "--innocents", "60", "--tasks", "400", "--kills", "6", "--seed", "11")
            #expect(finished.code == 0, "\(finished)")
        }

        @Test("Floods outside of the repository say what they want")
        func floodsElsewhere() throws {
            let finished = try harness("floods", "--corpus", "nowhere")
            #expect(finished.code != 0)
            let text = "no corpus at nowhere; run it in the repository's root"
            #expect(finished.standardError.contains(text), "\(finished)")
        }
    }
}
