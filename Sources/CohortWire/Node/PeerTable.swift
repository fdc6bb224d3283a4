internal import CohortCore

/// A peer that has a session: where it is and how far its messages have come.
struct Peer: Sendable {
    enum Role: Sendable { case client, worker }
    let session: SessionID
    let role: Role
    let token: PeerToken
    let route: [UInt8]
    var link: Link
    /// How its greeting was answered; `nil` before that.
    var acceptance: Acceptance?
    /// Why its session is about to end; `nil` if it is not. Nothing that it says counts any more.
    var expulsion: String?
    /// How many updates have come to it, as far as the core has been told.
    var receivedUpdates: UInt64 = 0
    /// Something of it has come since the last flush.
    var isHeard = false
}

/// The connected peers by session and by the routing id of their connection.
struct PeerTable: Sendable {
    private var peers: [SessionID: Peer] = [:]
    private var sessions: [[UInt8]: SessionID] = [:]
    private var next: UInt64 = 1
    private let settlesLater: Bool

    /// - Parameter settlesLater: what peers send is acknowledged only when that is said.
    init(settlesLater: Bool) { self.settlesLater = settlesLater }

    var count: Int { peers.count }

    /// All sessions, in the order of joining.
    var all: [SessionID] { peers.keys.sorted() }

    subscript(session: SessionID) -> Peer? {
        get { peers[session] }
        _modify { yield &peers[session] }
    }

    func session(at route: [UInt8]) -> SessionID? { sessions[route] }

    mutating func add(_ role: Peer.Role, _ token: PeerToken, at route: [UInt8]) -> SessionID {
        let session = SessionID(next)
        next += 1
        peers[session] = Peer(
            session: session,
            role: role,
            token: token,
            route: route,
            link: Link(settlesLater: settlesLater)
        )
        sessions[route] = session
        return session
    }

    mutating func remove(_ session: SessionID) {
        guard let peer = peers.removeValue(forKey: session) else { return }
        sessions[peer.route] = nil
    }
}
