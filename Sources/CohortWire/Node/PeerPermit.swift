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

extension Greeting.Role {
    /// What a key must be allowed for so that its owner may take this role. A supervisor speaks for its workers.
    var permit: PeerPermit.Role {
        switch self {
        case .client: .client
        case .worker, .supervisor: .worker
        }
    }
}
