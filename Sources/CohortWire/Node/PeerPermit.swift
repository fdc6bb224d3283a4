/// What somebody may be who has come in with a key.
package struct PeerPermit: Sendable, Equatable {
    package struct Roles: OptionSet, Sendable, Hashable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let client = Roles(rawValue: 1)
        package static let worker = Roles(rawValue: 2)
    }

    package var roles: Roles
    /// What the key is called, for messages and logs.
    package var name: String

    package init(roles: Roles, name: String) {
        self.roles = roles
        self.name = name
    }

    /// Why a peer with this permit may not have a role; `nil` if it may.
    package func refusal(of role: Greeting.Role) -> String? {
        switch role {
        case .client where !roles.contains(.client):
            "the key \(name) is listed as worker, not as client (a worker whose tasks open groups needs both)"
        case .worker where !roles.contains(.worker), .supervisor where !roles.contains(.worker):
            "the key \(name) is listed as client, not as worker"
        default: nil
        }
    }
}
