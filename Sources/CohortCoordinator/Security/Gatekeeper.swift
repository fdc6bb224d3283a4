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
    /// The same refusal is counted and logged again after so long: a peer that is turned away soon comes again.
    private static let interval = TimeSpan.seconds(60)
    /// Peers whose refusals are logged in one interval; those of others are only counted, each time.
    private static let logged = 64

    private struct State {
        var refused: UInt64 = 0
        /// Who was turned away in this interval, and why, as far as that was logged.
        var told: [String: Set<String>] = [:]
        var intervalEnds = Instant(nanoseconds: 0)
        var connections = ConnectionTable()
    }

    private let allowed: AllowList
    private let log: Logger
    private let state = Mutex(State())

    init(_ allowed: AllowList, log: Logger) {
        self.allowed = allowed
        self.log = log
    }

    /// How many were turned away: unknown keys, none, those for another coordinator, known ones in a role that is not theirs,
    /// and those that broke off before they had shown any. A peer is a key, or the address of who has shown none.
    var refused: UInt64 { state.withLock { $0.refused } }

    /// Asked about each connection, before anything that comes by it is looked at.
    func decide(_ request: AuthenticationRequest) -> AuthenticationVerdict {
        guard let key = request.publicKey else {
            refuse("it has no key", peer: request.address.isEmpty ? PeerAddress.unknown : request.address)
            return .deny(reason: "it has no key")
        }
        guard allowed.permit(for: key) != nil else {
            refuse("its key is not known", peer: key)
            return .deny(reason: "its key is not known")
        }
        return .admit(userID: key)
    }

    /// Something happened to a connection. One whose greeting failed or broke off is of somebody who did not get as far as
    /// showing a key that fits.
    func take(_ event: SocketMonitor.Event) {
        let refused = state.withLock { $0.connections.take(event) }
        if let refused { refuse(refused.reason, peer: refused.peer) }
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
            let now = Instant.now
            if now >= state.intervalEnds {
                state.told.removeAll()
                state.intervalEnds = now.advanced(by: Self.interval)
            }
            let reasons = state.told[peer]
            // Who has no key breaks off as well, sooner or later.
            if let reasons, reasons.contains(reason) || reason == ConnectionTable.brokeOff { return false }
            state.refused += 1
            guard state.told.count < Self.logged else { return false }
            state.told[peer, default: []].insert(reason)
            return true
        }
        if isTold { log.warning("refused a peer", metadata: ["peer": "\(peer)", "reason": "\(reason)"]) }
    }
}
