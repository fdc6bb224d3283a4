internal import TestSupport
internal import Testing

/// Every example of the tutorial, run as its reader runs it.
@Suite("Examples of the tutorial")
struct ExampleTests {
    private let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    @Test("cohort-tutorial", arguments: TutorialFiles.names(in: "expected", ".txt"))
    func printsWhatIsExpected(_ name: String) throws {
        try TutorialFiles.expect("workers/tutorial/expected/\(name).txt") {
            let finished = try sandbox.start(["cohort-tutorial", name], input: []).wait()
            #expect(finished.code == 0, "\(finished)")
            return finished.standardOutput
        }
        sandbox.expectNothingSurvives()
        sandbox.expectNoSockets()
    }

    @Test func everyExampleIsTested() throws {
        let finished = try sandbox.start(["cohort-tutorial", "--list"], input: []).wait()
        #expect(Set(finished.lines) == Set(TutorialFiles.names(in: "expected", ".txt")))
    }

    @Test func anUnknownExampleIsRefused() throws {
        let finished = try sandbox.start(["cohort-tutorial", "four-tasks"], input: []).wait()
        #expect(finished.code == 2)
        #expect(finished.standardError == "usage: cohort-tutorial NAME, or cohort-tutorial --list for the names\n")
    }
}
