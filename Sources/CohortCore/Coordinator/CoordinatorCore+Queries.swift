/// What `status` and `workers` show.
extension CoordinatorCore {
    /// Most tasks of a tree that a watcher is told to be running.
    static let runningTold = 100

    mutating func queried(_ session: SessionID) {
        guard clientPlaces[session] != nil else { return }
        guard queries.count(where: { $0 == session }) < limits.pendingQueries else {
            return refuse(
                session,
                .limit,
                "\(limits.pendingQueries) queries of this client wait for their answers already"
            )
        }
        queries.append(session)
    }

    mutating func answerQueries(at now: Instant, into actions: inout [CoordinatorAction]) {
        guard !queries.isEmpty else { return }
        let snapshot = snapshot(at: now)
        for session in queries where clientPlaces[session] != nil { actions.append(.answer(session, snapshot)) }
        queries.removeAll()
    }

    /// The workers that are connected and have a name, by number: names are for people, and nothing keeps two from having one.
    package func workers(called name: String) -> [WorkerSummary] {
        workers.filter { !$0.isGone && !$0.isAbsent && $0.offer.name == name }.sorted { $0.number < $1.number }
            .map(summary)
    }

    private func snapshot(at now: Instant) -> Snapshot {
        var snapshot = Snapshot()
        for place in closedRoots + openRoots {
            var counts = TaskCounts()
            for member in openTree(below: place) {
                counts += liveCounts(of: member, withClosed: groups[Int(member)].closedBelow)
            }
            snapshot.groups.append(summary(of: place, counts: counts, at: now))
        }
        snapshot.workers = workers.filter { !$0.isGone && !$0.isAbsent }.sorted { $0.number < $1.number }.map(summary)
        snapshot.clients = UInt32(clientPlaces.count)
        snapshot.staleMessages = staleMessages
        snapshot.draining = isDraining
        return snapshot
    }

    /// The ended tasks of a group, with what has closed inside it, and those that are under way.
    private func liveCounts(of place: UInt32, withClosed closed: TaskCounts) -> TaskCounts {
        var counts = groups[Int(place)].counts + closed
        counts.running = Int(groups[Int(place)].held + groups[Int(place)].suspended)
        counts.queued = Int(groups[Int(place)].unfinished) - counts.running
        return counts
    }

    /// The same for a watcher, who is told of the groups that have closed inside a detached tree.
    func watchedCounts(of place: UInt32) -> TaskCounts {
        let group = groups[Int(place)]
        return liveCounts(of: place, withClosed: group.detached ? TaskCounts() : group.closedInside)
    }

    /// The tasks of some groups that run, by group: the first ones in the order of spawning.
    func runningTasks(of places: [UInt32], at now: Instant) -> [UInt32: [RunningTask]] {
        let places = Set(places)
        let running = workers.indices.filter { !workers[$0].isGone }.flatMap { held(by: UInt32($0)) }
            .filter { tasks[Int($0)].state.hasBegun && places.contains(tasks[Int($0)].group) }
            .sorted { tasks[Int($0)].order < tasks[Int($1)].order }
        var told: [UInt32: [RunningTask]] = [:]
        for task in running.prefix(Self.runningTold) {
            let record = tasks[Int(task)]
            told[record.group, default: []].append(
                RunningTask(
                    index: record.index,
                    name: templates[Int(record.template)].template.name,
                    worker: workers[Int(record.worker)].number,
                    elapsed: now.since(Instant(nanoseconds: record.startedAt))
                )
            )
        }
        return told
    }

    func summary(of worker: WorkerRecord) -> WorkerSummary {
        WorkerSummary(
            number: worker.number,
            name: worker.offer.name,
            host: worker.offer.host,
            processID: worker.offer.processID,
            slots: worker.offer.slots,
            running: min(worker.held, worker.offer.slots),
            prefetched: worker.held > worker.offer.slots ? worker.held - worker.offer.slots : 0,
            draining: worker.draining,
            functions: worker.offer.functions
        )
    }

    func summary(of place: UInt32, counts: TaskCounts, at now: Instant) -> GroupSummary {
        let group = groups[Int(place)]
        let end = group.phase == .closed ? group.closedAt : now
        var deadlineIn: TimeSpan?
        if group.phase == .open, let deadline = group.deadline { deadlineIn = deadline.since(now) }
        return GroupSummary(
            group: group.id,
            parent: group.parent == GroupRecord.none ? nil : groups[Int(group.parent)].id,
            name: group.name,
            detached: group.detached,
            stopping: group.phase == .stopping,
            outcome: group.outcome,
            counts: counts,
            openedAgo: now.since(group.openedAt),
            elapsed: end.since(group.openedAt),
            deadlineIn: deadlineIn,
            waiting: group.phase == .open && counts.queued > 0 ? whyWaiting(place) : ""
        )
    }

    /// The first reason that holds for the tree's queued tasks.
    private func whyWaiting(_ root: UInt32) -> String {
        let present = workers.filter { !$0.isGone && !$0.isAbsent && !$0.draining }
        if present.isEmpty { return "no worker is connected" }
        let open = openTree(below: root)
        let queued = open.flatMap { groups[Int($0)].lanes }.filter { $0.head != TaskRecord.none }
        for lane in queued where !present.contains(where: { $0.requirements.contains(lane.requirement) }) {
            let function = templates[Int(tasks[Int(lane.head)].template)].template.function
            return function.isEmpty ? "no worker runs commands" : "no worker offers \(function)"
        }
        for place in open where groups[Int(place)].isFull && groups[Int(place)].limit != .max {
            return "group \(groups[Int(place)].name) is at its limit of \(groups[Int(place)].limit)"
        }
        if present.allSatisfy({ $0.freeSlots == 0 }) { return "all slots are taken" }
        let isFull = queued.allSatisfy { lane in
            present.allSatisfy { $0.freeSlots == 0 || !$0.requirements.contains(lane.requirement) }
        }
        return isFull && !queued.isEmpty ? "all slots for what is queued are taken" : ""
    }
}
