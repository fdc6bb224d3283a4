internal import CohortCore

/// What a coordinator writes in the course of a short, varied life.
struct RealJournal {
    private(set) var batches: [JournalBatch] = []
    private(set) var state = JournalState()
    private var core = CoordinatorCore(keepsJournal: true)
    private(set) var now = Instant(nanoseconds: 1_800_000_000_000_000_000)
    private let client = SessionID(1)
    private let program = SessionID(2)
    private let worker = SessionID(3)
    /// What the worker has, by group and number.
    private var held: [Place: AttemptRef] = [:]
    private var templates: [TemplateID: GroupID] = [:]

    private struct Place: Hashable {
        var group: UInt64
        var index: UInt32
    }

    init() {
        send(.clientJoined(client, PeerToken(11)))
        send(.clientJoined(program, PeerToken(12)))
        let offer = WorkerOffer(
            name: "worker",
            host: "host",
            processID: 4,
            slots: 16,
            credit: 32,
            runsCommands: true,
            functions: ["f"]
        )
        send(.workerJoined(worker, offer, PeerToken(13)))
        // Closed and kept for its owner, with a group inside.
        open(1)
        open(2, in: 1)
        submit(2, ["a", "b"])
        finish(2, 0)
        finish(2, 1, .failed)
        seal(2)
        seal(1)
        // Detached, with tasks in every state.
        var template = TaskTemplate(name: "t", function: "f", retries: 3, backoff: .seconds(60))
        open(3, detached: true)
        submit(3, ["1", "", "333"], template)
        open(4, in: 3, limit: 2)
        template.timeout = .seconds(600)
        submit(4, ["x", "y", "z"], template)
        start(3, 0)
        start(3, 1)
        finish(3, 1, .failed)
        start(4, 0)
        // A task with groups of its own, to which its siblings add others.
        open(5, acceptsSiblings: true)
        submit(5, ["p", "q"])
        start(5, 0)
        if let ref = held[Place(group: 5, index: 0)] {
            send(.siblingsJoined(program, GroupKey(1), ref))
            submit(1, ["s"], by: program)
            open(2, by: program, owner: ref)
            submit(2, ["n"], by: program)
            var report = WorkerReport()
            report.waiting = [ref]
            send(.workerReported(worker, report))
        }
        submit(5, ["r"], first: 2)
        // One that stops, with a task that cleans up, and one whose end waits for what it has opened.
        open(7)
        submit(7, ["u", "v"])
        start(7, 0)
        if let ref = held[Place(group: 7, index: 0)] {
            open(3, by: program, owner: ref)
            submit(3, ["w"], by: program)
        }
        send(.groupCancelled(client, .key(GroupKey(7)), grace: nil, reason: "enough"))
        finish(7, 0, .failed)
    }

    private mutating func send(_ event: CoordinatorEvent) {
        var actions: [CoordinatorAction] = []
        now = now.advanced(by: .milliseconds(1))
        core.handle(event, at: now, into: &actions)
        core.flush(at: now, into: &actions)
        for action in actions {
            switch action {
            case .record(let batch):
                batches.append(batch)
                state.apply(batch)
            case .assign(_, let batch):
                for template in batch.templates { templates[template.id] = template.group }
                for task in batch.tasks {
                    guard let group = templates[task.template] else { continue }
                    held[Place(group: group.value, index: task.index)] = task.ref
                }
            default: break
            }
        }
    }

    private mutating func open(
        _ key: UInt32,
        in parent: UInt32? = nil,
        by session: SessionID = SessionID(1),
        owner: AttemptRef? = nil,
        limit: UInt32? = nil,
        detached: Bool = false,
        acceptsSiblings: Bool = false
    ) {
        let spec = GroupSpec(
            key: GroupKey(key),
            parent: parent.map { GroupKey($0) },
            owner: owner,
            name: "g\(key)",
            policy: .continue,
            limit: limit,
            timeout: .seconds(3_600),
            detached: detached,
            acceptsSiblings: acceptsSiblings
        )
        send(.groupOpened(session, spec))
    }

    private mutating func submit(
        _ key: UInt32,
        _ payloads: [String],
        _ template: TaskTemplate = TaskTemplate(name: "task"),
        first: UInt32 = 0,
        by session: SessionID = SessionID(1)
    ) {
        let submission = TaskSubmission(
            group: GroupKey(key),
            first: first,
            firstTemplate: first == 0 ? 0 : 1,
            templates: [template],
            runs: [TaskRun(template: first == 0 ? 0 : 1, lengths: payloads.map { UInt32($0.utf8.count) })],
            payload: payloads.flatMap { Array($0.utf8) }
        )
        send(.tasksSubmitted(session, submission))
    }

    private mutating func seal(_ key: UInt32) { send(.groupSealed(client, GroupKey(key), .returned)) }

    private mutating func start(_ group: UInt64, _ index: UInt32) {
        guard let ref = held[Place(group: group, index: index)] else { return }
        var report = WorkerReport()
        report.started = [ref]
        send(.workerReported(worker, report))
    }

    private mutating func finish(_ group: UInt64, _ index: UInt32, _ status: AttemptStatus = .ok) {
        guard let ref = held[Place(group: group, index: index)] else { return }
        var report = WorkerReport()
        var detail = AttemptDetail()
        detail.message = "message"
        if status == .failed { report.details = [detail] }
        report.finished = [
            FinishedAttempt(
                ref: ref,
                status: status,
                elapsed: .seconds(1),
                valueLength: 3,
                detail: status == .failed ? 0 : -1
            )
        ]
        report.payload = [1, 2, 3]
        send(.workerReported(worker, report))
    }
}
