internal import DequeModule

/// Tasks coming in, and what workers report of them.
extension CoordinatorCore {
    mutating func tasksSubmitted(_ session: SessionID, _ submission: TaskSubmission, at now: Instant) {
        guard let client = clientPlaces[session] else { return }
        if clients[Int(client)].joined[submission.group] != nil {
            return siblingsSubmitted(submission, by: client, at: now)
        }
        let place = clients[Int(client)].groups[submission.group]
        // Sent again: all of it has been accepted, whatever has become of the group since.
        if let place, isKnown(submission, in: place) { return }
        if place == nil, let closed = closedGroup(submission.group, of: client),
            submission.end <= closed.report.counts.ended
        {
            return
        }
        if let refusal = refusal(of: submission, into: place) {
            tell(client) { $0.refusals.append(refusal) }
            return
        }
        guard let place else { return }
        // What an earlier copy of this submission has brought is there already.
        let known = groups[Int(place)].templates.count - Int(submission.firstTemplate)
        addTemplates(submission.templates.dropFirst(known), to: place)
        let skip = Int(groups[Int(place)].nextIndex - submission.first)
        addTasks(submission, to: place, templates: groups[Int(place)].templates, skipping: skip, at: now)
    }

    private func isKnown(_ submission: TaskSubmission, in place: UInt32) -> Bool {
        submission.end > Int(submission.first) && submission.end <= Int(groups[Int(place)].nextIndex)
    }

    private func refusal(of submission: TaskSubmission, into place: UInt32?) -> Refusal? {
        // Of a copy that brings more than the first one did, the part that is known stays accepted.
        let from = max(submission.first, place.map { groups[Int($0)].nextIndex } ?? 0)
        func refuse(_ code: Refusal.Code, _ message: String) -> Refusal {
            Refusal(code: code, key: submission.group, from: from, message: message)
        }
        guard let place else { return refuse(.unknownGroup, "the group is not open") }
        let group = groups[Int(place)]
        if group.phase == .stopping { return refuse(.shuttingDown, "group \(group.name) is shutting down") }
        if group.sealed { return refuse(.finished, "group \(group.name) has been sealed") }
        let known = Known(tasks: group.nextIndex, templates: group.templates.count)
        return problem(of: submission, into: place, known).map { refuse($0.code, $0.message) }
    }

    /// What the sender of a submission has brought before.
    struct Known {
        var tasks: UInt32
        var templates: Int
    }

    /// What is wrong with a submission, wherever its group stands.
    func problem(
        of submission: TaskSubmission,
        into place: UInt32,
        _ known: Known
    ) -> (
        code: Refusal.Code, message: String
    )? {
        let group = groups[Int(place)]
        let arriving = submission.runs.reduce(0) { $0 + $1.lengths.count }
        // Its templates would be kept in no journal: what that keeps are tasks, by the number of the first.
        if arriving == 0 { return (.invalid, "the submission has no tasks") }
        if unfinishedTasks + arriving > limits.unfinishedTasks {
            return (.limit, "the coordinator holds \(limits.unfinishedTasks) unfinished tasks already")
        }
        let owned = group.owner == GroupRecord.none ? 0 : clients[Int(group.owner)].unfinished
        if owned + arriving > limits.queuedTasksPerSession {
            let most = limits.queuedTasksPerSession
            return (
                .limit, "its client has \(owned) unfinished tasks; the limit of queued tasks of a session is \(most)"
            )
        }
        let unknown = submission.templates.count { requirements[$0.function] == nil }
        if requirements.count + unknown > limits.functions {
            return (.limit, "\(requirements.count) functions have been named already, which is the limit")
        }
        if Int(group.nextIndex) + arriving >= Int(UInt32.max) {
            return (.limit, "group \(group.name) has had as many tasks as can be numbered")
        }
        if group.templates.count + submission.templates.count > limits.templatesPerGroup {
            return (.limit, "group \(group.name) has more than \(limits.templatesPerGroup) templates")
        }
        if submission.firstTemplate > known.templates || submission.first > known.tasks {
            return (.invalid, "the submission leaves out tasks before number \(submission.first)")
        }
        let templates = max(Int(submission.firstTemplate) + submission.templates.count, known.templates)
        var bytes = 0
        for run in submission.runs {
            if run.template >= templates {
                return (.invalid, "the submission names template \(run.template), which it has not brought")
            }
            for length in run.lengths { bytes += Int(length) }
        }
        if bytes != submission.payload.count {
            return (.invalid, "the payloads' lengths add up to \(bytes), not \(submission.payload.count) bytes")
        }
        return nil
    }

    mutating func addTemplates(_ new: ArraySlice<TaskTemplate>, to place: UInt32) {
        for template in new {
            var record = TemplateRecord()
            record.id = TemplateID(nextTemplate)
            nextTemplate += 1
            record.template = template
            record.requirement = requirement(for: template.function)
            let free = freeTemplates.popLast() ?? UInt32(templates.count)
            if Int(free) == templates.count { templates.append(record) } else { templates[Int(free)] = record }
            groups[Int(place)].templates.append(free)
        }
    }

    /// Adds the tasks of a submission, whose templates are numbered as in `table`, save for the first few.
    mutating func addTasks(
        _ submission: TaskSubmission,
        to place: UInt32,
        templates table: [UInt32],
        skipping known: Int,
        origin: JournalJoinedSubmission? = nil,
        spawner: ClientReference? = nil,
        at now: Instant
    ) {
        var skip = known
        if keepsJournal { journal(submission, to: place, templates: table, skipping: known, origin) }
        mayAssign = true
        let chunk = freeChunks.popLast() ?? UInt32(chunks.count)
        if Int(chunk) == chunks.count { chunks.append(PayloadChunk()) }
        chunks[Int(chunk)].bytes = submission.payload
        chunks[Int(chunk)].users = 1
        var offset: UInt32 = 0
        var withoutTime: [UInt32] = []
        for run in submission.runs {
            let template = table[Int(run.template)]
            let requirement = templates[Int(template)].requirement
            let neverStarts = templates[Int(template)].template.timeout == .zero
            for length in run.lengths {
                defer { offset += length }
                if skip > 0 {
                    skip -= 1
                    continue
                }
                let task = addTask(group: place, template: template, chunk: chunk, offset: offset, length: length)
                if let spawner { spawners[task] = spawner }
                if neverStarts {
                    tasks[Int(task)].state = .delayed
                    let detail = timeoutDetail(of: task, nil)
                    pendingFailures[task] = PendingFailure(outcome: .timeout, detail: detail)
                    withoutTime.append(task)
                } else {
                    enqueueLast(task, requirement: requirement)
                }
            }
        }
        releaseChunk(chunk)
        // Only when all are there: the first of them may stop the group, and that must reach its siblings.
        for task in withoutTime where tasks[Int(task)].state == .delayed { endUnstarted(task, at: now) }
        closeIfDone(place, at: now)
    }

    private mutating func addTask(
        group: UInt32,
        template: UInt32,
        chunk: UInt32,
        offset: UInt32,
        length: UInt32
    ) -> UInt32 {
        let task: UInt32
        if let free = freeTasks.popLast() {
            task = free
        } else {
            task = UInt32(tasks.count)
            tasks.append(TaskRecord())
        }
        var record = TaskRecord()
        record.generation = max(tasks[Int(task)].generation, generationFloor) &+ 1
        topGeneration = max(topGeneration, record.generation)
        record.group = group
        record.index = groups[Int(group)].nextIndex
        record.template = template
        record.chunk = chunk
        record.offset = offset
        record.length = length
        record.order = nextOrder
        nextOrder += 1
        tasks[Int(task)] = record
        chunks[Int(chunk)].users += 1
        groups[Int(group)].members.append(task)
        groups[Int(group)].unfinished += 1
        unfinishedTasks += 1
        let owner = groups[Int(group)].owner
        if owner != GroupRecord.none { clients[Int(owner)].unfinished += 1 }
        return task
    }

    func task(_ ref: AttemptRef, at worker: UInt32) -> UInt32? {
        guard let task = executingTask(ref), tasks[Int(task)].worker == worker else { return nil }
        return task
    }

    mutating func workerReported(_ session: SessionID, _ report: WorkerReport, at now: Instant) {
        guard let place = workerPlaces[session] else { return }
        var cursor = 0
        for chunk in report.outputs {
            let end = min(cursor + Int(chunk.length), report.payload.count)
            outputArrived(chunk, report.payload[cursor..<end], from: place)
            cursor = end
        }
        for ref in report.started {
            guard let task = task(ref, at: place) else {
                staleMessages += 1
                continue
            }
            startTold(task, at: now)
        }
        // Before the ends, for the last word of a task may travel with its end.
        for progress in report.progress {
            if let task = task(progress.ref, at: place) { tellProgress(task, progress) } else { staleMessages += 1 }
        }
        for attempt in report.finished {
            let end = min(cursor + Int(attempt.valueLength), report.payload.count)
            let value = report.payload[cursor..<end]
            cursor = end
            guard let task = task(attempt.ref, at: place) else {
                staleMessages += 1
                continue
            }
            let detail =
                report.details.indices.contains(Int(attempt.detail)) ? report.details[Int(attempt.detail)] : nil
            if attempt.started { learnServiceTime(of: place, attempt.elapsed) }
            attemptEnded(task, attempt, detail: detail, value: value, at: now)
        }
        // Backwards, so that pushing each to the front keeps the order of spawning.
        for ref in report.returned.reversed() {
            guard let task = task(ref, at: place), !tasks[Int(task)].flags.contains(.startTold),
                tasks[Int(task)].state.holdsSlot
            else {
                staleMessages += 1
                continue
            }
            workers[Int(place)].prefetch = 0
            let group = tasks[Int(task)].group
            giveBack(task, at: now)
            closeIfDone(group, at: now)
        }
        for ref in report.cancelsSeen {
            if let task = task(ref, at: place) { tasks[Int(task)].flags.insert(.cancelSeen) }
        }
        slotsReported(report, by: place, at: now)
        mayAssign = true
    }

    /// The worker itself says that the attempt has begun.
    mutating func startTold(_ task: UInt32, at now: Instant) {
        tasks[Int(task)].flags.insert(.startTold)
        if tasks[Int(task)].state == .assigned { attemptStarted(task, at: now) } else { changed(task: task) }
    }

    mutating func attemptStarted(_ task: UInt32, at now: Instant) {
        guard tasks[Int(task)].state == .assigned else { return }
        tasks[Int(task)].state = .running
        changed(task: task)
        tasks[Int(task)].executions += 1
        tasks[Int(task)].startedAt = now.nanoseconds
        let worker = tasks[Int(task)].worker
        workers[Int(worker)].running += 1
        if let timeout = templates[Int(tasks[Int(task)].template)].template.timeout {
            setTimer(.taskTimeout(ref(task)), at: now.advanced(by: timeout))
        }
        let group = Int(tasks[Int(task)].group)
        let number = workers[Int(worker)].number
        let start = TaskStart(group: groups[group].id, index: tasks[Int(task)].index, worker: number)
        for client in audience(of: task) {
            introduce(worker, to: client)
            tell(client) { $0.started.append(start) }
        }
    }
}
