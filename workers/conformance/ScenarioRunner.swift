internal import Cohort
internal import CohortWorker
internal import FoundationEssentials
internal import Glibc

/// Runs scenarios, each in a pool of its own with exactly the slots that it asks for.
struct ScenarioRunner: Sendable {
    /// A script that takes longer than this has failed, in seconds of the scenario.
    static let limit = 15.0

    let worker: Worker
    /// Factor by which all times are stretched.
    let scale: Double

    /// - Throws: ``ScenarioError``, ``RunError``, or what the library throws when there is no pool.
    func run(_ scenario: Scenario) async throws -> RunOutcome {
        let path = try Self.temporaryFile()
        defer { unlink(path) }
        let programs = Dictionary(uniqueKeysWithValues: scenario.programs.members.map { ($0.key, $0.value) })
        let settings = RunSettings(scale: scale, log: path, programs: programs)
        var outcome = try await worker.withPool(slots: scenario.slots) { pool in
            try await script(scenario.script, in: pool, settings)
        }
        try outcome.add(lines: Data(contentsOf: URL(filePath: path)))
        return outcome
    }

    /// Runs the root script, but for no longer than the limit.
    private func script(_ steps: [Step], in pool: Pool, _ settings: RunSettings) async throws -> RunOutcome {
        let log = try RunLog(path: settings.log)
        let (ends, feed) = AsyncStream.makeStream(of: Result<RunOutcome, any Error>.self)
        Task {
            let start = ContinuousClock.now
            do {
                let script = try await Self.outcome(of: Program(.client(pool), settings, log), steps)
                let seconds = (ContinuousClock.now - start) / .seconds(scale)
                feed.yield(.success(RunOutcome(script: script, took: (seconds * 100).rounded() / 100)))
            } catch {
                feed.yield(.failure(error))
            }
            log.close()
        }
        let clock = Task {
            try await Task.sleep(for: settings.time(Self.limit))
            feed.yield(.success(RunOutcome(script: Self.outcome("pending"), took: nil)))
        }
        defer { clock.cancel() }
        for await end in ends { return try end.get() }
        throw CancellationError()
    }

    private static func outcome(of program: Program, _ steps: [Step]) async throws -> JSONObject {
        do {
            let value = try await program.run(steps)
            var outcome = outcome("ok")
            if value != .null { outcome["value"] = value }
            return outcome
        } catch let failure as Failure {
            var outcome = outcome("error")
            outcome["error"] = failure.json(origin: "script")
            return outcome
        } catch is Interruption {
            return outcome("cancelled")
        }
    }

    private static func outcome(_ kind: String) -> JSONObject {
        JSONObject([JSONObject.Member(key: "kind", value: .string(kind))])
    }

    private static func temporaryFile() throws(RunError) -> String {
        let folder = ProcessInfo.processInfo.environment["TMPDIR"] ?? "/tmp"
        var path = Array("\(folder)/cohort-conformance-XXXXXX".utf8CString)
        let descriptor = mkstemp(&path)
        guard descriptor >= 0 else {
            throw RunError("cannot make a file in \(folder): \(String(cString: strerror(errno)))")
        }
        close(descriptor)
        return String(decoding: path.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
