internal import Foundation
internal import Testing

/// The whole corpus, on real processes.
@Suite(.serialized) struct CorpusTests {
    /// Far more than it takes; a runner that hangs is killed then.
    private static let limit = Duration.seconds(240)

    private static let corpus = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Conformance")

    /// `scenarios` is what any implementation of the semantics must pass; `processes` is about what only processes have.
    @Test(arguments: ["scenarios", "processes"])
    func everyScenarioEndsAsExpected(folder: String) async throws {
        let path = Self.corpus.appending(path: folder).path
        let count = try FileManager.default.contentsOfDirectory(atPath: path).count { $0.hasSuffix(".json") }
        // Stretched and repeated, because a machine that stands still for a second fails a scenario by itself.
        let (status, output) = try await Self.run(["--check", "--scale", "1.5", "--attempts", "3", path])
        let lines = output.split(separator: "\n")
        let failures = lines.dropLast().filter { !$0.contains(": passed") }.joined(separator: "\n")
        #expect(failures.isEmpty)
        #expect(lines.last?.hasPrefix("\(count) scenarios: \(count) passed") == true)
        #expect(status == 0)
    }

    @Test func aScenarioThatCannotBeRunIsNoSuccess() async throws {
        let (status, output) = try await Self.run(["--check", #filePath])
        #expect(output.contains("CorpusTests.swift: not run: not JSON at line 1, column 1"))
        #expect(status == 2)
    }

    @Test func aPathThatLeadsNowhereIsNoSuccess() async throws {
        let (status, output) = try await Self.run(["--check", Self.corpus.appending(path: "absent").path])
        #expect(output.isEmpty)
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
