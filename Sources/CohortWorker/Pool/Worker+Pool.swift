public import Cohort
internal import CohortRuntime

extension Worker {
    /// A pool of this program's own, which needs no coordinator or worker to be started by anybody: the registered functions
    /// run in processes of this same executable, commands too.
    ///
    ///     @main
    ///     struct Nightly {
    ///         static func main() async throws {
    ///             var worker = Worker()
    ///             try worker.register(resize) { image, context in … }
    ///             try await worker.withPool(slots: 8) { pool in
    ///                 try await pool.withGroup("nightly") { group in
    ///                     for image in images { _ = try group.spawn(resize, image) }
    ///                 }
    ///             }
    ///         }
    ///     }
    ///
    /// The program is started again for every process of the pool, with the same arguments; there this call serves and never
    /// returns. Whatever comes before it happens in all of them: call it early. When it returns or throws here, all that ran
    /// is gone, as it is when this process dies.
    ///
    /// - Parameters:
    ///   - slots: how many tasks run at once, from 1 to 4096; nil for as many as there are cores.
    ///   - body: what to do with the pool, which is closed at its end.
    /// - Throws: what `body` throws, or why the pool cannot be started.
    public func withPool<R>(slots: Int? = nil, _ body: (Pool) async throws -> R) async throws -> R {
        await serveIfStarted()
        let slots = slots ?? Host.cores
        guard (1...4_096).contains(slots) else {
            throw WorkerError.usage("\(slots) slots: the number of tasks at once must be from 1 to 4096")
        }
        let own = try OwnPool(slots: slots)
        let pool: Pool
        do {
            pool = try await Pool.connect(to: own.endpoint, security: .none, patience: .seconds(30))
            try own.watch(pool)
        } catch {
            await own.stop()
            throw error
        }
        do {
            let result = try await body(pool)
            await pool.close()
            await own.stop()
            return result
        } catch {
            await pool.close()
            await own.stop()
            throw error
        }
    }
}
