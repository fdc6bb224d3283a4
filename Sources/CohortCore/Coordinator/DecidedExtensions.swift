/// What has become of a client's requests to extend deadlines.
///
/// Unlike all other requests such a one would count again if it came again, so each is decided once and answered as it was
/// then. A client's tokens ascend, and so what is between the refused ones was accepted.
package struct DecidedExtensions: Sendable, Equatable {
    /// A request that was turned down, and what was answered.
    package struct Refused: Sendable, Equatable {
        package var token: UInt32
        package var code: Refusal.Code
        package var message: String

        package init(token: UInt32, code: Refusal.Code, message: String) {
            self.token = token
            self.code = code
            self.message = message
        }
    }

    package enum Decision: Sendable, Equatable {
        case accepted
        case refused(Refusal.Code, String)
    }

    /// Most refused ones that are remembered: a client has few requests whose answer it has not had.
    package static let mostRefused = 64

    /// The highest token that has been decided.
    package private(set) var latest: UInt32
    /// In ascending order of their tokens.
    package private(set) var refused: [Refused]

    package init(latest: UInt32 = 0, refused: [Refused] = []) {
        self.latest = latest
        self.refused = refused
    }

    /// - Returns: how a request was answered that has been here before; `nil` for one that has not.
    package func decision(on token: UInt32) -> Decision? {
        guard token <= latest else { return nil }
        if let known = refused.first(where: { $0.token == token }) { return .refused(known.code, known.message) }
        if refused.count >= Self.mostRefused, token < refused[0].token {
            return .refused(.limit, "what became of this request is not known any more")
        }
        return .accepted
    }

    package mutating func accept(_ token: UInt32) { latest = max(latest, token) }

    package mutating func refuse(_ token: UInt32, _ code: Refusal.Code, _ message: String) {
        guard token > latest else { return }
        latest = token
        if refused.count >= Self.mostRefused { refused.removeFirst(refused.count - Self.mostRefused + 1) }
        refused.append(Refused(token: token, code: code, message: message))
    }
}
