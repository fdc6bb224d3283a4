internal import CohortCore

/// What a cluster must never see. Thrown by the model when the core does something illegal.
struct Violation: Error, CustomStringConvertible {
    var description: String
    init(_ description: String) { self.description = description }
}

/// Clients and workers around a `CoordinatorCore`, as simple as can be: what each of them knows, and what was promised to it.
///
/// The model rejects illegal actions: an assignment to a worker that is gone, full or unable, of a template that it does not
/// know, of a task that has ended, is held elsewhere or belongs to a group that has stopped; a cancel of what the worker
/// never got; more tasks of a group at once than its limit; a report twice, or of a group that has closed. It decides nothing
/// by itself: `step` and `heal` in the other files choose what happens.
struct ModelCluster {
    struct Task {
        var template: TaskTemplate
        var payload: [UInt8]
        /// How many times a worker has begun it.
        var executions: UInt32 = 0
        /// How many times nobody could tell whether a worker had begun it.
        var doubts: UInt32 = 0
        var lastAttempt: UInt32 = 0
        var report: TaskReport?
    }

    struct Group {
        var spec: GroupSpec
        var client: SessionID
        var parent: GroupID?
        /// The task of `parent` that has opened it.
        var opener: Int?
        var root: GroupID
        var isDetached: Bool
        var tasks: [Task] = []
        var templates: UInt32 = 0
        var bodyEnd: BodyEnd?
        var hasStopped = false
        /// Its client is gone: nobody is told of it any more.
        var isOrphaned = false
        var closed: GroupReport?
    }

    struct Attempt {
        var ref: AttemptRef
        var template: TemplateID
        var group: GroupID
        var index: Int
        var hasStarted = false
        var cancelRequested = false
        /// It waits for groups of its own, without a slot; once it has, it may go on beside others.
        var isSuspended = false
        var wantsSlot = false
        var wasSuspended = false
        /// Bytes of output that it has sent.
        var written: UInt64 = 0

        var state: HeldAttempt.State {
            wantsSlot ? .wanting : isSuspended ? .waiting : hasStarted ? .running : .unstarted
        }
    }

    struct Worker {
        var session: SessionID
        var token: PeerToken
        var request = SessionRequest()
        var offer: WorkerOffer
        var isDraining = false
        var attempts: [Attempt] = []
        var templates: Set<TemplateID> = []
        /// Templates of an earlier session that it has not forgotten.
        var kept: Set<TemplateID> = []
        /// All that it was ever given.
        var known: [AttemptRef] = []
    }

    struct Client {
        var session: SessionID
        var token: PeerToken
        var request = SessionRequest()
        var nextKey: UInt32 = 1
        var weight: UInt64 = 0
        var outputs: [ConsumedOutput] = []
        var watched: [GroupID] = []
        var caughtUp: [GroupID] = []
        var told: Set<String> = []
        /// Updates that have come in this session.
        var updates: UInt64 = 0
    }

    var core: CoordinatorCore
    /// What a store would hold.
    var journal = JournalState()
    /// Sessions in whose place others have come.
    var superseded: Set<SessionID> = []
    /// What a worker that came back should not have.
    var unwanted: [SessionID: Set<AttemptRef>] = [:]
    /// Who has not come back yet after a restart of the coordinator, and since when.
    var absentWorkers: [(worker: Worker, since: Instant)] = []
    var absentClients: [(client: Client, since: Instant)] = []
    var now = Instant(nanoseconds: 1_000_000_000)
    var generator: SeededGenerator
    var clients: [Client] = []
    var workers: [Worker] = []
    /// By number, from 1.
    var groups: [Group] = []
    var templateGroups: [TemplateID: GroupID] = [:]
    var nextSession: UInt64 = 1
    var isDraining = false
    var hasDrained = false
    /// What was refused since the last look.
    var refusals: [Refusal] = []
    /// The last events, for the report of a failure.
    var history: [CoordinatorEvent] = []

    init(seed: UInt64, keepsJournal: Bool = false) {
        generator = SeededGenerator(seed: seed)
        var limits = Limits()
        limits.unconsumedBytes = 2_000
        limits.prefetchPerSlot = 4
        limits.nesting = 5
        limits.fairShare = 3
        core = CoordinatorCore(limits: limits, keepsJournal: keepsJournal)
    }

    subscript(_ id: GroupID) -> Group {
        get { groups[Int(id.value) - 1] }
        set { groups[Int(id.value) - 1] = newValue }
    }

    var openGroups: [GroupID] {
        groups.indices.filter { groups[$0].closed == nil }.map { GroupID(UInt64($0) + 1) }
    }

    func held(of group: GroupID) -> Int {
        workers.reduce(0) { $0 + $1.attempts.count { $0.group == group && !$0.isSuspended } }
    }

    // MARK: Driving the core

    mutating func send(_ event: CoordinatorEvent) throws(Violation) {
        history.append(event)
        if history.count > 60 { history.removeFirst() }
        var actions: [CoordinatorAction] = []
        core.handle(event, at: now, into: &actions)
        try checkCore()
        try apply(actions)
    }

    mutating func flush() throws(Violation) {
        var actions: [CoordinatorAction] = []
        core.flush(at: now, into: &actions)
        try checkCore()
        try apply(actions)
    }

    private func checkCore() throws(Violation) {
        let faults = core.checkInvariants()
        if !faults.isEmpty { throw Violation(faults.joined(separator: "\n")) }
    }

    func check(_ condition: Bool, _ fault: @autoclosure () -> String) throws(Violation) {
        if !condition { throw Violation(fault()) }
    }

    // MARK: Sessions

    mutating func joinClient() throws(Violation) {
        let session = SessionID(nextSession)
        nextSession += 1
        let token = PeerToken(session.value)
        clients.append(Client(session: session, token: token))
        try send(.clientJoined(session, token))
    }

    mutating func joinWorker(slots: UInt32, credit: UInt32, runsCommands: Bool, functions: [String]) throws(Violation) {
        let session = SessionID(nextSession)
        nextSession += 1
        let offer = WorkerOffer(
            name: "worker-\(session.value)",
            host: "host",
            processID: 1,
            slots: slots,
            credit: credit,
            runsCommands: runsCommands,
            functions: functions
        )
        let token = PeerToken(session.value)
        workers.append(Worker(session: session, token: token, offer: offer))
        try send(.workerJoined(session, offer, token))
    }

    mutating func sessionClosed(_ session: SessionID, _ end: SessionEnd) throws(Violation) {
        if superseded.remove(session) != nil { return }
        if let place = clients.firstIndex(where: { $0.session == session }) {
            clients.remove(at: place)
            orphan(session)
        } else if let place = workers.firstIndex(where: { $0.session == session }) {
            lose(workers.remove(at: place).attempts, isExact: end.isExact)
        } else {
            throw Violation("session \(session.value) is closed, but it is not there")
        }
    }

    /// - Parameter isExact: it is known which of them had begun.
    mutating func lose(_ attempts: [Attempt], isExact: Bool) {
        for attempt in attempts {
            if !attempt.hasStarted, !isExact { self[attempt.group].tasks[attempt.index].doubts += 1 }
            closeBodies(of: attempt)
        }
    }

    /// Groups of a client that has gone stop, save for what is detached and complete.
    mutating func orphan(_ session: SessionID) {
        for place in groups.indices where groups[place].client == session && groups[place].closed == nil {
            groups[place].isOrphaned = true
            if !groups[place].isDetached { groups[place].hasStopped = true }
            if groups[place].bodyEnd == nil { markStopped(GroupID(UInt64(place) + 1)) }
        }
    }

    /// An attempt has ended: what it has opened and left gets nothing more.
    mutating func closeBodies(of attempt: Attempt) {
        for place in groups.indices
        where groups[place].parent == attempt.group && groups[place].opener == attempt.index
            && groups[place].bodyEnd == nil && groups[place].closed == nil
        {
            groups[place].bodyEnd = .returned
            closeBodiesBelow(GroupID(UInt64(place) + 1))
        }
    }

    private mutating func closeBodiesBelow(_ id: GroupID) {
        for place in groups.indices where groups[place].parent == id && groups[place].closed == nil {
            if groups[place].bodyEnd == nil { groups[place].bodyEnd = .returned }
            closeBodiesBelow(GroupID(UInt64(place) + 1))
        }
    }

    /// The group stops and, through it, all unshielded ones below.
    mutating func markStopped(_ id: GroupID) {
        self[id].hasStopped = true
        for place in groups.indices
        where groups[place].parent == id && groups[place].opener == nil && !groups[place].spec.shield {
            markStopped(GroupID(UInt64(place) + 1))
        }
    }
}

extension SessionEnd {
    /// It tells which attempts had begun.
    var isExact: Bool {
        switch self {
        case .goodbye: true
        case .leaseExpired, .unreachable: false
        case .died(let death): death.begun != nil
        }
    }
}
