internal import CohortCore

/// Why there is no connection to a coordinator, or no more.
public struct PoolError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What has happened.
    public enum Kind: Sendable, Equatable {
        /// No coordinator answers at the endpoint.
        case unreachable
        /// The coordinator does not want this client.
        case refused
        /// The keys that were named cannot be used.
        case unusableKeys
        /// The session with the coordinator has ended. The coordinator cancels what was open, if it still lives.
        case lost
        /// The pool was closed here.
        case closed
    }
    /// What has happened.
    public var kind: Kind
    /// Where the coordinator was looked for.
    public var endpoint: String
    /// What is known of the cause, and what to do.
    public var message: String

    /// An error that tells no more than what is given.
    public init(kind: Kind, endpoint: String, message: String) {
        self.kind = kind
        self.endpoint = endpoint
        self.message = message
    }

    /// The message, which names the endpoint.
    public var description: String { message }

    init(_ loss: PeerSession.Loss, endpoint: String, explanation: String) {
        switch loss {
        case .noAnswer:
            let advice = "start one with 'cohort coordinator --bind \(endpoint)', or give another endpoint"
            self.init(kind: .unreachable, endpoint: endpoint, message: "\(explanation); \(advice)")
        case .refused: self.init(kind: .refused, endpoint: endpoint, message: explanation)
        case .silent, .asleep, .unknown, .incomprehensible, .goodbye:
            self.init(kind: .lost, endpoint: endpoint, message: explanation)
        }
    }

    static func closed(_ endpoint: String) -> PoolError {
        PoolError(kind: .closed, endpoint: endpoint, message: "the connection to \(endpoint) was closed here")
    }
}
