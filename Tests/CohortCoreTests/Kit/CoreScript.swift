internal import CohortCore
internal import Testing

/// Drives a `CoordinatorCore` event by event, on a clock that moves only when told, and accounts for every action.
///
/// After each burst of events it flushes, looks at the invariants, and renders what came out as lines such as
/// `c1 ended g1/0 ok` or `w1 assign g1/0 #2`, a fact each, in order (see `ActionTrace`). `expect` takes all lines there are
/// and wants exactly these, so a test cannot overlook an action. Heartbeats are left out unless asked for.
struct CoreScript {
    private(set) var core: CoordinatorCore
    private(set) var now = Instant(nanoseconds: 1_000_000_000)
    var trace = ActionTrace()
    /// The actions behind the lines that have not been taken yet.
    private(set) var actions: [CoordinatorAction] = []
    /// What a store would hold, of a core that keeps a journal.
    private(set) var journal = JournalState()
    /// Whether all that is sent to clients comes to them at once.
    var delivers = true
    /// How many updates each session has been sent.
    private var updates: [SessionID: UInt64] = [:]
    private let checksInvariants: Bool
    private var sessions: [SessionID] = []
    private var clientCount = 0
    private var workerCount = 0
    /// The latest session that the owner of each token has asked for.
    private var requests: [UInt64: UInt32] = [:]
    private var submitted: [Place: (tasks: UInt32, templates: UInt32)] = [:]

    private struct Place: Hashable {
        var client: SessionID
        var key: UInt32
    }

    /// - Parameter checksInvariants: off for scripts with so many tasks that looking at all after each event takes too long.
    init(limits: Limits = Limits(), keepsJournal: Bool = false, checksInvariants: Bool = true) {
        core = CoordinatorCore(limits: limits, keepsJournal: keepsJournal)
        self.checksInvariants = checksInvariants
    }

    // MARK: Sending

    /// Handles a burst of events, then flushes once.
    mutating func send(_ events: CoordinatorEvent..., sourceLocation: SourceLocation = #_sourceLocation) {
        send(burst: events, sourceLocation: sourceLocation)
    }

    mutating func send(burst events: [CoordinatorEvent], sourceLocation: SourceLocation = #_sourceLocation) {
        var out: [CoordinatorAction] = []
        for event in events {
            core.handle(event, at: now, into: &out)
            checkInvariants(after: event, sourceLocation)
        }
        core.flush(at: now, into: &out)
        if let last = events.last { checkInvariants(after: last, sourceLocation) }
        apply(out)
        actions += out
        trace.add(out)
    }

    private mutating func apply(_ out: [CoordinatorAction]) {
        var told: [SessionID] = []
        for action in out {
            switch action {
            case .closeSession(let session, _): sessions.removeAll { $0 == session }
            case .record(let batch): journal.apply(batch)
            case .update(let session, _):
                updates[session, default: 0] += 1
                told.append(session)
            default: break
            }
        }
        guard core.keepsJournal, delivers, !told.isEmpty else { return }
        var more: [CoordinatorAction] = []
        for session in told { core.handle(.updatesReceived(session, updates[session] ?? 0), at: now, into: &more) }
        core.flush(at: now, into: &more)
        apply(more)
        actions += more
        trace.add(more)
    }

    private func checkInvariants(after event: CoordinatorEvent, _ sourceLocation: SourceLocation) {
        guard checksInvariants else { return }
        let faults = core.checkInvariants()
        #expect(faults == [], "after \(event)", sourceLocation: sourceLocation)
    }

    /// Moves the clock, stopping wherever the core has something to do. All sessions but `silent` ones are heard of.
    mutating func advance(
        by span: TimeSpan,
        silent: Set<SessionID> = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let end = now.advanced(by: span)
        while let due = core.nextDeadline, due <= end {
            now = max(now, due)
            let heard = sessions.filter { !silent.contains($0) }.map { CoordinatorEvent.heard($0) }
            send(burst: heard + [.timeReached], sourceLocation: sourceLocation)
        }
        now = end
    }

    /// Moves the clock at once, as if the process had been stopped meanwhile; says nothing to the core.
    mutating func jump(by span: TimeSpan) { now = now.advanced(by: span) }

    /// The coordinator dies, and another one begins with its journal a little later.
    mutating func restart(after span: TimeSpan = .milliseconds(100), sourceLocation: SourceLocation = #_sourceLocation)
    {
        now = now.advanced(by: span)
        sessions = []
        #expect(journal.contradiction() == nil, sourceLocation: sourceLocation)
        core = CoordinatorCore(recovering: journal, limits: core.limits, at: now)
        send(burst: [], sourceLocation: sourceLocation)
        #expect(core.checkInvariants() == [], sourceLocation: sourceLocation)
    }

    // MARK: Taking

    /// Takes all lines there are; they must be exactly these.
    mutating func expect(_ lines: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(trace.lines == lines, sourceLocation: sourceLocation)
        settle()
    }

    mutating func expectNothing(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(trace.lines == [], sourceLocation: sourceLocation)
        settle()
    }

    /// Takes all actions there are as values; they must be exactly these.
    mutating func expect(exactly expected: [CoordinatorAction], sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(actions == expected, sourceLocation: sourceLocation)
        settle()
    }

    /// Takes the lines that contain `text` and throws away the others.
    mutating func take(containing text: String) -> [String] {
        defer { settle() }
        return trace.lines.filter { $0.contains(text) }
    }

    /// Throws away what has come out so far.
    mutating func settle() {
        trace.lines.removeAll()
        actions.removeAll()
    }

    // MARK: Sessions

    @discardableResult
    mutating func client(token: UInt64 = 0) -> SessionID {
        clientCount += 1
        let session = SessionID(UInt64(clientCount))
        trace.names[session] = "c\(clientCount)"
        sessions.append(session)
        send(.clientJoined(session, PeerToken(token), nextRequest(of: token)))
        return session
    }

    /// For the session after the last one that this peer has asked for; it has had that, unless it says otherwise.
    private mutating func nextRequest(of token: UInt64) -> SessionRequest {
        let last = token == 0 ? 0 : requests[token] ?? 0
        requests[token] = last + 1
        return SessionRequest(number: last + 1, previous: last)
    }

    @discardableResult
    mutating func worker(
        slots: UInt32 = 1,
        credit: UInt32 = .max,
        runsCommands: Bool = true,
        functions: [String] = [],
        token: UInt64 = 0,
        held: [HeldAttempt] = [],
        request: SessionRequest? = nil
    ) -> SessionID {
        workerCount += 1
        let session = SessionID(1_000 + UInt64(workerCount))
        trace.names[session] = "w\(workerCount)"
        sessions.append(session)
        let offer = WorkerOffer(
            name: "worker-\(workerCount)",
            host: "host",
            processID: 4_000 + UInt32(workerCount),
            slots: slots,
            credit: credit,
            runsCommands: runsCommands,
            functions: functions,
            held: held
        )
        send(.workerJoined(session, offer, PeerToken(token), request ?? nextRequest(of: token)))
        return session
    }

    // MARK: Groups

    mutating func open(
        _ client: SessionID,
        _ key: UInt32,
        in parent: UInt32? = nil,
        policy: FailurePolicy = .cancel,
        limit: UInt32? = nil,
        timeout: TimeSpan? = nil,
        grace: TimeSpan? = nil,
        shield: Bool = false,
        detached: Bool = false,
        isScope: Bool = false,
        acceptsSiblings: Bool = false,
        by task: String? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let spec = GroupSpec(
            key: GroupKey(key),
            parent: parent.map(GroupKey.init),
            owner: task.map { held($0, sourceLocation: sourceLocation).ref },
            name: "group-\(key)",
            policy: policy,
            limit: limit,
            timeout: timeout,
            grace: grace,
            shield: shield,
            detached: detached,
            isScope: isScope,
            acceptsSiblings: acceptsSiblings
        )
        send(.groupOpened(client, spec), sourceLocation: sourceLocation)
    }

    /// Adds tasks of one template, the next numbers of the group.
    mutating func submit(
        _ client: SessionID,
        _ key: UInt32,
        _ template: TaskTemplate = TaskTemplate(name: "task"),
        count: Int = 1,
        payloads: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let event = submission(client, key, template, count: count, payloads: payloads)
        send(event, sourceLocation: sourceLocation)
    }

    /// The event of `submit`, for bursts. Counts as sent.
    mutating func submission(
        _ client: SessionID,
        _ key: UInt32,
        _ template: TaskTemplate = TaskTemplate(name: "task"),
        count: Int = 1,
        payloads: [String] = []
    ) -> CoordinatorEvent {
        let place = Place(client: client, key: key)
        let (tasks, templates) = submitted[place] ?? (0, 0)
        let bytes = payloads.map { Array($0.utf8) }
        let lengths = bytes.isEmpty ? Array(repeating: UInt32(0), count: count) : bytes.map { UInt32($0.count) }
        submitted[place] = (tasks + UInt32(lengths.count), templates + 1)
        return .tasksSubmitted(
            client,
            TaskSubmission(
                group: GroupKey(key),
                first: tasks,
                firstTemplate: templates,
                templates: [template],
                runs: [TaskRun(template: templates, lengths: lengths)],
                payload: bytes.flatMap { $0 }
            )
        )
    }

    mutating func seal(
        _ client: SessionID,
        _ key: UInt32,
        _ end: BodyEnd = .returned,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        send(.groupSealed(client, GroupKey(key), end), sourceLocation: sourceLocation)
    }

    mutating func cancel(
        _ client: SessionID,
        _ key: UInt32,
        grace: TimeSpan? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let event = CoordinatorEvent.groupCancelled(client, .key(GroupKey(key)), grace: grace, reason: "enough")
        send(event, sourceLocation: sourceLocation)
    }

    mutating func cancelTask(
        _ client: SessionID,
        _ key: UInt32,
        _ index: UInt32,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        send(
            .taskCancelled(client, GroupKey(key), index: index, reason: "not needed"),
            sourceLocation: sourceLocation
        )
    }
}
