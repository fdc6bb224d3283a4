internal import CohortCore
internal import CohortProcess
internal import CohortRuntime
internal import Glibc

/// The supervisor of a worker: starts it with a record of its own, and tells the coordinator how it has died.
struct WorkerSupervisor {
    /// Where the number of the record's descriptor stands in the worker's environment.
    private static let variable = "COHORT_ATTEMPT_RECORD"
    /// How long to hold an obituary back when the worker's last words are still on their way: what has ended is then known
    /// to have ended. They travel on another connection, which nothing keeps in step with this one.
    private static let lastWordsMicroseconds: UInt32 = 50_000

    private let restarts: RestartBudget
    private let leftovers: Guardian.Leftovers
    private let lastWords: Guardian.LastWords?
    private let keys: PeerKeys?
    private let says: (String) -> Void

    init(
        restarts: RestartBudget,
        leftovers: Guardian.Leftovers,
        lastWords: Guardian.LastWords?,
        keys: PeerKeys?,
        says: @escaping (String) -> Void
    ) {
        self.restarts = restarts
        self.leftovers = leftovers
        self.lastWords = lastWords
        self.keys = keys
        self.says = says
    }

    /// Keeps a worker running, in processes of this same program, until it ends for good or the owner has gone.
    func run() throws -> Never {
        var supervisor = try Supervisor(restarts: restarts, leftovers: leftovers, lastWords: lastWords)
        var current: (record: AttemptRecord, descriptor: Int32)?
        try supervisor.run(
            begin: {
                let made = try AttemptRecord.make()
                current = made
                return Supervisor.Life(
                    variables: [(Self.variable, String(made.descriptor))],
                    descriptors: [made.descriptor]
                )
            },
            onEnd: { status, outOfMemory in
                guard let (record, descriptor) = current else { return .leave }
                close(descriptor)
                current = nil
                if record.isLeaving { return .leave }
                if let note = record.session {
                    if record.hasUnacknowledgedEnds { usleep(Self.lastWordsMicroseconds) }
                    var death = WorkerDeath(status, begun: record.begun)
                    death.outOfMemory = outOfMemory
                    Obituary.send(death, of: note, keys: keys)
                }
                return .restart
            },
            says: says
        )
    }

    /// In the worker: the record that its supervisor has made; nil if there is none.
    static func inheritedRecord() -> (record: AttemptRecord, descriptor: Int32)? {
        guard let descriptor = getenv(variable).flatMap({ Int32(String(cString: $0)) }) else { return nil }
        unsetenv(variable)
        guard let record = AttemptRecord.open(descriptor) else { return nil }
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return (record, descriptor)
    }
}

extension WorkerDeath {
    init(_ status: ExitStatus, begun: [AttemptRef]?) {
        switch status {
        case .exited(let code): self.init(exitCode: code, begun: begun)
        case .signalled(let signal, let dumped):
            self.init(signal: signal, begun: begun)
            coreDumped = dumped
        }
    }
}
