package import CohortCore
package import CohortRuntime
package import CohortWire
internal import ZeroMQ

/// What a client learns, in order.
package enum ClientNotice: Sendable {
    /// The coordinator has answered.
    case connected
    case update(ClientUpdate)
    case snapshot(Snapshot)
    /// The session is over. What was open is cancelled by the coordinator, if that still lives.
    case lost(PeerSession.Loss, explanation: String)
}

/// A client's session with a coordinator, on a thread of its own.
///
/// All methods may be called from any thread. Requests made before the coordinator has answered are kept and sent then.
package final class ClientLink: Sendable {
    private let loop: LoopThread

    /// Begins to connect; `ClientNotice.connected` or `.lost` follows.
    ///
    /// - Parameters:
    ///   - keys: for a coordinator that wants them.
    ///   - patience: how long to wait for the coordinator's first answer.
    ///   - requests: asked at the end of each turn of the loop, on its thread, for what is to be sent; `wake` makes it turn.
    ///   - receive: called on the loop's thread.
    package init(
        endpoint: String,
        name: String,
        keys: PeerKeys?,
        patience: TimeSpan,
        requests: (@Sendable () -> [FrameBody])? = nil,
        receive: @escaping @Sendable (ClientNotice) -> Void
    ) throws {
        loop = try LoopThread.start(name: "client") { loop in
            try ClientShell(
                endpoint: endpoint,
                name: name,
                keys: keys,
                patience: patience,
                loop: loop,
                requests: requests,
                receive: receive
            )
        }
    }

    package func send(_ body: FrameBody) {
        loop.perform { handler in (handler as? ClientShell)?.send(body) }
    }

    /// There are requests to be sent.
    package func wake() {
        loop.perform { _ in }
    }

    /// Says goodbye and ends, at once and without waiting for the thread.
    package func leave() {
        let loop = loop
        loop.perform { handler in
            (handler as? ClientShell)?.leave()
            loop.stop()
        }
    }

    /// Says goodbye and ends. Blocks until what was said has been handed to the system.
    package func close() {
        loop.perform { handler in (handler as? ClientShell)?.leave() }
        loop.stop()
    }
}

/// The loop-thread side of a `ClientLink`.
final class ClientShell: LoopHandler {
    private let context: Context
    private let requests: (@Sendable () -> [FrameBody])?
    private let receive: @Sendable (ClientNotice) -> Void
    private var connection: PeerConnection?
    private var unsent: [FrameBody] = []

    init(
        endpoint: String,
        name: String,
        keys: PeerKeys?,
        patience: TimeSpan,
        loop: LoopThread,
        requests: (@Sendable () -> [FrameBody])?,
        receive: @escaping @Sendable (ClientNotice) -> Void
    ) throws {
        self.requests = requests
        self.receive = receive
        context = try Context()
        connection = try PeerConnection(
            to: endpoint,
            as: Greeting(
                role: .client,
                name: name,
                host: Host.name,
                processID: Host.processID,
                token: .random()
            ),
            keys: keys,
            in: context,
            loop: loop,
            token: 0,
            patience: patience,
            delegate: self
        )
    }

    func send(_ body: FrameBody) {
        if let connection, connection.isOpen { connection.send(body) } else { unsent.append(body) }
    }

    func leave() {
        sendRequests()
        connection?.close(reason: "done")
    }

    private func sendRequests() {
        guard let requests else { return }
        for body in requests() { send(body) }
    }

    func nextDeadline() -> UInt64? { connection?.nextDeadline?.nanoseconds }

    func socketReady(_ token: Int, in loop: LoopThread) { connection?.ready(token) }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {
        sendRequests()
        connection?.tick()
    }
}

extension ClientShell: PeerConnectionDelegate {
    func connectionOpened(_ connection: PeerConnection) {
        for body in unsent { connection.send(body) }
        unsent.removeAll()
        receive(.connected)
    }

    func connection(_ connection: PeerConnection, received body: FrameBody) {
        switch body {
        case .update(let update): receive(.update(update))
        case .snapshot(let snapshot): receive(.snapshot(snapshot))
        default: break
        }
    }

    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String) {
        unsent.removeAll()
        receive(.lost(loss, explanation: explanation))
    }
}
