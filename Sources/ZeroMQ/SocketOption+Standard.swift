internal import CZeroMQ

extension SocketOption<Int> {
    /// How many messages may wait to be sent to one peer; 0 is no limit. Set it before binding or connecting.
    public static var sendHighWaterMark: Self { Self("sendHighWaterMark", ZMQ_SNDHWM, .integer) }
    /// How many messages from one peer may wait to be received; 0 is no limit. Set it before binding or connecting.
    public static var receiveHighWaterMark: Self { Self("receiveHighWaterMark", ZMQ_RCVHWM, .integer) }
    /// Whether the system probes TCP connections on which nothing comes: 1, or 0; -1 leaves it to the operating system, as in
    /// the three that follow.
    public static var tcpKeepalive: Self { Self("tcpKeepalive", ZMQ_TCP_KEEPALIVE, .integer) }
    /// After how many seconds of silence it begins to probe.
    public static var tcpKeepaliveIdle: Self { Self("tcpKeepaliveIdle", ZMQ_TCP_KEEPALIVE_IDLE, .integer) }
    /// The seconds between two probes.
    public static var tcpKeepaliveInterval: Self { Self("tcpKeepaliveInterval", ZMQ_TCP_KEEPALIVE_INTVL, .integer) }
    /// How many probes go unanswered before the connection is down.
    public static var tcpKeepaliveCount: Self { Self("tcpKeepaliveCount", ZMQ_TCP_KEEPALIVE_CNT, .integer) }
    /// How many connections may wait to be accepted.
    public static var backlog: Self { Self("backlog", ZMQ_BACKLOG, .integer) }
}

extension SocketOption<Int64> {
    /// The biggest part that is taken from a peer, in bytes; whoever sends a bigger one is disconnected. -1 is no limit.
    public static var maxMessageSize: Self { Self("maxMessageSize", ZMQ_MAXMSGSIZE, .wideInteger) }
}

extension SocketOption<Bool> {
    /// Whether a ROUTER says so (`unreachable`, `wouldBlock`) instead of dropping what it cannot route. Can't be read.
    public static var routerMandatory: Self { Self("routerMandatory", ZMQ_ROUTER_MANDATORY, .flag) }
    /// Whether a new peer takes over the routing id of an old one. Can't be read.
    public static var routerHandover: Self { Self("routerHandover", ZMQ_ROUTER_HANDOVER, .flag) }
    /// Whether messages are queued only to connections that are complete.
    public static var immediate: Self { Self("immediate", ZMQ_IMMEDIATE, .flag) }
    /// Whether addresses may be those of IPv6.
    public static var ipv6: Self { Self("ipv6", ZMQ_IPV6, .flag) }
    /// Whether this end is the CURVE server, which has only a secret key.
    public static var curveServer: Self { Self("curveServer", ZMQ_CURVE_SERVER, .flag) }
    /// Whether connections are refused while a domain is set but no handler answers for it.
    public static var zapEnforceDomain: Self { Self("zapEnforceDomain", ZMQ_ZAP_ENFORCE_DOMAIN, .flag) }
}

extension SocketOption<Duration?> {
    /// How long a closed socket goes on sending what waits; nil is for ever, which can hang the end of the process.
    public static var linger: Self { Self("linger", ZMQ_LINGER, .optionalMilliseconds) }
    /// How long a blocking send waits; nil is for ever.
    public static var sendTimeout: Self { Self("sendTimeout", ZMQ_SNDTIMEO, .optionalMilliseconds) }
    /// How long a blocking receive waits; nil is for ever.
    public static var receiveTimeout: Self { Self("receiveTimeout", ZMQ_RCVTIMEO, .optionalMilliseconds) }
    /// The pause before a lost connection is tried again; nil is never.
    public static var reconnectInterval: Self { Self("reconnectInterval", ZMQ_RECONNECT_IVL, .optionalMilliseconds) }
    /// How long a silent peer is kept after a heartbeat; nil is as long as `heartbeatInterval`.
    public static var heartbeatTimeout: Self { Self("heartbeatTimeout", ZMQ_HEARTBEAT_TIMEOUT, .optionalMilliseconds) }
}

extension SocketOption<Duration> {
    /// The longest pause to which repeated tries to reconnect grow; zero is no growth.
    public static var reconnectIntervalMax: Self { Self("reconnectIntervalMax", ZMQ_RECONNECT_IVL_MAX, .milliseconds) }
    /// How long a new connection may take to greet; zero is no limit.
    public static var handshakeInterval: Self { Self("handshakeInterval", ZMQ_HANDSHAKE_IVL, .milliseconds) }
    /// The time between heartbeats on a connection; zero is none.
    public static var heartbeatInterval: Self { Self("heartbeatInterval", ZMQ_HEARTBEAT_IVL, .milliseconds) }
    /// How long the peer should keep this end without a sign of life, told with each heartbeat.
    ///
    /// The protocol counts it in tenths of a second: it is cut to a whole number of them, less than 100 ms to nothing.
    public static var heartbeatTTL: Self { Self("heartbeatTTL", ZMQ_HEARTBEAT_TTL, .milliseconds) }
    /// How long one try to connect may take; zero leaves it to the operating system.
    public static var connectTimeout: Self { Self("connectTimeout", ZMQ_CONNECT_TIMEOUT, .milliseconds) }
    /// How long sent TCP data may stay unacknowledged; zero leaves it to the operating system.
    public static var tcpMaxRetransmitTimeout: Self { Self("tcpMaxRetransmitTimeout", ZMQ_TCP_MAXRT, .milliseconds) }
}

extension SocketOption<[UInt8]> {
    /// What a ROUTER at the other end calls this socket: 1 to 255 bytes. Set it before connecting.
    public static var routingID: Self { Self("routingID", ZMQ_ROUTING_ID, .routingID) }
    /// Makes a SUB socket take messages that begin so, besides those it takes already. Can't be read.
    public static var subscribe: Self { Self("subscribe", ZMQ_SUBSCRIBE, .bytes) }
    /// Undoes one `subscribe`. Can't be read.
    public static var unsubscribe: Self { Self("unsubscribe", ZMQ_UNSUBSCRIBE, .bytes) }
}

extension SocketOption<String> {
    /// The socket's own public key; for a CURVE client.
    public static var curvePublicKey: Self { Self("curvePublicKey", ZMQ_CURVE_PUBLICKEY, .key) }
    /// The socket's own secret key.
    public static var curveSecretKey: Self { Self("curveSecretKey", ZMQ_CURVE_SECRETKEY, .key) }
    /// The public key of the server; for a CURVE client.
    public static var curveServerKey: Self { Self("curveServerKey", ZMQ_CURVE_SERVERKEY, .key) }
    /// The name under which the authentication handler is asked about peers; until one is set, nobody is.
    public static var zapDomain: Self { Self("zapDomain", ZMQ_ZAP_DOMAIN, .text) }
}
