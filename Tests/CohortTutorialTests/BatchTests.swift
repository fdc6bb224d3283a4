internal import Cohort
internal import TestSupport
internal import Testing

/// Every batch file of the tutorial, run by `cohort run`.
///
/// What is expected of NAME.yaml stands in NAME.txt beside it: the exit status, then the outcome document without times,
/// numbers and places.
@Suite("Batch files of the tutorial")
struct BatchTests {
    @Test("cohort run", arguments: TutorialFiles.names(in: "batch", ".yaml"))
    func endsAsExpected(_ name: String) throws {
        let file = "\(TutorialFiles.tutorial)/batch/\(name).yaml"
        try TutorialFiles.expect("workers/tutorial/batch/\(name).txt") {
            // What a batch leaves behind is no part of the next.
            let sandbox = try Sandbox()
            let finished = try sandbox.cohort("run", "-j", "4", "--output", "json", file)
            let document = try OutcomeDocument(jsonText: finished.standardOutput)
            let status = finished.code.map { "status \($0)\n" } ?? "\(finished.status)\n"
            sandbox.expectNothingSurvives()
            sandbox.expectNoSockets()
            return status + Self.summary(of: document)
        }
    }

    @Test func everyExpectationIsOfABatch() {
        #expect(TutorialFiles.names(in: "batch", ".txt") == TutorialFiles.names(in: "batch", ".yaml"))
    }

    private static func summary(of document: OutcomeDocument, indent: String = "") -> String {
        var text = "\(indent)\(document.group): \(document.outcome?.rawValue ?? "running")"
        if document.timedOut { text += ", timed out" }
        if document.cancelled { text += ", cancelled" }
        text += "\n"
        for task in document.tasks {
            text += "\(indent)  \(task.name): \(task.outcome.rawValue)"
            for leaf in task.error?.leaves ?? [] { text += ", \(leaf.type.rawValue): \(leaf.message)" }
            if task.attempts > 1 { text += ", \(task.attempts) attempts" }
            if case .object? = task.value { text += ", \(task.value?.text(.line) ?? "")" }
            text += "\n"
            for line in task.stdout.split(separator: "\n") { text += "\(indent)    \(line)\n" }
        }
        for group in document.groups { text += summary(of: group, indent: indent + "  ") }
        return text
    }
}
