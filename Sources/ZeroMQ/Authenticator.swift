/// What is known of a peer that wants to come in.
public struct AuthenticationRequest: Hashable, Sendable {
    /// The ``SocketOption/zapDomain`` of the socket that it has connected to.
    public var domain: String
    /// Where it connects from: an address without the port, empty for `ipc`.
    public var address: String
    /// `NULL`, `PLAIN` or `CURVE`.
    public var mechanism: String
    /// With CURVE the peer's public key, which it has proven to be its own; nil with other mechanisms.
    public var publicKey: String?
}

/// Whether a peer comes in.
public enum AuthenticationVerdict: Hashable, Sendable {
    /// It does; the id goes with all that it sends, as the property `User-Id` (``Socket/lastReceivedProperty(_:)``).
    case admit(userID: String)
    /// It does not. Its own monitor tells it status 400, without the reason.
    case deny(reason: String)
}

/// The authentication handler of a context (ZAP, RFC 27), on a thread of its own.
///
/// It is asked about every connection to the context's sockets that have a ``SocketOption/zapDomain``. Make it before they are
/// bound, and set ``SocketOption/zapEnforceDomain`` too: where no handler answers, libzmq would let everybody in. It ends when it
/// is released, and so must not outlive a context that somebody waits for.
public final class Authenticator: Sendable {
    private let loop: LoopThread

    /// Begins to answer. A context has one handler at a time.
    ///
    /// - Parameter decide: Called on the handler's thread for one peer at a time; all other peers wait for it.
    public init(
        in context: borrowing Context,
        decide: @escaping @Sendable (AuthenticationRequest) -> AuthenticationVerdict
    ) throws {
        let context = context.handle
        loop = try LoopThread.start(name: "authenticator") { loop in
            try AuthenticationDesk(context, loop: loop, decide: decide)
        }
    }

    deinit { loop.stop() }
}

/// The loop-thread side of an ``Authenticator``: requests of libzmq in, answers out.
private final class AuthenticationDesk: LoopHandler {
    private static let endpoint = "inproc://zeromq.zap.01"
    private static let version = Array("1.0".utf8)
    /// Version, request id, domain, address, routing id, mechanism, and what the mechanism shows: at most two parts.
    private static let partsMax = 8

    private let socket: Socket
    private let decide: @Sendable (AuthenticationRequest) -> AuthenticationVerdict

    init(
        _ context: ContextHandle,
        loop: LoopThread,
        decide: @escaping @Sendable (AuthenticationRequest) -> AuthenticationVerdict
    ) throws {
        socket = try Socket(sharing: context, kind: .rep)
        self.decide = decide
        try socket.bind(Self.endpoint)
        loop.register(socket: socket, token: 0)
    }

    func nextDeadline() -> UInt64? { nil }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {}

    func socketReady(_ token: Int, in loop: LoopThread) {
        while let parts = try? socket.tryReceiveMultipart(maxFrames: Self.partsMax) {
            // Fails only when the context ends, and nobody waits for the answer then.
            guard (try? socket.trySend(answer(to: parts))) == .sent else { return }
        }
    }

    private func answer(to parts: [[UInt8]]) -> [[UInt8]] {
        guard parts.count >= 6, parts[0] == Self.version else {
            return reply(to: parts, status: "500", text: "not a request of this protocol")
        }
        let words = [parts[2], parts[3], parts[5]].map { String(decoding: $0, as: UTF8.self) }
        let request = AuthenticationRequest(
            domain: words[0],
            address: words[1],
            mechanism: words[2],
            publicKey: words[2] == "CURVE" && parts.count == 7 ? Curve.text(ofKey: parts[6]) : nil
        )
        switch decide(request) {
        case .admit(let user): return reply(to: parts, status: "200", text: "OK", user: user)
        case .deny(let reason): return reply(to: parts, status: "400", text: reason)
        }
    }

    /// Version, request id, status, its text, user id, further properties.
    private func reply(to parts: [[UInt8]], status: String, text: String, user: String = "") -> [[UInt8]] {
        let id = parts.count > 1 ? parts[1] : []
        return [Self.version, id, Array(status.utf8), Array(text.utf8.prefix(255)), Array(user.utf8), []]
    }
}
