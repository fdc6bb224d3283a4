/// A client that can come back.
package struct JournalClient: Sendable, Equatable {
    package var token: PeerToken
    package var sessions: KnownSessions
    /// Keys that it has used for groups, open or not: a request that is sent again must not open one twice.
    package var keys: [ClosedRange<UInt32>]
    package var extensions: DecidedExtensions

    package init(
        token: PeerToken,
        sessions: KnownSessions,
        keys: [ClosedRange<UInt32>],
        extensions: DecidedExtensions = DecidedExtensions()
    ) {
        self.token = token
        self.sessions = sessions
        self.keys = keys
        self.extensions = extensions
    }
}

/// A client's own name for a group.
package struct ClientKey: Sendable, Hashable, Comparable {
    package var client: PeerToken
    package var key: GroupKey

    package init(client: PeerToken, key: GroupKey) {
        self.client = client
        self.key = key
    }

    package static func < (left: ClientKey, right: ClientKey) -> Bool {
        (left.client, left.key.value) < (right.client, right.key.value)
    }
}

/// A key of a client for a group that others add tasks to as well.
package struct JournalJoin: Sendable, Equatable {
    package var key: ClientKey
    package var group: GroupID
    /// The task that adds them; `nil` for the group's owner.
    package var task: AttemptRef?

    package init(key: ClientKey, group: GroupID, task: AttemptRef?) {
        self.key = key
        self.group = group
        self.task = task
    }
}

/// A worker that reports may name, and that may hold tasks.
package struct JournalWorker: Sendable, Equatable {
    package var number: UInt32
    package var token: PeerToken
    package var latestSession: UInt32
    /// Without what it held when it joined.
    package var offer: WorkerOffer
    package var draining: Bool
    /// It is gone for good, and only its name is of interest.
    package var departed: Bool

    package init(
        number: UInt32,
        token: PeerToken,
        latestSession: UInt32,
        offer: WorkerOffer,
        draining: Bool,
        departed: Bool
    ) {
        self.number = number
        self.token = token
        self.latestSession = latestSession
        self.offer = offer
        self.draining = draining
        self.departed = departed
    }
}
