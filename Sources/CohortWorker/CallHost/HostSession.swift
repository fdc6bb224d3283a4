internal import Cohort
internal import CohortCore
internal import CohortRuntime
internal import Synchronization

/// The way of a call host to its coordinator, for the groups that functions open.
///
/// Made when the first group needs it, kept for later calls, and made anew when it was lost.
final class HostSession: Sendable {
    /// Why there is none.
    struct Missing: Error, CustomStringConvertible {
        let description: String
    }

    private typealias Connecting = Task<Result<GroupSession, PoolError>, Never>

    private struct State {
        /// Grows with each attempt to connect.
        var number = 0
        /// The latest attempt, unless it is known to have come to nothing.
        var connecting: Connecting?
        /// What came of it.
        var session: GroupSession?
    }

    /// How long the coordinator may take to answer, which has just sent the call.
    private static let patience = Duration.seconds(10)

    /// Nil where there is no coordinator, in tests of a pool.
    private let endpoint: String?
    /// A reference to the keys to show there; nil if the coordinator wants none.
    private let keys: String?
    private let state = Mutex(State())

    init(endpoint: String?, keys: String?) {
        self.endpoint = endpoint
        self.keys = keys
    }

    /// The session, which several parts of a call may ask for at once.
    func session() async throws(Missing) -> GroupSession {
        guard let endpoint else {
            throw Missing(description: "this process has no coordinator; only tasks that a worker runs can open groups")
        }
        while true {
            let (number, connecting, isNew) = connection(to: endpoint)
            let problem: PoolError
            switch await connecting.value {
            case .success(let session):
                guard let loss = session.loss else {
                    state.withLock { if $0.number == number { $0.session = session } }
                    return session
                }
                problem = loss
            case .failure(let error): problem = error
            }
            drop(number)
            // One that was made for an earlier call may have been lost long since.
            if isNew { throw Missing(description: problem.description) }
        }
    }

    private func connection(to endpoint: String) -> (number: Int, Connecting, isNew: Bool) {
        state.withLock { state in
            if let connecting = state.connecting { return (state.number, connecting, false) }
            state.number += 1
            let reference = keys
            let connecting = Connecting {
                do throws(PoolError) {
                    let keys = try Self.keys(reference, for: endpoint)
                    return .success(
                        try await GroupSession(endpoint: endpoint, name: nil, keys: keys, patience: Self.patience)
                    )
                } catch {
                    return .failure(error)
                }
            }
            state.connecting = connecting
            return (state.number, connecting, true)
        }
    }

    private static func keys(_ reference: String?, for endpoint: String) throws(PoolError) -> PeerKeys? {
        do throws(PeerKeys.Unusable) {
            return try reference.map { reference throws(PeerKeys.Unusable) in try PeerKeys(reference: reference) }
        } catch {
            throw PoolError(kind: .unusableKeys, endpoint: endpoint, message: error.description)
        }
    }

    private func drop(_ number: Int) {
        state.withLock { state in
            guard state.number == number else { return }
            state.connecting = nil
            state.session = nil
        }
    }

    /// A call has ended: it will add no tasks to its group any more.
    func callEnded(_ ref: AttemptRef) {
        state.withLock { $0.session }?.forget(ref)
    }
}
