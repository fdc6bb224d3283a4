internal import Cohort
internal import CohortCoordinator
internal import CohortRuntime
internal import Glibc
internal import Logging
internal import Synchronization

/// A coordinator in this process, and a worker in processes of its own that run this same program.
final class OwnPool: Sendable {
    /// How long the coordinator may take to learn of the worker's death, and then to end what is open.
    private static let patience = Duration.seconds(3)
    private static let recheckInterval = Duration.milliseconds(20)

    private let processes: PrivatePool
    private let coordinator: Coordinator
    /// Something is in it when the pool is about to end.
    private let ending: Mailbox<Void>
    private let watcherEnded = Semaphore()
    private let state = Mutex(State())

    private struct State {
        var isWatched = false
        var isCoordinatorStopped = false
    }

    var endpoint: String { processes.endpoint }

    init(slots: Int) throws {
        ending = try Mailbox()
        let processes = try PrivatePool(executable: Self.executable) { endpoint in
            let membership = PoolMembership(endpoint: endpoint, slots: slots)
            return [
                PrivatePool.Member(
                    arguments: CommandLine.arguments,
                    variables: [(PoolMembership.variable, membership.value)]
                )
            ]
        }
        self.processes = processes
        do {
            let log = Logger(label: "cohort") { _ in SwiftLogNoOpLogHandler() }
            coordinator = try Coordinator(CoordinatorConfiguration(endpoints: [processes.endpoint]), log: log) { _ in }
        } catch {
            processes.stop()
            throw error
        }
    }

    /// Sees to it that nobody waits for ever should the worker die: what is open is cancelled then, and nothing can be
    /// opened any more.
    func watch(_ pool: Pool) throws {
        let deaths = processes.deathDescriptors
        try PosixThread.start(named: "pool-watch") { [self] in
            let ready = Descriptors.wait(for: deaths + [ending.descriptor])
            if ready.contains(where: deaths.contains) { Task { await self.workerDied(pool) } }
            watcherEnded.post()
        }
        state.withLock { $0.isWatched = true }
    }

    private func workerDied(_ pool: Pool) async {
        let start = ContinuousClock.now
        // First the coordinator tells what ran as lost; a cancel that overtook that would hide how those tasks ended.
        while let workers = try? await pool.workers(), !workers.isEmpty, ContinuousClock.now - start < Self.patience {
            guard (try? await Task.sleep(for: Self.recheckInterval)) != nil else { break }
        }
        coordinator.drain()
        // What no cancel reaches, shielded tasks above all, would wait for a worker for ever.
        try? await Task.sleep(for: Self.patience)
        stopCoordinator("the pool's worker has died")
    }

    private func stopCoordinator(_ reason: String) {
        let isFirst = state.withLock { state in
            defer { state.isCoordinatorStopped = true }
            return !state.isCoordinatorStopped
        }
        if isFirst { coordinator.stop(reason: reason) }
    }

    /// Ends everything, and returns when it is gone and the directory is removed.
    func stop() async {
        await withCheckedContinuation { continuation in
            let end: @Sendable () -> Void = { [self] in
                ending.put(())
                if state.withLock({ $0.isWatched }) { watcherEnded.wait() }
                stopCoordinator("the pool is closed")
                processes.stop()
                continuation.resume()
            }
            // It waits for processes, which the threads that Swift tasks share must not.
            do {
                try PosixThread.start(named: "pool-stop", end)
            } catch {
                end()
            }
        }
    }

    /// This program, by its path if that still leads to it: it names the processes in listings.
    private static var executable: String {
        let path = Host.executable
        return access(path, X_OK) == 0 ? path : "/proc/self/exe"
    }
}
