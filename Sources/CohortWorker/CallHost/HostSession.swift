internal import Cohort
internal import CohortCore
internal import Synchronization

/// The way of a call host to its coordinator, for the groups that functions open.
///
/// Made when the first group needs it, kept for later calls, and made anew when it was lost.
final class HostSession: Sendable {
    /// How long the coordinator may take to answer, which has just sent the call.
    private static let patience = Duration.seconds(10)

    /// Nil where there is no coordinator, in tests of a pool.
    private let endpoint: String?
    private let current = Mutex<GroupSession?>(nil)

    init(endpoint: String?) {
        self.endpoint = endpoint
    }

    /// Why there is none.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    func session() throws(Missing) -> GroupSession {
        guard let endpoint else {
            throw Missing(
                description: "there is no coordinator to open a group at; only tasks that a worker runs can do that"
            )
        }
        return try current.withLock { current throws(Missing) in
            if let session = current, !session.isLost { return session }
            do {
                let session = try GroupSession(endpoint: endpoint, name: "task", patience: Self.patience)
                current = session
                return session
            } catch {
                throw Missing(description: "cannot reach the coordinator at \(endpoint): \(error)")
            }
        }
    }
}
