internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import ZeroMQ

/// The loop-thread side of a `ClientLink`.
final class ClientShell: LoopHandler {
    /// How long the first answer or a break may take before anybody is told.
    private static let silentBreak = TimeSpan.seconds(1)
    /// How long a coordinator needs at most to say that it does not know the session.
    private static let verdictTime = TimeSpan.milliseconds(300)

    private let context: Context
    private let policy: ReturnPolicy
    private let requests: (@Sendable () -> [FrameBody])?
    private let receive: @Sendable (ClientNotice) -> Void
    private var connection: PeerConnection?
    private var lastExtension: UInt32 = 0
    private var hasBeenOpen: Bool { lineage != nil }
    /// What the coordinator of the last session remembers; `nil` before the first one.
    private var lineage: UInt64?
    /// Since when the coordinator cannot be reached; `nil` if it can.
    private var goneSince: Instant?
    /// The program has been told of that.
    private var hasTold = false
    /// When to tell that the coordinator does not answer, is gone, or is back.
    private var tellAt: Instant?
    /// How long the coordinator may take for its first answer.
    private let firstPatience: TimeSpan

    init(
        endpoint: String,
        name: String,
        keys: PeerKeys?,
        patience: TimeSpan,
        policy: ReturnPolicy,
        loop: LoopThread,
        requests: (@Sendable () -> [FrameBody])?,
        receive: @escaping @Sendable (ClientNotice) -> Void
    ) throws {
        self.policy = policy
        firstPatience = patience
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
                // Who owns nothing there need not be known when it comes back.
                token: policy == .withinLease ? .random() : .none
            ),
            keys: keys,
            in: context,
            loop: loop,
            token: 0,
            patience: patience,
            delegate: self
        )
        // One of its own comes in its own time.
        if policy != .never { tellAt = .now.advanced(by: Self.silentBreak) }
    }

    func send(_ body: FrameBody) { connection?.send(body) }

    /// Sends it with the next token, by which the coordinator knows it if it comes again. The tokens ascend in the order of
    /// sending, so they are taken on this thread.
    func extendDeadline(_ target: GroupTarget, by span: TimeSpan) {
        lastExtension += 1
        send(.extendDeadline(target, by: span, token: lastExtension))
    }

    func leave() {
        tellAt = nil
        sendRequests()
        connection?.close(reason: "done")
    }

    private func sendRequests() {
        guard let requests else { return }
        for body in requests() { send(body) }
    }

    func nextDeadline() -> UInt64? {
        let deadlines = [connection?.nextDeadline, tellAt].compactMap(\.self)
        return deadlines.min()?.nanoseconds
    }

    func socketReady(_ token: Int, in loop: LoopThread) { connection?.ready(token) }

    func descriptorReady(_ token: Int, events: Int16, in loop: LoopThread) {}

    func turnEnded(in loop: LoopThread) {
        sendRequests()
        connection?.tick()
        if let due = tellAt, due <= .now { tell() }
    }

    // MARK: A coordinator that is gone

    private func tell() {
        tellAt = nil
        if !hasBeenOpen {
            tellUnanswered()
        } else if goneSince == nil {
            if hasTold { receive(.restored(.same)) }
            hasTold = false
        } else if !hasTold, let connection {
            if hasNothingToWaitFor(connection) { return giveUp(connection) }
            hasTold = true
            receive(
                .interrupted(
                    explanation:
                        "the coordinator at \(connection.endpoint) does not answer; waiting up to "
                        + "\(patience(of: connection).inWords) for it to come back" + fate
                )
            )
        }
    }

    private func tellUnanswered() {
        guard let connection, firstPatience > Self.silentBreak else { return }
        let trouble =
            (connection.trouble ?? Reachability.localTrouble(at: connection.endpoint)).map { " (\($0))" } ?? ""
        receive(
            .unanswered(
                explanation: "no coordinator answers at \(connection.endpoint) yet\(trouble); waiting up to "
                    + "\(firstPatience.inWords) for one"
            )
        )
    }

    /// Whether what it has there is gone for certain: the process has ended that alone knew of it.
    ///
    /// Nothing but a socket of this machine proves that. Behind a port that refuses may be a tunnel that is down.
    private func hasNothingToWaitFor(_ connection: PeerConnection) -> Bool {
        if case .patient(_, asksAfterGroups: false) = policy { return false }
        return connection.acceptance?.durable == false && Reachability.isAbandoned(connection.endpoint)
    }

    private func giveUp(_ connection: PeerConnection) {
        tellAt = nil
        connection.close(reason: "the coordinator has ended")
        let explanation = "the coordinator at \(connection.endpoint) has ended, and all that was open there with it"
        receive(.lost(.silent, explanation: explanation + ", for it kept no journal"))
    }

    /// What becomes of a client's own tasks meanwhile, for people.
    private var fate: String {
        guard case .withinLease = policy else { return "" }
        return "; workers kill what runs for this client after \(WorkerCore.attachedPatience.inWords) without one"
    }

    /// How long a coordinator that is gone is waited for, from the moment at which it went.
    private func patience(of connection: PeerConnection) -> TimeSpan {
        if case .patient(let span, _) = policy { span } else { connection.lease }
    }

    private func noteGone(since instant: Instant) {
        goneSince = goneSince ?? instant
        if !hasTold { tellAt = tellAt ?? Instant.now.advanced(by: Self.silentBreak) }
    }

    /// How long to look for a coordinator again; `nil` if not at all.
    private func patience(after loss: PeerSession.Loss, _ lease: TimeSpan) -> TimeSpan? {
        guard hasBeenOpen else { return nil }
        switch (loss, policy) {
        case (.refused, _), (.noAnswer, _), (.incomprehensible, _), (_, .never): return nil
        // It has been started anew, and waits as long as this for those whom it knew.
        case (.unknown, .withinLease): return lease
        // The coordinator has waited, or will not, and what was open has been cancelled.
        case (.silent, .withinLease), (.asleep, .withinLease), (.goodbye, .withinLease): return nil
        case (_, .patient(let span, _)):
            let spent = goneSince.map { Instant.now.since($0) } ?? .zero
            return TimeSpan(nanoseconds: span.nanoseconds - min(span.nanoseconds, spent.nanoseconds))
        }
    }
}

extension ClientShell: PeerConnectionDelegate {
    func connectionOpened(_ connection: PeerConnection) {
        let before = lineage
        let now = connection.acceptance?.lineage ?? 0
        lineage = now
        goneSince = nil
        tellAt = nil
        hasTold = false
        guard let before else { return receive(.connected) }
        if connection.acceptance?.resumed == true { return receive(.restored(.resumed)) }
        receive(.restored(before == now ? .anew : .forgotten))
    }

    func connection(_ connection: PeerConnection, received body: FrameBody) {
        switch body {
        case .update(let update): receive(.update(update))
        case .snapshot(let snapshot): receive(.snapshot(snapshot))
        default: break
        }
    }

    func connectionBroken(_ connection: PeerConnection) {
        if policy != .never { noteGone(since: .now) }
    }

    func connectionRestored(_ connection: PeerConnection) {
        goneSince = nil
        // If the session is not known there, that is told first.
        tellAt = hasTold ? Instant.now.advanced(by: Self.verdictTime) : nil
    }

    func connection(_ connection: PeerConnection, lost loss: PeerSession.Loss, explanation: String) {
        if let patience = patience(after: loss, connection.acceptance?.lease ?? .zero) {
            do {
                try connection.reconnect(in: context, patience: patience)
                return noteGone(since: .now)
            } catch {
                tellAt = nil
                return receive(.lost(loss, explanation: "\(explanation); \(error)"))
            }
        }
        tellAt = nil
        receive(.lost(loss, explanation: explanation))
    }
}
