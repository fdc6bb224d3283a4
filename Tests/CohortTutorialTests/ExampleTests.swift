internal import Cohort
internal import Glibc
internal import TestSupport
internal import Testing

/// Where the tutorial's examples and what they print are kept.
enum TutorialFiles {
    /// The root of the repository.
    static let repository: String = {
        var parts = #filePath.split(separator: "/")
        parts.removeLast(3)
        return "/" + parts.joined(separator: "/")
    }()
    static let tutorial = repository + "/workers/tutorial"

    /// The content of a file of the repository; `nil` if there is none.
    static func text(_ path: String) -> String? {
        ProcessScan.contents("\(repository)/\(path)").map { String(decoding: $0, as: UTF8.self) }
    }

    /// The names, without extension, of the files in a directory that have this extension.
    static func names(in directory: String, _ ending: String) -> [String] {
        ProcessScan.names(in: "\(tutorial)/\(directory)").filter { $0.hasSuffix(ending) }
            .map { String($0.dropLast(ending.count)) }
    }
}

/// Every example of the tutorial, run as its reader runs it.
@Suite("Examples of the tutorial", .serialized)
struct ExampleTests {
    private let sandbox: Sandbox

    init() throws { sandbox = try Sandbox() }

    @Test("cohort-tutorial", arguments: TutorialFiles.names(in: "expected", ".txt"))
    func printsWhatIsExpected(_ name: String) throws {
        let finished = try sandbox.start(["cohort-tutorial", name], input: []).wait()
        #expect(finished.standardOutput == TutorialFiles.text("workers/tutorial/expected/\(name).txt"))
        #expect(finished.code == 0, "\(finished)")
        sandbox.expectNothingSurvives()
        sandbox.expectNoSockets()
    }

    @Test func everyExampleIsTested() throws {
        let finished = try sandbox.start(["cohort-tutorial", "--list"], input: []).wait()
        #expect(finished.lines.sorted() == TutorialFiles.names(in: "expected", ".txt"))
    }

    @Test func anUnknownExampleIsRefused() throws {
        let finished = try sandbox.start(["cohort-tutorial", "four-tasks"], input: []).wait()
        #expect(finished.code == 2)
        #expect(finished.standardError == "usage: cohort-tutorial NAME, or cohort-tutorial --list for the names\n")
    }
}
