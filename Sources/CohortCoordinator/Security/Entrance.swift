internal import CohortRuntime
internal import CohortWire
internal import Logging
internal import ZeroMQ

/// The keys at a coordinator's socket: peers show theirs before anything that they send is looked at.
///
/// Belongs to the thread of the socket.
final class Entrance {
    private static let domain = "cohort"

    let gatekeeper: Gatekeeper
    private let authenticator: Authenticator

    /// To be made before the socket is bound.
    init(
        of socket: borrowing Socket,
        in context: borrowing Context,
        _ security: CoordinatorConfiguration.Security,
        log: Logger
    ) throws {
        let gatekeeper = Gatekeeper(security.allowed, log: log)
        self.gatekeeper = gatekeeper
        authenticator = try Authenticator(in: context) { gatekeeper.decide($0) }
        try socket.set(.curveServer, to: true)
        try socket.set(.curveSecretKey, to: security.keys.secretKey)
        try socket.set(.zapDomain, to: Self.domain)
        // Without a handler that answers nobody comes in, rather than everybody.
        try socket.set(.zapEnforceDomain, to: true)
    }

    /// How many were turned away (`Gatekeeper.refused`).
    var refused: UInt64 { gatekeeper.refused }

    /// What the sender of the message that the socket has received last may be.
    func permit(of socket: borrowing Socket) -> PeerPermit {
        gatekeeper.permit(for: socket.lastReceivedProperty("User-Id"))
    }

    /// Counts somebody whose key does not fit what he asked for.
    func refuse(_ permit: PeerPermit) { gatekeeper.refuse("its key is listed for another role", peer: permit.keyName) }
}
