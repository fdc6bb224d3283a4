package import CohortCore
package import CohortWire
package import ZeroMQ

/// What the owner of a connection is told.
package protocol PeerConnectionDelegate: AnyObject {
    func connectionOpened(_ connection: PeerConnection)
    func connection(_ connection: PeerConnection, received body: FrameBody)
    /// The session is over; `explanation` is for people.
    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String)
}

/// A worker's or client's session with the coordinator: a DEALER socket around a `PeerNode`.
///
/// Lives on one loop thread. One socket is one session with one fresh routing id; `reconnect` makes the next.
package final class PeerConnection {
    package let endpoint: String
    private let loop: LoopThread
    private let token: Int
    private weak let delegate: (any PeerConnectionDelegate)?
    private var socket: Socket
    /// Tells why nobody answers; gone once somebody has, for every socket that is polled costs some system calls a turn.
    private var monitor: SocketMonitor?
    private var node: PeerNode
    private let keys: PeerKeys?
    /// What is heard of the connection itself, to explain why nobody answers.
    private var handshake: HandshakeWatch

    /// Most messages taken in one turn, so that timers and sends have theirs.
    private static let burst = 256

    /// - Parameters:
    ///   - keys: for a coordinator that wants them.
    ///   - token: registered with the loop for the socket; `token + 1` for its monitor.
    ///   - patience: how long to wait for the coordinator's first answer; `nil` for ever.
    package init(
        to endpoint: String,
        as greeting: Greeting,
        keys: PeerKeys?,
        in context: borrowing Context,
        loop: LoopThread,
        token: Int,
        patience: TimeSpan?,
        delegate: any PeerConnectionDelegate
    ) throws(ZeroMQError) {
        self.endpoint = endpoint
        self.loop = loop
        self.token = token
        self.delegate = delegate
        self.keys = keys
        handshake = HandshakeWatch(key: keys?.own.publicKey)
        node = PeerNode(greeting: greeting, at: .now, patience: patience)
        socket = try Self.makeSocket(in: context, keys)
        try connect()
    }

    private static func makeSocket(
        in context: borrowing Context,
        _ keys: PeerKeys?
    ) throws(ZeroMQError) -> Socket {
        let socket = try Socket(.dealer, in: context)
        try SocketSettings.applyToPeer(socket, keys)
        try socket.set(.routingID, to: [1] + Host.randomBytes(15))
        return socket
    }

    private func connect() throws(ZeroMQError) {
        let monitor = try SocketMonitor(of: socket)
        try socket.connect(endpoint)
        loop.register(socket: socket, token: token)
        loop.register(socket: monitor.socket, token: token + 1)
        self.monitor = consume monitor
    }

    package var isOpen: Bool { node.isOpen }
    package var sessionID: UInt64 { node.session.session }
    package var epoch: UInt64 { node.session.epoch }
    /// Frames that could not be understood.
    package var badFrames: UInt64 { node.badFrames }

    package var nextDeadline: Instant? { node.nextDeadline }

    /// Numbered messages that were sent.
    package var sentMessages: UInt64 { node.session.link.lastSent }

    /// Those of them, from the first on, that the coordinator has acknowledged.
    package var acknowledgedMessages: UInt64 { sentMessages - UInt64(node.session.link.unacknowledgedCount) }

    /// Sends a message of the session, or of the next one if none is open. What is lost on the way is sent again.
    package func send(_ body: FrameBody) {
        node.send(body)
        transmit()
    }

    /// Ends the session from this side.
    package func close(reason: String) {
        node.close(reason: reason)
        transmit()
    }

    /// Asks, on a new socket, for a session that continues the one that was lost.
    ///
    /// - Parameters:
    ///   - held: what a worker still has.
    ///   - patience: how long to wait for an answer; `nil` for ever.
    package func reconnect(
        in context: borrowing Context,
        held: [HeldAttempt] = [],
        patience: TimeSpan?
    ) throws(ZeroMQError) {
        monitor = nil
        socket = try Self.makeSocket(in: context, keys)
        handshake = HandshakeWatch(key: keys?.own.publicKey)
        node.resume(held: held, at: .now, patience: patience)
        try connect()
    }

    /// Something waits at the socket or its monitor.
    package func ready(_ token: Int) {
        if token == self.token { receive() } else { watch() }
    }

    /// Deals with the passing of time; to be called at the end of each turn.
    package func tick() {
        guard let due = node.nextDeadline, due <= .now else { return }
        node.timeReached(at: .now)
        deal()
    }

    private func receive() {
        var frames: [[UInt8]] = []
        for _ in 0..<Self.burst {
            frames.removeAll(keepingCapacity: true)
            guard let result = try? socket.tryReceiveMultipart(into: &frames, maxFrames: 2) else { return }
            switch result {
            case .empty: return
            case .tooLong: node.drop()
            case .received: node.received(frames: frames, at: .now)
            }
            deal()
        }
    }

    /// Sends what is to be sent and tells what there is to tell, until there is neither.
    private func deal() {
        transmit()
        while !node.inbox.isEmpty {
            let notices = node.inbox
            node.inbox.removeAll()
            for notice in notices { tell(notice) }
            transmit()
        }
    }

    private func tell(_ notice: PeerNode.Notice) {
        switch notice {
        case .opened:
            monitor = nil
            delegate?.connectionOpened(self)
        case .received(let body): delegate?.connection(self, received: body)
        case .lost(let loss): delegate?.connection(self, lost: loss, explanation: explanation(of: loss))
        }
    }

    private func transmit() {
        guard !node.outgoing.isEmpty else { return }
        // A DEALER without limits refuses only when the context ends; what is lost is noticed by its number.
        for frames in node.outgoing { _ = try? socket.trySend(frames) }
        node.outgoing.removeAll(keepingCapacity: true)
    }

    private func watch() {
        while let event = try? monitor?.tryReceive() {
            handshake.take(event)
            guard let refusal = handshake.refusal else { continue }
            // It would try again until it is closed, and then once more for the sake of what waits to be sent.
            try? socket.set(.linger, to: .zero)
            try? socket.disconnect(endpoint)
            node.refused(refusal)
            return deal()
        }
    }

    private func explanation(of loss: PeerSession.Loss) -> String {
        switch loss {
        case .noAnswer: "no coordinator answers at \(endpoint): \(handshake.trouble)"
        case .refused(let reason): "the coordinator at \(endpoint) refuses: \(reason)"
        case .unknown(let reason): "the coordinator at \(endpoint) has been started anew: \(reason)"
        case .silent: "nothing was heard from the coordinator at \(endpoint) for \(node.session.lease.seconds) s"
        case .goodbye(let reason): "the coordinator at \(endpoint) ended the session: \(reason)"
        }
    }
}
