internal import Cohort
internal import CohortCoordinator
internal import CohortCore
internal import Glibc
internal import Logging

@testable internal import CohortWorker

/// A coordinator in this process, a worker that runs the fixture's functions, and a client.
final class TestCluster: Sendable {
    private let processes: PrivatePool
    private let coordinator: Coordinator
    let pool: Pool

    private init(slots: Int) async throws {
        processes = try PrivatePool(executable: CallPoolHarness.fixture) { endpoint in
            [
                PrivatePool.Member(
                    arguments: [CallPoolHarness.fixture, "pool", "results"],
                    variables: [(PoolMembership.variable, PoolMembership(endpoint: endpoint, slots: slots).value)]
                )
            ]
        }
        let log = Logger(label: "coordinator") { _ in SwiftLogNoOpLogHandler() }
        var configuration = CoordinatorConfiguration(endpoints: [processes.endpoint])
        // No test here is about peers that are silent: a machine may stand still for longer than they may usually be.
        configuration.limits.lease = .seconds(60)
        configuration.limits.unreachable = .seconds(30)
        coordinator = try Coordinator(configuration, log: log) { _ in }
        pool = try await Pool.connect(to: processes.endpoint, patience: .seconds(30))
    }

    /// Runs `body` with a cluster, and sees to it that nothing is left of it.
    static func run(slots: Int = 1, _ body: (TestCluster) async throws -> Void) async throws {
        let cluster = try await TestCluster(slots: slots)
        do {
            try await body(cluster)
        } catch {
            await cluster.stop()
            throw error
        }
        await cluster.stop()
    }

    private func stop() async {
        await pool.close()
        coordinator.stop(reason: "the test is over")
        processes.stop()
    }
}
