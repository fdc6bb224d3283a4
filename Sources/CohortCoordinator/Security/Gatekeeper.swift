internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import Logging
internal import Synchronization
internal import ZeroMQ

/// Decides who may connect, counts whom it turns away, and says so in the log without ever filling it.
///
/// The authenticator asks it on a thread of its own, the socket's monitor on another, the shell on the loop's.
final class Gatekeeper: Sendable {
    /// The same refusal is logged again after so long.
    private static let logInterval = TimeSpan.seconds(60)
    /// Different refusals that are logged in one interval; the rest is only counted.
    private static let logged = 64

    private struct State {
        var refused: UInt64 = 0
        /// What was logged in this interval.
        var told: Set<String> = []
        var intervalEnds = Instant(nanoseconds: 0)
    }

    private let allowed: AllowList
    private let log: Logger
    private let state = Mutex(State())

    init(_ allowed: AllowList, log: Logger) {
        self.allowed = allowed
        self.log = log
    }

    /// How many were turned away: unknown keys, none, those for another coordinator, known ones in a role that is not theirs,
    /// and connections that broke off before they had shown any.
    var refused: UInt64 { state.withLock { $0.refused } }

    /// Asked about each connection, before anything that comes by it is looked at.
    func decide(_ request: AuthenticationRequest) -> AuthenticationVerdict {
        guard let key = request.publicKey else {
            refuse("it has no key", peer: request.address)
            return .deny(reason: "it has no key")
        }
        guard allowed.permit(for: key) != nil else {
            refuse("its key is not known", peer: key)
            return .deny(reason: "its key is not known")
        }
        return .admit(userID: key)
    }

    /// A greeting failed or broke off, by somebody who did not get as far as showing a key that fits.
    func take(_ event: SocketMonitor.Event) {
        let reason =
            switch event.kind {
            case .handshakeFailedProtocol where event.isMechanismMismatch: "it has no key"
            case .handshakeFailedProtocol: "its key is not for this coordinator"
            // Who has no key sees that one is wanted, and may be gone before it has said so. Others break off, too.
            default: "it broke off before it had shown a key"
            }
        refuse(reason, peer: "somebody at \(event.address)")
    }

    /// What a peer that has come in may be.
    ///
    /// - Parameter user: as `decide` has named it.
    func permit(for user: String?) -> PeerPermit {
        user.flatMap(allowed.permit) ?? PeerPermit(roles: [], keyName: "nobody")
    }

    /// Counts somebody who was turned away.
    ///
    /// - Parameter peer: the key, or what else is known.
    func refuse(_ reason: String, peer: String) {
        let isTold = state.withLock { state in
            state.refused += 1
            let now = Instant.now
            if now >= state.intervalEnds {
                state.told.removeAll()
                state.intervalEnds = now.advanced(by: Self.logInterval)
            }
            return state.told.count < Self.logged && state.told.insert("\(reason) \(peer)").inserted
        }
        if isTold { log.warning("refused a peer", metadata: ["peer": "\(peer)", "reason": "\(reason)"]) }
    }
}
