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

/// A worker's or client's session with the coordinator: a DEALER socket driven by a `PeerSession`.
///
/// Lives on one loop thread. One connection is one session with one fresh routing id; after a loss a new one is made.
package final class PeerConnection {
    package let endpoint: String
    private let greeting: Greeting
    private let socket: Socket
    /// Tells why nobody answers; gone once somebody has, for every socket that is polled costs some system calls a turn.
    private var monitor: SocketMonitor?
    private let token: Int
    private weak let delegate: (any PeerConnectionDelegate)?
    private var session: PeerSession
    private var actions: [PeerSession.Action] = []
    /// What was last heard of the connection itself, to explain why nobody answers.
    private var trouble = ""
    /// Frames that could not be understood.
    package private(set) var badFrames: UInt64 = 0

    /// Most messages taken in one turn, so that timers and sends have theirs.
    private static let burst = 256

    /// - Parameters:
    ///   - token: registered with the loop for the socket; `token + 1` for its monitor.
    ///   - patience: how long to wait for the coordinator's first answer; `nil` for ever.
    package init(
        to endpoint: String,
        as greeting: Greeting,
        in context: borrowing Context,
        loop: LoopThread,
        token: Int,
        patience: TimeSpan?,
        delegate: any PeerConnectionDelegate
    ) throws(ZeroMQError) {
        self.endpoint = endpoint
        self.greeting = greeting
        self.token = token
        self.delegate = delegate
        let socket = try Socket(.dealer, in: context)
        try SocketSettings.applyToPeer(socket)
        try socket.set(.routingID, to: [1] + Host.randomBytes(15))
        let monitor = try SocketMonitor(of: socket)
        try socket.connect(endpoint)
        self.socket = socket
        session = PeerSession(at: .now, patience: patience)
        loop.register(socket: self.socket, token: token)
        loop.register(socket: monitor.socket, token: token + 1)
        self.monitor = consume monitor
    }

    package var isOpen: Bool { session.state == .open }
    package var sessionID: UInt64 { session.session }
    package var epoch: UInt64 { session.epoch }

    package var nextDeadline: Instant? { session.nextDeadline }

    /// Messages given to `send` that the coordinator has not acknowledged: the last ones, since it acknowledges in order.
    package var unacknowledgedMessages: Int { session.link.unacknowledgedCount }

    /// Sends a message of the session. What is lost on the way is sent again; nothing is sent once the session has ended.
    package func send(_ body: FrameBody) {
        guard session.state == .open else { return }
        let sequence = body.isNumbered ? session.link.nextSequence() : 0
        let header = FrameHeader(
            epoch: session.epoch,
            session: session.session,
            sequence: sequence,
            acknowledge: session.link.lastReceived
        )
        let frames = FrameCodec.encode(header, body)
        if sequence == 0 { session.link.acknowledged() } else { session.link.sent(sequence, frames) }
        transmit(frames)
    }

    /// Ends the session from this side.
    package func close(reason: String) {
        send(.goodbye(reason))
        session.close()
    }

    /// Something waits at the socket or its monitor.
    package func ready(_ token: Int) {
        if token == self.token { receive() } else { watch() }
        perform()
    }

    /// Deals with the passing of time; to be called at the end of each turn.
    package func tick() {
        if let due = session.nextDeadline, due <= .now { session.timeReached(at: .now, into: &actions) }
        perform()
    }

    private func receive() {
        var frames: [[UInt8]] = []
        for _ in 0..<Self.burst {
            frames.removeAll(keepingCapacity: true)
            guard let result = try? socket.tryReceiveMultipart(into: &frames, maxFrames: 2) else { return }
            switch result {
            case .empty: return
            case .tooLong: badFrames += 1
            case .received: take(frames)
            }
            perform()
        }
    }

    private func take(_ frames: [[UInt8]]) {
        let header: FrameHeader
        let body: FrameBody
        do {
            (header, body) = try FrameCodec.decode(frames)
        } catch {
            badFrames += 1
            if let header = error.header, header.epoch == session.epoch, header.session == session.session {
                // It has arrived, though nothing can be made of it.
                _ = session.received(
                    sequence: header.sequence,
                    acknowledge: header.acknowledge,
                    at: .now,
                    into: &actions
                )
            }
            return
        }
        switch body {
        case .welcome(let acceptance):
            session.welcomed(
                epoch: header.epoch,
                session: header.session,
                heartbeat: acceptance.heartbeat,
                lease: acceptance.lease,
                at: .now,
                into: &actions
            )
        case .refused(let reason):
            // In the middle of a session: the coordinator does not know it any more, it is another life of it.
            if session.state == .open {
                session.goodbyeReceived(reason, into: &actions)
            } else {
                session.refused(reason, into: &actions)
            }
        default:
            guard header.epoch == session.epoch, header.session == session.session else { return }
            let isNew = session.received(
                sequence: header.sequence,
                acknowledge: header.acknowledge,
                at: .now,
                into: &actions
            )
            if isNew { deal(with: body) }
        }
    }

    private func deal(with body: FrameBody) {
        switch body {
        case .heartbeat(let last): session.heartbeatReceived(last: last, into: &actions)
        case .resend(let from): session.resendRequested(from: from, into: &actions)
        case .goodbye(let reason): session.goodbyeReceived(reason, into: &actions)
        default: delegate?.connection(self, received: body)
        }
    }

    private func perform() {
        while !actions.isEmpty {
            let batch = actions
            actions.removeAll()
            for action in batch { perform(action) }
        }
    }

    private func perform(_ action: PeerSession.Action) {
        switch action {
        case .sendHello: transmit(FrameCodec.encode(FrameHeader(), .hello(greeting)))
        case .sendHeartbeat: send(.heartbeat(last: session.link.lastSent))
        case .askAgain(let from): send(.resend(from: from))
        case .sendAgain(let messages): for message in messages { transmit(message.frames) }
        case .opened:
            monitor = nil
            delegate?.connectionOpened(self)
        case .lost(let loss): delegate?.connection(self, lost: loss, explanation: explanation(of: loss))
        }
    }

    private func transmit(_ frames: [[UInt8]]) {
        // A DEALER without limits refuses only when the context ends; what is lost is noticed by its number.
        _ = try? socket.trySend(frames)
    }

    private func watch() {
        while let event = try? monitor?.tryReceive() {
            switch event.kind {
            case .connectRetried, .closed:
                if trouble.isEmpty { trouble = "nothing listens there" }
            case .handshakeFailedNoDetail, .handshakeFailedProtocol, .handshakeFailedAuth:
                trouble = "what listens there does not speak Cohort's protocol (\(event.explanation))"
            case .connected:
                // The next try to connect says less than how the last one ended.
                if !trouble.hasPrefix("what listens there") {
                    trouble = "something accepts connections there but does not answer; is it a Cohort coordinator?"
                }
            case .handshakeSucceeded:
                trouble = "something that speaks ZeroMQ is there but does not answer; is it a Cohort coordinator?"
            case .disconnected:
                if trouble.hasPrefix("something accepts") {
                    trouble = "what listens there hangs up; it does not speak Cohort's protocol"
                }
            default: break
            }
        }
    }

    private func explanation(of loss: PeerSession.Loss) -> String {
        switch loss {
        case .noAnswer: "no coordinator answers at \(endpoint): \(trouble.isEmpty ? "no reason is known" : trouble)"
        case .refused(let reason): "the coordinator at \(endpoint) refuses: \(reason)"
        case .silent: "nothing was heard from the coordinator at \(endpoint) for \(session.lease.seconds) s"
        case .goodbye(let reason): "the coordinator at \(endpoint) ended the session: \(reason)"
        }
    }
}
