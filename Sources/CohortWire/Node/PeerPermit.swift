/// What a connection has proven about whoever is at its other end.
package struct PeerPermit: Sendable, Equatable {
    /// What a key may be used for.
    package enum Role: String, Sendable, CaseIterable {
        case client
        case worker
    }

    package var roles: Set<Role>
    /// What the list of those who may come in calls the key.
    package var keyName: String

    package init(roles: Set<Role>, keyName: String) {
        self.roles = roles
        self.keyName = keyName
    }
}

extension PeerPermit {
    /// Why a peer may not have a role; `nil` if it may.
    func refusal(of role: Greeting.Role) -> String? {
        guard !roles.contains(role.permit) else { return nil }
        let told = "the key \(keyName) is not listed as \(role.permit.rawValue)"
        guard role.permit == .client, !roles.isEmpty else { return told }
        return told + "; that of a worker whose tasks open groups must be listed as both"
    }
}

extension Greeting.Role {
    /// What a key must be allowed for so that its owner may take this role. A supervisor speaks for its workers.
    var permit: PeerPermit.Role {
        switch self {
        case .client: .client
        case .worker, .supervisor: .worker
        }
    }
}
