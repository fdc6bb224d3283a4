internal import DequeModule

/// The tasks of a coordinator that goes on where another one has stopped.
extension CoordinatorCore {
    mutating func restoreTasks(_ state: JournalState, at now: Instant) {
        var ended: [GroupID: Set<UInt32>] = [:]
        for place in groups.indices {
            for end in state.ends[groups[place].id] ?? [] {
                ended[end.report.group, default: []].insert(end.report.index)
            }
        }
        reservePlaces(state)
        var held: [UInt32] = []
        var queued: [UInt32] = []
        for place in groups.indices where groups[place].phase != .closed {
            let group = groups[place].id
            var places: [TemplateID: UInt32] = [:]
            for submission in state.submissions[group] ?? [] {
                restore(submission, to: UInt32(place), &places, state, ended[group] ?? []) { task, isHeld in
                    if isHeld { held.append(task) } else { queued.append(task) }
                }
            }
            trimMembers(of: place)
        }
        restoreNested(state)
        // The order of assignment is not kept; that of spawning is close to it.
        for task in held.sorted(by: { tasks[Int($0)].order < tasks[Int($1)].order }) { hold(task) }
        for task in queued { restoreWaiting(task, at: now) }
        freeTasks = tasks.indices.reversed().filter { tasks[$0].state == .free }.map { UInt32($0) }
    }

    /// Tasks that workers may name keep their places.
    private mutating func reservePlaces(_ state: JournalState) {
        var count = 0
        for rows in state.tasks.values {
            for row in rows.values { count = max(count, row.key.index + 1) }
        }
        tasks = ContiguousArray(repeating: TaskRecord(), count: count)
        for rows in state.tasks.values {
            for row in rows.values { tasks[row.key.index].generation = row.key.generation }
        }
        freeTasks = tasks.indices.reversed().filter { tasks[$0].generation == 0 }.map { UInt32($0) }
    }

    private mutating func restore(
        _ submission: JournalSubmission,
        to place: UInt32,
        _ places: inout [TemplateID: UInt32],
        _ state: JournalState,
        _ ended: Set<UInt32>,
        _ found: (_ task: UInt32, _ isHeld: Bool) -> Void
    ) {
        for template in submission.templates {
            places[template.id] = UInt32(templates.count)
            restore(template, to: place)
        }
        let count = submission.runs.reduce(0) { $0 + $1.lengths.count }
        restoreAcceptance(of: submission, places, count: UInt32(count))
        var sibling: ClientReference?
        if let origin = submission.joined, origin.task != nil {
            sibling = restoreContributor(origin.client, to: groups[Int(place)].head)
        }
        let chunk = UInt32(chunks.count)
        var payload = PayloadChunk()
        payload.bytes = submission.payload
        var index = submission.first
        var offset: UInt32 = 0
        for run in submission.runs {
            guard let template = places[run.template] else { preconditionFailure("a run names a template of none") }
            for length in run.lengths {
                defer {
                    index += 1
                    offset += length
                }
                guard !ended.contains(index) else {
                    groups[Int(place)].members.append(TaskRecord.none)
                    continue
                }
                let row = state.tasks[submission.group]?[index]
                let task = takePlace(row)
                var record = row.map(TaskRecord.init) ?? TaskRecord()
                record.generation = tasks[Int(task)].generation
                record.group = place
                record.index = index
                record.template = template
                record.chunk = chunk
                record.offset = offset
                record.length = length
                record.order = submission.order + UInt64(index - submission.first)
                tasks[Int(task)] = record
                payload.users += 1
                groups[Int(place)].members.append(task)
                groups[Int(place)].unfinished += 1
                unfinishedTasks += 1
                let owner = groups[Int(place)].owner
                if owner != GroupRecord.none { clients[Int(owner)].unfinished += 1 }
                if let sibling { spawners[task] = sibling }
                if let row, row.crashes > 0 { crashes[task] = row.crashes }
                if let failure = state.failures[submission.group]?[index] { restore(failure, of: task) }
                pendingEnds[task] = row?.end
                found(task, record.state.isAtWorker || record.state == .ending)
            }
        }
        if payload.users == 0 { payload.bytes = [] }
        chunks.append(payload)
        if payload.users == 0 { freeChunks.append(chunk) }
    }

    private mutating func restore(_ failure: PendingFailure, of task: UInt32) {
        pendingFailures[task] = failure
        passRestAgain(of: task, failure.detail)
    }

    private mutating func takePlace(_ row: JournalTask?) -> UInt32 {
        if let row { return UInt32(row.key.index) }
        let task: UInt32
        if let free = freeTasks.popLast() {
            task = free
        } else {
            task = UInt32(tasks.count)
            tasks.append(TaskRecord())
        }
        topGeneration = max(topGeneration, generationFloor &+ 1)
        tasks[Int(task)].generation = generationFloor &+ 1
        return task
    }

    private mutating func restore(_ row: JournalTemplate, to place: UInt32) {
        var record = TemplateRecord()
        record.id = row.id
        record.template = row.template
        record.requirement = requirement(for: row.template.function)
        groups[Int(place)].templates.append(UInt32(templates.count))
        groups[Int(place)].journalledTemplates += 1
        templates.append(record)
    }

    private mutating func restoreAcceptance(
        of submission: JournalSubmission,
        _ places: [TemplateID: UInt32],
        count: UInt32
    ) {
        guard let origin = submission.joined, let client = clientTokens[origin.client],
            var joined = clients[Int(client)].joined[origin.key], joined.task == origin.task
        else { return }
        // The client was lost, and has begun anew.
        if origin.first == 0 { joined = JoinedGroup(group: joined.group, task: joined.task) }
        joined.templates += origin.templates.compactMap { places[$0] }
        joined.count += count
        joined.accept(
            AcceptedTasks(key: origin.key, first: origin.first, index: submission.first, count: count)
        )
        clients[Int(client)].joined[origin.key] = joined
    }

    private mutating func trimMembers(of place: Int) {
        while groups[place].members.first == TaskRecord.none {
            groups[place].members.removeFirst()
            groups[place].firstUnfinished += 1
        }
    }

    /// Groups that tasks have opened, in the order of opening.
    private mutating func restoreNested(_ state: JournalState) {
        for place in groups.indices where groups[place].phase != .closed && groups[place].parent != GroupRecord.none {
            guard let index = state.groups[groups[place].id]?.opener,
                let opener = member(index, of: groups[place].parent)
            else { continue }
            groups[place].opener = opener
            nestedGroups[opener, default: []].append(UInt32(place))
        }
    }

    // MARK: Where they stand

    /// A task that its worker has, or that has left groups behind.
    private mutating func hold(_ task: UInt32) {
        let record = tasks[Int(task)]
        let group = Int(record.group)
        if record.state == .ending {
            groups[group].suspended += 1
            return
        }
        guard let worker = workers.firstIndex(where: { $0.number == record.lastWorker }) else {
            preconditionFailure("a task is at a worker that is not known")
        }
        tasks[Int(task)].worker = UInt32(worker)
        let tail = workers[worker].tail
        tasks[Int(task)].previous = tail
        tasks[Int(task)].next = TaskRecord.none
        if tail == TaskRecord.none { workers[worker].head = task } else { tasks[Int(tail)].next = task }
        workers[worker].tail = task
        if record.state.isSuspended {
            groups[group].suspended += 1
            workers[worker].suspended += 1
            if record.state == .wanting { groups[group].wanting.append(task) }
        } else {
            groups[group].held += 1
            workers[worker].held += 1
            if record.state == .running { workers[worker].running += 1 }
        }
        if record.state != .assigned, let timeout = templates[Int(record.template)].template.timeout {
            setTimer(.taskTimeout(ref(task)), at: Instant(nanoseconds: record.startedAt).advanced(by: timeout))
        }
    }

    private mutating func restoreWaiting(_ task: UInt32, at now: Instant) {
        let record = tasks[Int(task)]
        if record.state == .delayed, let due = pendingFailures[task]?.retryAt {
            setTimer(.retry(TaskKey(index: task, generation: record.generation)), at: max(now, due))
        } else {
            enqueueLast(task, requirement: templates[Int(record.template)].requirement)
        }
    }
}

extension TaskRecord {
    /// What the journal says of a task; where it belongs is found out from its submission.
    fileprivate init(_ row: JournalTask) {
        self.init()
        state = row.state == .free ? .queued : row.state
        attempt = row.attempt
        executions = row.executions
        lastWorker = row.worker
        flags = row.flags
        cause = row.cause
        startedAt = row.startedAt.nanoseconds
    }
}
