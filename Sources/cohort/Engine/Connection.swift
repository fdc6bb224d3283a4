internal import Cohort
internal import CohortCore
internal import CohortRuntime

/// A client with the pool behind it, private or running.
final class Connection {
    let client: Client
    let pool: PrivatePool?

    /// Starts a pool of one's own, or connects to a running coordinator.
    convenience init(_ options: PoolOptions, name: String) throws {
        try self.init(endpoint: options.connect, keys: options.keys, slots: options.slots, name: name)
    }

    /// - Parameters:
    ///   - endpoint: of a running coordinator; `nil` for a pool of one's own.
    ///   - keys: for a running coordinator that wants them.
    ///   - slots: how many tasks run at once in a pool of one's own.
    init(endpoint: String?, keys: KeyOptions, slots: Int, name: String) throws {
        let keys = endpoint == nil ? nil : try keys.load()
        do {
            if let endpoint {
                try Self.check(endpoint)
                pool = nil
                client = try Client(
                    endpoint: endpoint,
                    name: name,
                    keys: keys,
                    patience: .seconds(5),
                    policy: .withinLease
                )
            } else {
                let pool = try PrivatePool(executable: Host.executable, slots: slots)
                self.pool = pool
                // The coordinator needs a moment to bind; on a loaded machine a long one.
                client = try Client(endpoint: pool.endpoint, name: name, patience: .seconds(30), policy: .never)
            }
        } catch let failure as Failure {
            throw failure
        } catch {
            throw Failure(.coordinator, "\(error)")
        }
    }

    /// Tells at once where it would be in vain to wait for a coordinator that is just being started.
    private static func check(_ endpoint: String) throws {
        guard let obstacle = Reachability.obstacle(at: endpoint) else { return }
        throw Failure(.coordinator, "no coordinator can answer at \(endpoint): \(obstacle)")
    }

    /// Connects to a running coordinator.
    init(_ options: CoordinatorOptions, name: String, policy: ReturnPolicy) throws {
        pool = nil
        let keys = try options.keys.load()
        try Self.check(options.connect)
        do {
            client = try Client(
                endpoint: options.connect,
                name: name,
                keys: keys,
                patience: .seconds(5),
                policy: policy
            )
        } catch {
            throw Failure(.coordinator, "\(error)")
        }
    }

    /// Says goodbye, and ends a pool of one's own with everything in it.
    func close() {
        client.close()
        pool?.stop()
    }
}
