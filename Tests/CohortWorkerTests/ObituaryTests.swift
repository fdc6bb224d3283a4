internal import CohortCore
internal import CohortProcess
internal import CohortWire
internal import Glibc
internal import Testing

/// What the supervisor of a worker program tells of its death.
@Suite(.timeLimit(.minutes(5)))
struct ObituaryTests {
    /// The coordinator may have taken the greeting and given it tasks.
    @Test func `a worker that dies before it has heard of a session is spoken for`() throws {
        let directory = TestDirectory()
        let endpoint = "ipc://\(directory.path("socket"))"
        let coordinator = try ScriptedCoordinator(at: endpoint)
        let supervisor = try Spawn.spawn(
            SpawnRequest(arguments: [CallPoolHarness.demoWorker, "--connect", endpoint, "--restarts", "0"])
        )
        defer {
            kill(supervisor.pid, SIGKILL)
            _ = Spawn.reap(supervisor.pid)
            close(supervisor.pidfd)
        }
        let greeting = try coordinator.await { body in
            if case .hello(let greeting) = body { greeting } else { nil }
        }
        guard case .worker(let offer) = greeting.role else {
            Issue.record("somebody else has come: \(greeting)")
            return
        }
        kill(Int32(offer.processID), SIGKILL)
        let (token, death) = try coordinator.await { body in
            if case .obituary(_, let token, let death) = body { (token, death) } else { nil }
        }
        #expect(token == greeting.token)
        #expect(death.signal == SIGKILL)
        // Nothing had begun, and that is certain.
        #expect(death.begun == [])
    }
}
