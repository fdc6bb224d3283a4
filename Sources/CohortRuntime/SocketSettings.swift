package import ZeroMQ

/// How every socket of Cohort is set, so that no default of libzmq decides anything.
package enum SocketSettings {
    /// Frames beyond this are refused by libzmq itself, which drops the connection.
    package static let maximumMessageBytes: Int64 = (64 << 20) + 4_096

    /// Applies what clients, workers and the coordinator have in common.
    ///
    /// Queues are bounded by credit in the protocol; libzmq's own mark for what is sent is off, since it drops or blocks there.
    /// The one for what comes in only makes a sender wait who knows no credit.
    package static func apply(to socket: borrowing Socket) throws(ZeroMQError) {
        try socket.set(.sendHighWaterMark, to: 0)
        try socket.set(.receiveHighWaterMark, to: 1_000)
        try socket.set(.maxMessageSize, to: maximumMessageBytes)
        // A peer that does not speak ZMTP must not hold a connection for libzmq's 30 s.
        try socket.set(.handshakeInterval, to: .seconds(5))
        // A link that is down is not found by heartbeats of ZMTP: libzmq 4.3 aborts the process if one falls due, or has come,
        // on a connection that has ended while what came over it waits to be read. Those of the protocol keep something
        // unacknowledged; a connection on which nobody speaks is probed by the system.
        try socket.set(.heartbeatInterval, to: .zero)
        try socket.set(.tcpMaxRetransmitTimeout, to: .seconds(8))
        try socket.set(.tcpKeepalive, to: 1)
        try socket.set(.tcpKeepaliveIdle, to: 10)
        try socket.set(.tcpKeepaliveInterval, to: 3)
        try socket.set(.tcpKeepaliveCount, to: 3)
        // Long enough for a goodbye to leave, short enough to be no hang.
        try socket.set(.linger, to: .milliseconds(500))
    }

    /// Prepares a socket for an endpoint that it is about to be bound or connected to.
    ///
    /// IPv6 is for those that name an address of it. Names stay with IPv4: of a name that has both kinds of addresses, as
    /// `localhost` mostly has, libzmq would take one of IPv6 alone, at which a coordinator bound to 127.0.0.1 is not.
    package static func prepare(_ socket: borrowing Socket, for endpoint: String) throws(ZeroMQError) {
        let host = (try? Endpoint(endpoint, isBound: true))?.host
        try socket.set(.ipv6, to: host?.utf8.contains(UInt8(ascii: ":")) ?? false)
    }

    /// Adds what a connecting socket needs.
    ///
    /// - Parameters:
    ///   - endpoint: what it will be connected to.
    ///   - keys: for a coordinator that wants them.
    package static func applyToPeer(
        _ socket: borrowing Socket,
        of endpoint: String,
        _ keys: PeerKeys?
    ) throws(ZeroMQError) {
        try apply(to: socket)
        try prepare(socket, for: endpoint)
        try keys?.apply(to: socket)
        try socket.set(.reconnectInterval, to: .milliseconds(20))
        try socket.set(.reconnectIntervalMax, to: .seconds(1))
    }
}
