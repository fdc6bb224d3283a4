internal import Cohort
internal import Glibc
internal import Testing

/// Programs that functions have started and lost sight of, with a real coordinator and worker processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LeftoverTests {
    private struct Departure: Codable, Sendable {
        var file: String
        var isOrphan: Bool
        var dies: Bool
    }

    private static let leave = RemoteFunction<Departure, Bool>("fixture.leave")

    /// Runs the function to its end in a group; returns the process of the program that it has started.
    private func run(_ departure: Departure, in files: TestDirectory, _ pool: Pool) async throws -> Int32 {
        let options = GroupOptions(policy: .continue, grace: .zero)
        _ = try? await pool.withGroup("leaving", options) { group in
            let task = try group.spawn(Self.leave, departure)
            _ = try await files.pid("program")
            if !departure.dies { _ = await task.cancel(reason: "enough") }
            let outcome = await task.end.outcome
            #expect(outcome == (departure.dies ? .lost : .cancelled))
        }
        return try await files.pid("program")
    }

    @Test(arguments: [(true, true), (true, false), (false, true), (false, false)])
    func `nothing that a call has started is there when its group is closed`(isOrphan: Bool, dies: Bool) async throws {
        let files = TestDirectory()
        try await TestCluster.run { cluster in
            let departure = Departure(file: files.path("program"), isOrphan: isOrphan, dies: dies)
            let program = try await run(departure, in: files, cluster.pool)
            #expect(hasEnded(program))
        }
    }

    /// A command's own orphans are not to be told from a call's by the time alone.
    @Test func `nor if a command runs beside it, which keeps what is its own`() async throws {
        let (files, others) = (TestDirectory(), TestDirectory())
        try await TestCluster.run(slots: 2) { cluster in
            _ = try await cluster.pool.withGroup("beside") { beside in
                let file = others.path("kept")
                let line = "(setsid sleep 1000 & echo $! > \(file).new; mv \(file).new \(file)); sleep 1000"
                let command = try beside.run(.shell(line))
                let kept = try await others.pid("kept")
                let departure = Departure(file: files.path("program"), isOrphan: true, dies: true)
                let program = try await run(departure, in: files, cluster.pool)
                #expect(hasEnded(program))
                #expect(!hasEnded(kept))
                _ = await command.cancel(reason: "enough")
                _ = await command.end
                #expect(hasEnded(kept))
            }
        }
    }
}
