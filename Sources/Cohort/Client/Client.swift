package import CohortCore
package import CohortRuntime
internal import CohortWire
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

/// A session with a coordinator: requests go out, notices come into a mailbox.
///
/// All methods may be called from any thread and return at once. Requests made before the coordinator has answered are kept
/// and sent then.
package final class Client: Sendable {
    private let loop: LoopThread
    package let notices: Mailbox<ClientNotice>

    /// Begins to connect; `ClientNotice.connected` or `.lost` follows.
    ///
    /// - Parameter patience: how long to wait for the coordinator's first answer.
    package init(endpoint: String, name: String, patience: TimeSpan) throws {
        let notices = Mailbox<ClientNotice>()
        self.notices = notices
        loop = try LoopThread.start(name: "client") { loop in
            try ClientShell(endpoint: endpoint, name: name, patience: patience, loop: loop, notices: notices)
        }
    }

    package func open(_ spec: GroupSpec) { send(.openGroup(spec)) }

    package func submit(_ submission: TaskSubmission) { send(.submit(submission)) }

    /// No more will come into the group from here.
    package func seal(_ group: GroupKey, _ end: BodyEnd = .returned) { send(.seal(group, end)) }

    package func cancel(_ target: GroupTarget, grace: TimeSpan? = nil, reason: String) {
        send(.cancelGroup(target, grace: grace, reason: reason))
    }

    /// The deadline is now so far away; `nil` for none.
    package func setDeadline(_ target: GroupTarget, _ span: TimeSpan?) { send(.setDeadline(target, span)) }

    /// Gives back the weight of updates that have been dealt with, and credit for the output of tasks that still run.
    package func consumed(weight: UInt64, _ outputs: [ConsumedOutput]) { send(.consumed(weight: weight, outputs)) }

    /// The deadline is later by so much than it was.
    package func extendDeadline(_ target: GroupTarget, by span: TimeSpan) { send(.extendDeadline(target, by: span)) }

    package func watch(_ target: GroupTarget) { send(.watch(target)) }

    package func query() { send(.query) }

    /// Says goodbye and ends.
    package func close() {
        loop.perform { handler in (handler as? ClientShell)?.leave() }
        loop.stop()
    }

    private func send(_ body: FrameBody) {
        loop.perform { handler in (handler as? ClientShell)?.send(body) }
    }
}

/// The loop-thread side of a `Client`.
final class ClientShell: LoopHandler {
    private let context: Context
    private let notices: Mailbox<ClientNotice>
    private var connection: PeerConnection?
    private var unsent: [FrameBody] = []

    init(
        endpoint: String,
        name: String,
        patience: TimeSpan,
        loop: LoopThread,
        notices: Mailbox<ClientNotice>
    ) throws {
        self.notices = notices
        context = try Context()
        connection = try PeerConnection(
            to: endpoint,
            as: Greeting(role: .client, name: name, host: Host.name, processID: Host.processID),
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

    func leave() { connection?.close(reason: "done") }

    func nextDeadline() -> UInt64? { connection?.nextDeadline?.nanoseconds }

    func socketReady(_ token: Int, in loop: LoopThread) { connection?.ready(token) }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) { connection?.tick() }
}

extension ClientShell: PeerConnectionDelegate {
    func connectionOpened(_ connection: PeerConnection) {
        for body in unsent { connection.send(body) }
        unsent.removeAll()
        notices.put(.connected)
    }

    func connection(_ connection: PeerConnection, received body: FrameBody) {
        switch body {
        case .update(let update): notices.put(.update(update))
        case .snapshot(let snapshot): notices.put(.snapshot(snapshot))
        default: break
        }
    }

    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String) {
        notices.put(.lost(loss, explanation: explanation))
    }
}
