internal import CohortCore

/// A connection to a coordinator, whose workers run the tasks of the groups that are opened through it.
///
///     let pool = try await Pool.connect()
///     let total = try await pool.withGroup("nightly") { group in
///         let parts = try files.map { try group.spawn(score, $0) }
///         return try await gather(parts).reduce(0, +)
///     }
///
/// A pool that nobody holds any more is closed.
public final class Pool: Sendable {
    let session: GroupSession

    package init(_ session: GroupSession) {
        self.session = session
    }

    deinit { session.abandon() }

    /// Connects to a coordinator.
    ///
    /// - Parameters:
    ///   - endpoint: where it listens.
    ///   - name: what it calls this client; `nil` for the program's name and process id.
    ///   - security: the keys to show to a coordinator that wants some.
    ///   - patience: how long to wait for its answer.
    /// - Throws: ``PoolError`` of the kind `unreachable`, `refused` or `unusableKeys`.
    public static func connect(
        to endpoint: String = "tcp://127.0.0.1:7077",
        name: String? = nil,
        security: Security = .environment,
        patience: Duration = .seconds(5)
    ) async throws(PoolError) -> Pool {
        let keys = try security.keys(for: endpoint)
        return Pool(try await GroupSession(endpoint: endpoint, name: name, keys: keys, patience: patience))
    }

    /// Connects, runs the body, and closes the connection again.
    public static func withConnection<R>(
        to endpoint: String = "tcp://127.0.0.1:7077",
        name: String? = nil,
        security: Security = .environment,
        patience: Duration = .seconds(5),
        _ body: (Pool) async throws -> R
    ) async throws -> R {
        let pool = try await connect(to: endpoint, name: name, security: security, patience: patience)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }

    /// Opens a group, runs the body, and waits until everything in the group has ended.
    ///
    /// The body runs in a task below the calling one. It is cancelled when the group stops, and the group stops when it
    /// ends with an error. A cancellation of the calling task cancels the group; this returns when all of it has ended
    /// even so.
    ///
    /// Called in the body of another group it opens one beside that, which knows of the other's deadline and stop only through
    /// the cancellation of the body: ``Group/withGroup(_:_:_:)`` opens one inside.
    ///
    /// - Returns: what the body has returned, if the group has ended well.
    public func withGroup<R: Sendable>(
        _ name: String,
        _ options: GroupOptions = GroupOptions(),
        _ body: @escaping @Sendable (Group) async throws -> R
    ) async throws(GroupError) -> R {
        try await session.withGroup(name, options, body)
    }

    /// Ends the connection. The coordinator cancels what is open, and whatever waits for it here ends as lost.
    public func close() async {
        await session.close()
    }

    /// The workers that are connected to the coordinator.
    public func workers() async throws(PoolError) -> [WorkerInfo] {
        try await session.query().workers.map(WorkerInfo.init)
    }
}

/// A worker as its coordinator knows it.
public struct WorkerInfo: Sendable, Equatable {
    /// What it calls itself.
    public var name: String
    /// Where it runs.
    public var host: String
    /// How many tasks it can run at once.
    public var slots: Int
    /// How many it runs at present.
    public var running: Int
    /// The functions that it offers.
    public var functions: [String]

    init(_ summary: WorkerSummary) {
        name = summary.name
        host = summary.host
        slots = Int(summary.slots)
        running = Int(summary.running)
        functions = summary.functions
    }
}
