internal import CohortCore
internal import ZeroMQ

/// Makes of what happens to a connection why nobody answers, or why nobody ever will.
struct HandshakeWatch {
    /// What is known of why nobody answers, for people; `nil` as long as there has been no connection.
    private(set) var trouble: String?
    /// Why it makes no sense to go on: the other end has said so, or is known not to change its mind.
    private(set) var refusal: String?
    /// The key that this end shows; nil if it has none.
    private let key: String?
    private var progress = Progress.none
    /// The other end, or who was there before, has completed a greeting: the keys fit, and what hangs up now stands in the place
    /// of a coordinator that is away, such as a tunnel or a load balancer.
    private(set) var hasSpoken: Bool
    private var connectedAt: Instant?
    /// Connections that were closed in mid-greeting, one after the other.
    private var cutShort = 0

    private enum Progress { case none, accepted, spoke, foreign }

    /// Whether libzmq connects again by itself.
    enum Sequel {
        case certain
        /// It does if the connection was lost, and does not if what came over it could not be understood.
        case open
        /// What came was no greeting: it gives the endpoint up for good.
        case none
    }

    /// What follows the latest connection.
    private(set) var sequel = Sequel.certain

    /// A coordinator that does not know the key that a greeting was made for hangs up, which one that ends at that moment does
    /// too, but not so often in a row.
    private static let cutShortMax = 5

    /// It does so at once; a connection that ends later is one that nobody has found the time for.
    private static let promptly = TimeSpan.seconds(1)

    /// - Parameters:
    ///   - key: what this end shows, and then it expects one of the other.
    ///   - hasSpoken: with these keys a coordinator has answered before.
    init(key: String?, hasSpoken: Bool = false) {
        self.key = key
        self.hasSpoken = hasSpoken
    }

    mutating func take(_ event: SocketMonitor.Event, at now: Instant) {
        switch event.kind {
        // Unless something else is told before it ends.
        case .connected, .handshakeFailedProtocol: sequel = .none
        case .handshakeFailedNoDetail: sequel = .certain
        case .handshakeSucceeded: sequel = .open
        default: break
        }
        explain(event, at: now)
    }

    private mutating func explain(_ event: SocketMonitor.Event, at now: Instant) {
        switch event.kind {
        case .handshakeFailedAuth:
            refusal = "it does not know the key '\(key ?? "")': add that to its --allow file, and start it again"
        case .handshakeFailedProtocol where event.isMechanismMismatch:
            refusal =
                key != nil
                ? "it uses no keys; leave out --server-key and --key (or unset COHORT_SERVER_KEY and COHORT_KEY_FILE)"
                : "it lets nobody in without a key; give --server-key and --key (see 'cohort help keygen')"
        case .handshakeFailedNoDetail, .handshakeFailedProtocol:
            progress = .foreign
            // A coordinator that has no time for the greeting, or ends in it, looks the same.
            trouble =
                "what listens there does not speak Cohort's protocol, or is too busy to answer (\(event.explanation))"
            countCutShort(at: now)
        case .connected:
            connectedAt = now
            // The next try to connect says less than how the last one ended.
            guard progress != .foreign, cutShort == 0 else { return }
            progress = .accepted
            trouble = "something accepts connections there but does not answer; is it a Cohort coordinator?"
        case .handshakeSucceeded:
            progress = .spoke
            hasSpoken = true
            cutShort = 0
            trouble = "something that speaks ZeroMQ is there but does not answer; is it a Cohort coordinator?"
        case .disconnected:
            guard progress == .accepted else { return }
            trouble = "what listens there hangs up; it does not speak Cohort's protocol, or is too busy to answer"
            countCutShort(at: now)
        default: break
        }
    }

    private mutating func countCutShort(at now: Instant) {
        guard key != nil, !hasSpoken, let connectedAt, now.since(connectedAt) <= Self.promptly else { return }
        cutShort += 1
        trouble = "what listens there hangs up on the greeting; --server-key may not be the key of that coordinator"
        if cutShort >= Self.cutShortMax {
            refusal = "it hangs up on the greeting: --server-key is not its key, or it is no Cohort coordinator"
        }
    }
}
