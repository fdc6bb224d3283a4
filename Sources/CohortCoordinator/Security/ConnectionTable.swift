internal import ZeroMQ

/// Who is at the other end of a socket's connections, and why a greeting failed there.
///
/// libzmq tells of failed greetings with the address that is listened at. The peer's own is asked of the system when the
/// connection is accepted, and the end of the connection, which comes next, tells which one it was.
struct ConnectionTable {
    /// What the socket's monitor is to tell.
    static let events: [SocketMonitor.Event.Kind] = [
        .accepted, .disconnected, .handshakeFailedProtocol, .handshakeFailedNoDetail,
    ]

    static let brokeOff = "it broke off before it had shown a key"

    /// By descriptor.
    private var addresses: [Int: String] = [:]
    /// Why the greeting of the connection failed that ends next.
    private var reason: String?

    /// - Returns: who was turned away, and why, if that is now known.
    mutating func take(_ event: SocketMonitor.Event) -> (peer: String, reason: String)? {
        switch event.kind {
        case .accepted: addresses[event.value] = PeerAddress.text(of: Int32(truncatingIfNeeded: event.value))
        case .disconnected:
            let address = addresses.removeValue(forKey: event.value)
            defer { reason = nil }
            return reason.map { (address ?? PeerAddress.unknown, $0) }
        case .handshakeFailedProtocol where event.isMechanismMismatch: reason = "it has no key"
        case .handshakeFailedProtocol: reason = "its key is not for this coordinator"
        // Who has no key sees that one is wanted, and may be gone before it has said so. Others break off, too.
        case .handshakeFailedNoDetail: reason = reason ?? Self.brokeOff
        default: break
        }
        return nil
    }
}
