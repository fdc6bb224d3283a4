package import CohortCore
package import CohortWire
package import ZeroMQ

/// What the owner of a connection is told.
package protocol PeerConnectionDelegate: AnyObject {
    func connectionOpened(_ connection: PeerConnection)
    func connection(_ connection: PeerConnection, received body: FrameBody)
    /// The session is over; `explanation` is for people.
    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String)
    /// The coordinator's process has died, or the way to it is cut. The session goes on if the way comes back in time.
    func connectionBroken(_ connection: PeerConnection)
    /// There is a way again; whether the session is known at its end remains to be seen.
    func connectionRestored(_ connection: PeerConnection)
}

extension PeerConnectionDelegate {
    package func connectionBroken(_ connection: PeerConnection) {}
    package func connectionRestored(_ connection: PeerConnection) {}
}

/// A worker's or client's session with the coordinator: a DEALER socket around a `PeerNode`.
///
/// Lives on one loop thread. One socket is one session with one fresh routing id; `reconnect` and `beginAnew` make the next.
package final class PeerConnection {
    package let endpoint: String
    private let loop: LoopThread
    private let token: Int
    private weak let delegate: (any PeerConnectionDelegate)?
    private var socket: Socket
    /// What a thread of its own has seen happen to the connection.
    private var monitor = MonitorInbox()
    private var node: PeerNode
    private let keys: PeerKeys?
    /// What is heard of the connection itself, to explain why nobody answers.
    private var handshake: HandshakeWatch
    private var isBroken = false
    /// When to connect once more, as libzmq may have given up doing so.
    private var connectsAgainAt: Instant?

    /// How long libzmq has for its own next connection: longer than it ever waits between two tries.
    private static let sequelPatience = TimeSpan.seconds(1)

    /// Most messages taken in one turn, so that timers and sends have theirs.
    private static let burst = 256

    /// - Parameters:
    ///   - keys: for a coordinator that wants them.
    ///   - token: registered with the loop for the socket.
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
        socket = try Self.makeSocket(in: context, for: endpoint, keys)
        try connect()
    }

    private static func makeSocket(
        in context: borrowing Context,
        for endpoint: String,
        _ keys: PeerKeys?
    ) throws(ZeroMQError) -> Socket {
        let socket = try Socket(.dealer, in: context)
        try SocketSettings.applyToPeer(socket, of: endpoint, keys)
        try socket.set(.routingID, to: [1] + Host.randomBytes(15))
        return socket
    }

    private func connect() throws(ZeroMQError) {
        let monitor = MonitorInbox()
        self.monitor = monitor
        // The loop turns for each of the few events; a socket more to be polled would cost something in every turn.
        try MonitorThread.start(on: socket, events: MonitorInbox.kinds) { [weak loop] event in
            monitor.put(event)
            loop?.perform { _ in }
        }
        try socket.connect(endpoint)
        loop.register(socket: socket, token: token)
    }

    package var isOpen: Bool { node.isOpen }
    package var sessionID: UInt64 { node.session.session }
    package var epoch: UInt64 { node.session.epoch }
    /// How the coordinator has answered the latest greeting; `nil` before the first answer.
    package private(set) var acceptance: Acceptance?
    /// Frames that could not be understood.
    package var badFrames: UInt64 { node.badFrames }

    package var nextDeadline: Instant? {
        guard let connectsAgainAt else { return node.nextDeadline }
        return min(connectsAgainAt, node.nextDeadline ?? connectsAgainAt)
    }
    /// When something of the session has last arrived.
    package var lastHeard: Instant { node.session.lastHeard }
    /// How long the two sides wait for one another.
    package var lease: TimeSpan { node.session.lease }

    /// Messages given to `send` that the coordinator has not acknowledged: the last ones, since it acknowledges in order.
    package var unacknowledgedMessages: Int { node.unacknowledgedCount }

    /// Whether one of them would still mean something in a session that continues this one, as a report does.
    package var keepsUnacknowledged: Bool { node.keepsUnacknowledged }

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
        try renewSocket(in: context)
        node.resume(held: held, at: .now, patience: patience)
        try connect()
    }

    /// Asks, on a new socket, for a session that continues nothing.
    ///
    /// - Parameter patience: how long to wait for an answer; `nil` for ever.
    package func beginAnew(in context: borrowing Context, patience: TimeSpan?) throws(ZeroMQError) {
        try renewSocket(in: context)
        node.beginAnew(at: .now, patience: patience)
        try connect()
    }

    private func renewSocket(in context: borrowing Context) throws(ZeroMQError) {
        socket = try Self.makeSocket(in: context, for: endpoint, keys)
        handshake = HandshakeWatch(key: keys?.own.publicKey, hasSpoken: handshake.hasSpoken)
        isBroken = false
        connectsAgainAt = nil
    }

    /// Something waits at the socket.
    package func ready(_ token: Int) { receive() }

    /// Deals with the passing of time and what has happened to the connection; to be called at the end of each turn.
    package func tick() {
        if monitor.hasEvents { watch() }
        if let due = connectsAgainAt, due <= .now { connectAgain() }
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
        case .opened(let acceptance):
            self.acceptance = acceptance
            delegate?.connectionOpened(self)
        case .received(let body): delegate?.connection(self, received: body)
        case .lost(let loss):
            // The greetings that nobody took are for nobody else.
            if loss == .noAnswer { try? socket.set(.linger, to: .zero) }
            delegate?.connection(self, lost: loss, explanation: explanation(of: loss))
        }
    }

    private func transmit() {
        guard !node.outgoing.isEmpty else { return }
        // A DEALER without limits refuses only when the context ends; what is lost is noticed by its number.
        for frames in node.outgoing { _ = try? socket.trySend(frames) }
        node.outgoing.removeAll(keepingCapacity: true)
    }

    private func watch() {
        for (event, instant) in monitor.takeAll() {
            handshake.take(event, at: instant)
            if let refusal = handshake.refusal { return giveUp(refusal) }
            noteSequel(of: event)
            switch event.kind {
            case .disconnected where isOpen && !isBroken:
                isBroken = true
                delegate?.connectionBroken(self)
            case .handshakeSucceeded where isBroken:
                isBroken = false
                // If it is another life of the coordinator, its answer says so at once.
                node.speak()
                deal()
                delegate?.connectionRestored(self)
            default: break
            }
        }
    }

    private func noteSequel(of event: SocketMonitor.Event) {
        switch event.kind {
        case .connected where Descriptors.isConnectedToItself(Int32(truncatingIfNeeded: event.value)):
            // No coordinator can have the port as long as that lasts.
            connectAgain()
        case .connected: connectsAgainAt = nil
        case .disconnected:
            // An open session has its lease, and then another socket.
            guard handshake.sequel == .none || (handshake.sequel == .open && !isOpen) else { return }
            connectsAgainAt = connectsAgainAt ?? .now.advanced(by: Self.sequelPatience)
        default: break
        }
    }

    private func connectAgain() {
        connectsAgainAt = nil
        // Of a connection that libzmq has ended for good only the name is left.
        try? socket.disconnect(endpoint)
        do {
            try socket.connect(endpoint)
        } catch {
            connectsAgainAt = .now.advanced(by: Self.sequelPatience)
        }
    }

    private func giveUp(_ refusal: String) {
        // It would try again until it is closed, and then once more for the sake of what waits to be sent.
        try? socket.set(.linger, to: .zero)
        try? socket.disconnect(endpoint)
        connectsAgainAt = nil
        node.refused(refusal)
        deal()
    }

    /// What is known from its own tries of why nobody answers, for people; `nil` if nothing was there to connect to.
    package var trouble: String? { handshake.trouble }

    private func explanation(of loss: PeerSession.Loss) -> String {
        switch loss {
        case .noAnswer:
            "no coordinator answers at \(endpoint): \(trouble ?? Reachability.trouble(at: endpoint))"
        case .refused(let reason): "the coordinator at \(endpoint) refuses: \(reason)"
        case .unknown(let reason):
            "the coordinator at \(endpoint) has given this session up or was started anew: \(reason)"
        case .asleep: "this process was stopped for longer than the lease of \(node.session.lease.inWords)"
        case .incomprehensible(let reason):
            "what the coordinator at \(endpoint) sends cannot be understood, in \(PeerNode.mostDamagedSessions) sessions "
                + "in a row; is it of another version? \(reason)"
        case .silent: "nothing was heard from the coordinator at \(endpoint) for \(node.session.lease.inWords)"
        case .goodbye(let reason): "the coordinator at \(endpoint) ended the session: \(reason)"
        }
    }
}
