internal import CohortCore

/// What really happens in a simulated cluster: what clients asked for and were told, and what their programs did.
///
/// The checkers judge by this, never by what the cores believe. Everything is numbered in the order in which it came about,
/// and stays.
final class Truth {
    struct Group {
        /// The life of the client that opened it.
        var client: Int
        var parent: Int?
        /// The execution of the call that opened it.
        var opener: Int?
        var spec: GroupSpec
        /// When its client asked for it.
        var asked: Instant
        var tasks: [Int] = []
        /// Where tasks may add tasks: which one has which number, as far as that was told. Looked up, never iterated.
        var places: [UInt32: Int] = [:]
        var templates: UInt32 = 0
        /// `nil` until the client is told.
        var id: GroupID?
        var isDetached: Bool
        var isRefused = false
        var body: BodyEnd?
        /// Its client takes no interest any more: it is gone, or has been told that all is lost.
        var abandoned: Instant?
        var isAbandoned: Bool { abandoned != nil }
        /// The coordinator that knew it is no more, and kept no journal.
        var isForgotten = false
        var mayTimeOut: Bool
        var deadline: KnownDeadline
        /// Somebody asked for its cancel, or will not have anything added to it.
        var cancelSent: Instant?
        var stopTold: Instant?
        var closed: GroupReport?
        var closedAt: Instant?
    }

    struct Task {
        var group: Int
        /// Its number in its group; `nil` as long as nobody has been told which one it got.
        var index: UInt32?
        var template: TaskTemplate
        /// How many tasks, each added by the one before, led to it from one that the group's owner added.
        var generation = 0
        var executions: [Int] = []
        var isRefused = false
        /// Whoever added it to a group that others add to as well was told that it is accepted.
        var isAccepted = false
        /// It was told to the owner of its group, whoever else was told of it.
        var isOwnerTold = false
        var cancelSent: Instant?
        var told: TaskReport?
        var toldAt: Instant?
        var detail: AttemptDetail?
        /// Which execution's value was told.
        var value: [UInt8] = []
    }

    enum ProgramEnd: Equatable {
        case returned
        case failed
        /// It ended because it was asked to.
        case cancelled
        /// The process that ran it died.
        case died(signal: Int32)
        /// Its worker killed it without being asked by the coordinator.
        case killed

        /// It did not come to its end as it should, and not because it was asked to.
        var isFailure: Bool {
            if case .died = self { true } else { self == .failed }
        }
    }

    struct Execution {
        var task: Int
        /// Counts the executions of the task, from 1.
        var number: Int
        var worker: Int
        var ref: AttemptRef
        var began: Instant
        var cancelArrived: Instant?
        var grace = TimeSpan.zero
        var end: ProgramEnd?
        var ended: Instant?
        /// When the coordinator was told that its worker died under it, if it had not given that worker up before.
        var charged: Instant?
        /// How many bytes it has written; which ones, `OutputPlan` says.
        var written = 0
        /// How many of them have come to the owner of its group, without a gap.
        var received = 0
    }

    /// One process.
    struct Life {
        var name: String
        var token: PeerToken
        var began: Instant
        var ended: Instant?
        /// The signal that killed it.
        var signal: Int32?
        /// Its connection told of its end.
        var wasNoticed = true
        /// Of a call that opens groups: the execution that it is part of.
        var execution: Int?
        /// Since when it has known that its connection is broken.
        var cutOffSince: Instant?
        /// When it last heard of the coordinator, and when it was last woken from a freeze.
        var lastHeard = Instant(nanoseconds: 0)
        var thawed = Instant(nanoseconds: 0)
        var isFrozen = false
        /// It was out of the coordinator's sight for a while, and may have been given up.
        var wasOutOfSight = false
        /// Its coordinator had given it up, and it has ended all that it had.
        var hasBegunAnew = false
        /// The coordinator has said that it gave it up, or was about to: it takes no word of what it had any more.
        var wasGivenUp = false
        /// When its loop last went round, and the time before that.
        var turns = (last: Instant(nanoseconds: 0), before: Instant(nanoseconds: 0))
        /// Nothing has disturbed it or its connection since; `nil` while something does.
        var calmSince: Instant?

        mutating func wake(at now: Instant) {
            thawed = now
            isFrozen = false
        }
    }

    var groups: [Group] = []
    var tasks: [Task] = []
    var executions: [Execution] = []
    var clients: [Life] = []
    var workers: [Life] = []
    /// What a coordinator calls a group: in each of its lives anew, unless it keeps a journal.
    struct GroupName: Hashable {
        /// 0 for all lives of a coordinator that keeps a journal.
        var epoch: UInt64
        var id: GroupID
    }

    /// Looked up, never iterated.
    var groupNumbers: [GroupName: Int] = [:]
    /// Executions that have not ended, in the order in which they began.
    var running: [Int] = []
    /// The coordinator has been there, undisturbed, since; `nil` while it is not.
    var coordinatorCalmSince: Instant?
    var coordinatorDied: Instant?
    var coordinatorLives = 1
    var limits = Limits()
    var isDurable = false

    /// A request to end has come to where a program runs. The first one counts.
    func noteCancel(of execution: Int, grace: TimeSpan, at now: Instant) {
        guard executions[execution].cancelArrived == nil else { return }
        executions[execution].cancelArrived = now
        executions[execution].grace = grace
    }

    /// The coordinator gives a worker up.
    func noteGivenUp(worker name: String) {
        guard let worker = workers.firstIndex(where: { $0.name == name }) else { return }
        workers[worker].wasGivenUp = true
    }

    /// The coordinator is told that a worker has died, and what had begun there.
    func noteDeath(of worker: Int, at now: Instant) {
        guard !workers[worker].wasGivenUp else { return }
        for place in executions.indices where executions[place].worker == worker {
            if case .died = executions[place].end, executions[place].ended == workers[worker].ended {
                executions[place].charged = now
            }
        }
    }

    // MARK: Questions

    /// The group around a group: its parent, or that of the task that has opened it.
    func enclosing(_ group: Int) -> Int? {
        groups[group].parent ?? groups[group].opener.map { tasks[executions[$0].task].group }
    }

    func root(of group: Int) -> Int {
        var group = group
        while let outer = enclosing(group) { group = outer }
        return group
    }

    /// A group, and the groups around it up to the root.
    func path(from group: Int) -> [Int] {
        var path = [group]
        while let outer = enclosing(path[path.count - 1]) { path.append(outer) }
        return path
    }

    /// How long a task of the group may clean up at most.
    func grace(of group: Int) -> TimeSpan {
        let outer = enclosing(group).map(grace)
        let own = groups[group].spec.grace ?? outer ?? limits.defaultGrace
        return groups[group].opener == nil ? own : min(own, outer ?? own)
    }

    /// Whether a stop of `group` reaches the task: no shield is in between.
    func reaches(_ task: Int, from group: Int) -> Bool {
        if tasks[task].template.shield { return false }
        var place = tasks[task].group
        while place != group {
            if groups[place].spec.shield { return false }
            if let opener = groups[place].opener, tasks[executions[opener].task].template.shield { return false }
            guard let outer = enclosing(place) else { return false }
            place = outer
        }
        return true
    }

    /// Whether a task may be part of what is opened to clean up in a group that stops.
    func isCleanup(_ task: Int, within outer: Int) -> Bool {
        path(from: tasks[task].group).prefix { $0 != outer }.contains { groups[$0].spec.isScope }
    }

    func isRunning(_ execution: Int) -> Bool { executions[execution].end == nil }

    /// Whether anything can have stopped a task: the only reasons for which it may end cancelled.
    func mayBeStopped(_ task: Int) -> Bool {
        if tasks[task].cancelSent != nil { return true }
        return path(from: tasks[task].group).contains { place in
            let group = groups[place]
            // Nobody is there to wait for it, whatever shields there are.
            if group.isAbandoned || clients[group.client].wasOutOfSight || clients[group.client].ended != nil {
                return true
            }
            if let opener = group.opener {
                // It is stopped with its task, and when that has ended or is given up.
                let run = executions[opener]
                if run.end != nil || run.cancelArrived != nil || workers[run.worker].wasOutOfSight { return true }
                if tasks[run.task].cancelSent != nil || tasks[run.task].template.timeout != nil { return true }
            }
            guard reaches(task, from: place) else { return false }
            if group.cancelSent != nil || group.mayTimeOut { return true }
            if let body = group.body, body != .returned { return true }
            switch group.spec.policy {
            case .cancel: return hasFailure(in: place)
            case .first: return hasSuccess(in: place)
            case .continue: return false
            }
        }
    }

    private func hasFailure(in group: Int) -> Bool {
        groups[group].tasks.contains { task in
            tasks[task].template.timeout != nil || tasks[task].told.map { $0.outcome.isFailure } == true
                || tasks[task].executions.contains { executions[$0].end != .returned }
        } || children(of: group).contains { groups[$0].closed?.outcome != .ok }
    }

    private func hasSuccess(in group: Int) -> Bool {
        groups[group].tasks.contains { tasks[$0].executions.contains { executions[$0].end == .returned } }
            || children(of: group).contains { groups[$0].closed?.outcome ?? .ok == .ok }
    }

    func children(of group: Int) -> [Int] { groups.indices.filter { groups[$0].parent == group } }

    /// Whether the group's client is there and waits for its end.
    func isAwaited(_ group: Int) -> Bool {
        !groups[group].isRefused && !groups[group].isAbandoned && clients[groups[group].client].ended == nil
    }

    /// The coordinator has had the worker in sight from the first to now: it cannot be wrong about what that has done.
    func isBeyondDoubt(worker: Int) -> Bool {
        workers[worker].calmSince != nil && !workers[worker].wasOutOfSight && workers[worker].ended == nil
    }

    /// Whether the coordinator has learnt from its worker how an execution ended, and has had all of it.
    func isEndReported(_ execution: Int) -> Bool {
        let worker = workers[executions[execution].worker]
        return !isRunning(execution) && worker.ended == nil && !worker.wasGivenUp && !worker.hasBegunAnew
    }

    /// Whether an attempt of the same task has begun that comes after the one of this execution.
    func isFollowed(_ execution: Int) -> Bool {
        let ref = executions[execution].ref
        return tasks[executions[execution].task].executions.contains { later in
            executions[later].ref.task == ref.task && executions[later].ref.attempt > ref.attempt
        }
    }

    /// Whether a worker that the task was at may have been given up without proof of what had begun.
    func mayHaveBeenGivenUp(_ task: Int, _ detail: AttemptDetail?) -> Bool {
        if tasks[task].executions.contains(where: { !isBeyondDoubt(worker: executions[$0].worker) }) { return true }
        // It may not have come so far as to begin.
        guard let detail, detail.type == "WorkerLost" else { return false }
        return workers.indices.contains { worker in
            !isBeyondDoubt(worker: worker) && detail.message.contains("worker \(workers[worker].name)")
        }
    }

    // MARK: Names, for people

    func name(task: Int) -> String {
        let number = tasks[task].index.map { "\($0)" } ?? "without a number (\(task))"
        return "task \(number) of \(name(group: tasks[task].group))"
    }

    func name(group: Int) -> String {
        let id = groups[group].id.map { ", number \($0.value)" } ?? ""
        return "group \(groups[group].spec.name)\(id)"
    }

    func describe(execution: Int) -> String {
        let run = executions[execution]
        let end = run.end.map { "ended \($0) at \(seconds(run.ended))" } ?? "still runs"
        let cancel = run.cancelArrived.map { ", was asked to end at \(seconds($0))" } ?? ""
        return "execution \(run.number) of \(name(task: run.task)) began at \(seconds(run.began)) at "
            + "\(workers[run.worker].name)\(cancel), \(end)"
    }

    /// What is known of a task, line by line.
    func evidence(task: Int) -> [String] {
        let record = tasks[task]
        var lines = record.executions.map { describe(execution: $0) }
        if let told = record.told { lines.append("told: \(told.outcome) after \(told.attempts) attempts") }
        if let detail = record.detail { lines.append("told: \(detail.type): \(detail.message)") }
        lines.append("its template: retries \(record.template.retries), shield \(record.template.shield)")
        return lines + evidence(group: record.group)
    }

    func evidence(group: Int) -> [String] {
        path(from: group).map { place in
            let record = groups[place]
            var line = "\(name(group: place)): \(record.spec.policy), \(record.isDetached ? "detached" : "attached"), "
            line += "\(record.tasks.count) tasks"
            if record.spec.shield { line += ", shielded" }
            if let body = record.body { line += ", body \(body.word)" }
            if let sent = record.cancelSent { line += ", cancel asked for at \(seconds(sent))" }
            if let told = record.stopTold { line += ", stop told at \(seconds(told))" }
            if let closed = record.closed { line += ", closed \(closed.outcome) at \(seconds(record.closedAt))" }
            if record.isAbandoned { line += ", its client is gone" }
            return line
        }
    }

    func seconds(_ instant: Instant?) -> String {
        guard let instant else { return "?" }
        return "\(Double(instant.nanoseconds / 1_000) / 1e6) s"
    }
}

extension TaskOutcome {
    var isFailure: Bool { self == .error || self == .timeout || self == .lost }
}

extension BodyEnd {
    var word: String {
        switch self {
        case .returned: "returned"
        case .cancelled: "cancelled"
        case .failed: "failed"
        }
    }
}
