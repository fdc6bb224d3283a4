package import CohortCore
package import CohortRuntime

/// What a worker is started with.
package struct WorkerConfiguration: Sendable {
    package var endpoint: String
    package var name: String
    /// How many tasks it runs at once.
    package var slots: Int
    package var functions: FunctionRegistry
    package var runsCommands: Bool
    /// Command line of its call hosts.
    package var hostArguments = CallPool.Configuration.thisProgram
    /// How long to wait for the coordinator's first answer; `nil` for ever.
    package var patience: TimeSpan?
    /// Begins a new session when the coordinator has gone, instead of ending.
    package var reconnects: Bool
    /// Who it is to the coordinator, across its sessions.
    package var token: PeerToken
    /// Where what runs is recorded, for whoever must tell how the worker has died; with the descriptor to pass on.
    package var record: (record: AttemptRecord, descriptor: Int32)?
    /// For a coordinator that wants keys.
    package var keys: PeerKeys?

    package init(
        endpoint: String,
        name: String,
        slots: Int,
        functions: FunctionRegistry,
        runsCommands: Bool = true,
        patience: TimeSpan? = nil,
        reconnects: Bool = true,
        token: PeerToken = .random()
    ) {
        self.endpoint = endpoint
        self.name = name
        self.slots = slots
        self.functions = functions
        self.runsCommands = runsCommands
        self.patience = patience
        self.reconnects = reconnects
        self.token = token
    }
}

/// What a worker tells the process around it.
package enum WorkerNotice: Sendable, Equatable {
    case connected(coordinator: String, epoch: UInt64, session: UInt64)
    /// The session is over, and no new one will be tried.
    case ended(explanation: String)
    /// The session is over; a new one is being tried.
    case reconnecting(explanation: String)
    /// The answer to `WorkerProcess.explainSilence`: what its own tries to connect have shown, `nil` if nothing.
    case unanswered(trouble: String?)
    /// Nothing runs any more after `drain`, and the coordinator has acknowledged that, or was not heard of for its lease.
    case drained
}
