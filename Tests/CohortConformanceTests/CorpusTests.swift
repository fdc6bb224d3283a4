internal import Foundation
internal import Testing

/// The whole corpus, on real processes.
@Suite struct CorpusTests {
    /// Far more than it takes; a runner that hangs is killed then.
    private static let limit = Duration.seconds(240)

    @Test func everyScenarioEndsAsExpected() async throws {
        let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Conformance/scenarios")
        let count = try FileManager.default.contentsOfDirectory(atPath: folder.path).count { $0.hasSuffix(".json") }
        let (status, output) = try await Self.run(["--check", folder.path])
        let failures = output.split(separator: "\n").filter { !$0.hasSuffix(": passed") }.joined(separator: "\n")
        #expect(failures == "\(count) scenarios: \(count) passed, 0 failed")
        #expect(status == 0)
    }

    @Test func aScenarioThatCannotBeRunIsNoSuccess() async throws {
        let (status, output) = try await Self.run(["--check", #filePath])
        #expect(output.contains("CorpusTests.swift: not run: not JSON at line 1, column 1"))
        #expect(status == 2)
    }

    /// Runs `cohort-conformance`, which the build has put beside the program with the tests in it.
    private static func run(_ arguments: [String]) async throws -> (status: Int32, output: String) {
        let output = FileManager.default.temporaryDirectory.appending(path: "cohort-corpus-\(UUID().uuidString)")
        #expect(FileManager.default.createFile(atPath: output.path, contents: nil))
        defer { try? FileManager.default.removeItem(at: output) }
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appending(path: "cohort-conformance")
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: output)
        let ends = AsyncStream<Void> { feed in process.terminationHandler = { _ in feed.finish() } }
        try process.run()
        let clock = Task {
            try await Task.sleep(for: limit)
            kill(process.processIdentifier, SIGKILL)
        }
        for await _ in ends {}
        clock.cancel()
        return (process.terminationStatus, try String(contentsOf: output, encoding: .utf8))
    }
}
