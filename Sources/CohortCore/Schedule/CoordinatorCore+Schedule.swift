internal import DequeModule

/// Which task goes to which worker, and when.
///
/// Within a tree of groups slots go out in the order of spawning (R15). Between trees they go round, so that a tree of a
/// million tasks does not starve the next client's. A free slot gets its task first; only then are tasks sent ahead to
/// workers whose tasks are so short that they would otherwise wait for the next message.
extension CoordinatorCore {
    // MARK: Queues

    /// Puts a new task at the end of its group's queue.
    mutating func enqueueLast(_ task: UInt32, requirement: UInt32) {
        let group = tasks[Int(task)].group
        let lane = lane(of: group, requirement)
        let tail = groups[Int(group)].lanes[lane].tail
        tasks[Int(task)].state = .queued
        tasks[Int(task)].previous = tail
        tasks[Int(task)].next = TaskRecord.none
        groups[Int(group)].lanes[lane].tail = task
        queuedTasks += 1
        if tail == TaskRecord.none {
            groups[Int(group)].lanes[lane].head = task
            announceHead(of: group, lane: lane)
        } else {
            tasks[Int(tail)].next = task
        }
    }

    /// Puts a task back where the order of spawning wants it: before all later ones.
    mutating func requeue(_ task: UInt32) {
        let record = tasks[Int(task)]
        let lane = lane(of: record.group, templates[Int(record.template)].requirement)
        // Tasks mostly come back in the order of spawning (their retries fall due) or backwards (they were handed back):
        // beginning at the last one that came, or at the head, finds the place at once in both cases.
        let putBack = groups[Int(record.group)].lanes[lane].putBack
        var before = isQueued(putBack, in: record.group, lane: lane, before: record.order) ? putBack : TaskRecord.none
        var after = before == TaskRecord.none ? groups[Int(record.group)].lanes[lane].head : tasks[Int(before)].next
        groups[Int(record.group)].lanes[lane].putBack = task
        while after != TaskRecord.none, tasks[Int(after)].order < record.order {
            before = after
            after = tasks[Int(after)].next
        }
        tasks[Int(task)].state = .queued
        changed(task: task)
        tasks[Int(task)].previous = before
        tasks[Int(task)].next = after
        queuedTasks += 1
        if after == TaskRecord.none {
            groups[Int(record.group)].lanes[lane].tail = task
        } else {
            tasks[Int(after)].previous = task
        }
        if before == TaskRecord.none {
            groups[Int(record.group)].lanes[lane].head = task
            announceHead(of: record.group, lane: lane)
        } else {
            tasks[Int(before)].next = task
        }
        mayAssign = true
    }

    private func isQueued(_ task: UInt32, in group: UInt32, lane: Int, before order: UInt64) -> Bool {
        guard task != TaskRecord.none else { return false }
        let record = tasks[Int(task)]
        return record.state == .queued && record.group == group && record.order < order
            && templates[Int(record.template)].requirement == groups[Int(group)].lanes[lane].requirement
    }

    /// Takes a task out of its group's queue.
    mutating func dequeue(_ task: UInt32) {
        let record = tasks[Int(task)]
        let lane = lane(of: record.group, templates[Int(record.template)].requirement)
        queuedTasks -= 1
        if record.next == TaskRecord.none {
            groups[Int(record.group)].lanes[lane].tail = record.previous
        } else {
            tasks[Int(record.next)].previous = record.previous
        }
        if record.previous == TaskRecord.none {
            groups[Int(record.group)].lanes[lane].head = record.next
            if record.next != TaskRecord.none { announceHead(of: record.group, lane: lane) }
        } else {
            tasks[Int(record.previous)].next = record.next
        }
    }

    private mutating func lane(of group: UInt32, _ requirement: UInt32) -> Int {
        if let known = groups[Int(group)].lanes.firstIndex(where: { $0.requirement == requirement }) { return known }
        groups[Int(group)].lanes.append(Lane(requirement: requirement))
        return groups[Int(group)].lanes.count - 1
    }

    /// The queue has a new head: the tree must know, or the task would never be found.
    private mutating func announceHead(of group: UInt32, lane: Int) {
        guard !groups[Int(group)].isFull else { return }
        let head = groups[Int(group)].lanes[lane].head
        guard head != TaskRecord.none else { return }
        let requirement = groups[Int(group)].lanes[lane].requirement
        let root = Int(groups[Int(group)].root)
        let entry = ReadyLanes.Entry(order: tasks[Int(head)].order, group: group)
        if let known = ready(of: group, requirement) {
            groups[root].ready[known].insert(entry)
        } else {
            var lanes = ReadyLanes(requirement: requirement, isBelowTask: groups[Int(group)].isBelowTask)
            lanes.insert(entry)
            groups[root].ready.append(lanes)
        }
    }

    /// Which of its root's queues of groups a group stands in.
    private func ready(of group: UInt32, _ requirement: UInt32) -> Int? {
        let isBelowTask = groups[Int(group)].isBelowTask
        return groups[Int(groups[Int(group)].root)].ready.firstIndex {
            $0.requirement == requirement && $0.isBelowTask == isBelowTask
        }
    }

    // MARK: Giving out

    mutating func assignReadyTasks(at now: Instant) {
        mayAssign = false
        guard queuedTasks > 0 else { return }
        var hopeless: Set<UInt32> = []
        while queuedTasks > 0, let worker = idlestWorker(except: hopeless) {
            if assignNext(to: worker, atMost: 1, at: now) == 0 { hopeless.insert(worker) }
        }
        for worker in workers.indices where !workers[worker].isGone && !hopeless.contains(UInt32(worker)) {
            while queuedTasks > 0, workers[worker].room > 0 {
                let count = min(Int(workers[worker].room), limits.fairShare)
                if assignNext(to: UInt32(worker), atMost: count, at: now) == 0 { break }
            }
        }
    }

    /// The worker with the most free slots, the longest-serving one among equals.
    private func idlestWorker(except hopeless: Set<UInt32>) -> UInt32? {
        var best: UInt32?
        var most: UInt32 = 0
        for place in workers.indices {
            let free = workers[place].freeSlots
            if free > most, !hopeless.contains(UInt32(place)) {
                best = UInt32(place)
                most = free
            }
        }
        return best
    }

    /// Sends up to `count` tasks of the tree whose turn it is to `worker`.
    ///
    /// - Returns: how many; 0 if no tree has any that this worker can run.
    private mutating func assignNext(to worker: UInt32, atMost count: Int, at now: Instant) -> Int {
        for step in 0..<openRoots.count {
            let position = (turn + step) % openRoots.count
            let root = openRoots[position]
            guard !isBehind(root) else { continue }
            var sent = 0
            while sent < count, let (group, lane) = earliestReady(in: root, for: worker) {
                sent += assignRun(from: group, lane: lane, of: root, to: worker, atMost: count - sent, at: now)
            }
            if sent > 0 {
                turn = (position + 1) % openRoots.count
                return sent
            }
        }
        return 0
    }

    /// Its client is so far behind in taking results that starting more would only pile them up here; or it is absent, and
    /// nothing may begin that would have to end if it does not come back.
    private func isBehind(_ root: UInt32) -> Bool {
        let owner = groups[Int(root)].owner
        guard owner != GroupRecord.none, !groups[Int(root)].detached else { return false }
        return clients[Int(owner)].isAbsent || clients[Int(owner)].unconsumed > limits.unconsumedBytes
    }

    /// The group whose head is next in the order of spawning, among those that `worker` can serve.
    private mutating func earliestReady(in root: UInt32, for worker: UInt32) -> (group: UInt32, lane: Int)? {
        var best: (entry: ReadyLanes.Entry, requirement: UInt32)?
        for index in groups[Int(root)].ready.indices {
            let requirement = groups[Int(root)].ready[index].requirement
            guard workers[Int(worker)].requirements.contains(requirement),
                groups[Int(root)].ready[index].isBelowTask || !takesNestedOnly(worker)
            else { continue }
            while let entry = groups[Int(root)].ready[index].earliest, !isCurrent(entry, requirement, root: root) {
                groups[Int(root)].ready[index].removeEarliest()
            }
            guard let entry = groups[Int(root)].ready[index].earliest else { continue }
            if let known = best, known.entry < entry { continue }
            best = (entry, requirement)
        }
        guard let best else { return nil }
        return (best.entry.group, lane(of: best.entry.group, best.requirement))
    }

    /// What has begun must be able to end: a worker that drains, or has as many waiting tasks as it can bear, gets nothing
    /// but tasks of groups that tasks have opened.
    private func takesNestedOnly(_ worker: UInt32) -> Bool {
        workers[Int(worker)].draining || workers[Int(worker)].suspended >= limits.suspendedPerWorker
    }

    private func isCurrent(_ entry: ReadyLanes.Entry, _ requirement: UInt32, root: UInt32) -> Bool {
        let group = Int(entry.group)
        guard groups[group].root == root, groups[group].phase != .closed, !groups[group].isFull,
            let lane = groups[group].lanes.firstIndex(where: { $0.requirement == requirement })
        else { return false }
        let head = groups[group].lanes[lane].head
        return head != TaskRecord.none && tasks[Int(head)].order == entry.order
    }

    /// Sends tasks of one group as long as they are next in the order of spawning.
    private mutating func assignRun(
        from group: UInt32,
        lane: Int,
        of root: UInt32,
        to worker: UInt32,
        atMost count: Int,
        at now: Instant
    ) -> Int {
        let requirement = groups[Int(group)].lanes[lane].requirement
        guard let ready = ready(of: group, requirement) else { return 0 }
        // With other requirements about, or other groups, only the head is certain to be next.
        groups[Int(root)].ready[ready].removeEarliest()
        let alone = groups[Int(root)].ready.count == 1
        let until = alone ? groups[Int(root)].ready[ready].earliest?.order ?? .max : 0
        var sent = 0
        repeat {
            let task = groups[Int(group)].lanes[lane].head
            let next = tasks[Int(task)].next
            groups[Int(group)].lanes[lane].head = next
            if next == TaskRecord.none {
                groups[Int(group)].lanes[lane].tail = TaskRecord.none
            } else {
                tasks[Int(next)].previous = TaskRecord.none
            }
            queuedTasks -= 1
            assign(task, to: worker, at: now)
            sent += 1
            guard next != TaskRecord.none, tasks[Int(next)].order < until else { break }
        } while sent < count && !groups[Int(group)].isFull
        announceHead(of: group, lane: lane)
        return sent
    }

    private mutating func assign(_ task: UInt32, to worker: UInt32, at now: Instant) {
        let index = Int(task)
        let place = Int(worker)
        tasks[index].state = .assigned
        tasks[index].attempt += 1
        tasks[index].flags = []
        tasks[index].worker = worker
        tasks[index].lastWorker = workers[place].number
        let tail = workers[place].tail
        tasks[index].previous = tail
        tasks[index].next = TaskRecord.none
        if tail == TaskRecord.none { workers[place].head = task } else { tasks[Int(tail)].next = task }
        workers[place].tail = task
        workers[place].held += 1
        groups[Int(tasks[index].group)].held += 1
        changed(task: task)
        post(task, to: place, at: now)
        markWorker(worker)
    }

    /// Sends a task to the worker that has it already, as the attempt that it is.
    mutating func assignAgain(_ task: UInt32, at now: Instant) {
        post(task, to: Int(tasks[Int(task)].worker), at: now)
        markWorker(tasks[Int(task)].worker)
    }

    /// The nearest deadline of the groups around a task, as far as they concern it (R7, R13).
    private func nearestDeadline(of task: UInt32) -> Instant? {
        let record = tasks[Int(task)]
        guard !templates[Int(record.template)].template.shield else { return nil }
        var nearest: Instant?
        var place = record.group
        while place != GroupRecord.none {
            if let deadline = groups[Int(place)].deadline { nearest = nearest.map { min($0, deadline) } ?? deadline }
            if groups[Int(place)].shield { break }
            place = groups[Int(place)].parent
        }
        return nearest
    }

    /// Writes the assignment into the worker's box, with its template if the worker does not know that.
    private mutating func post(_ task: UInt32, to worker: Int, at now: Instant) {
        if workers[worker].assignBox.isFull || workers[worker].assignTemplateBytes >= ClientOutbox.messageBytes {
            workers[worker].assignTemplateBytes = 0
            workers[worker].fullAssignBoxes.append(workers[worker].assignBox)
            workers[worker].assignBox = AssignBatch()
        }
        let record = tasks[Int(task)]
        let template = templates[Int(record.template)].id
        if workers[worker].lastTemplate != template {
            workers[worker].lastTemplate = template
            if workers[worker].knownTemplates.insert(template).inserted {
                workers[worker].assignBox.templates.append(assignedTemplate(record.template, of: record.group))
                let template = templates[Int(record.template)].template
                workers[worker].assignTemplateBytes += template.spec.count + template.name.utf8.count
            }
        }
        workers[worker].assignBox.tasks.append(
            Assignment(
                ref: ref(task),
                template: template,
                index: record.index,
                execution: UInt32(record.executions) + 1,
                deadlineIn: nearestDeadline(of: task)?.since(now),
                payloadLength: record.length
            )
        )
        let start = Int(record.offset)
        let end = start + Int(record.length)
        workers[worker].assignBox.payload.append(contentsOf: chunks[Int(record.chunk)].bytes[start..<end])
    }

    private func assignedTemplate(_ place: UInt32, of group: UInt32) -> AssignedTemplate {
        let record = groups[Int(group)]
        let hold: HoldRule =
            switch record.policy {
            case .cancel: .afterFailure
            case .first: .afterSuccess
            case .continue: .never
            }
        return AssignedTemplate(
            id: templates[Int(place)].id,
            group: record.id,
            groupName: record.name,
            hold: hold,
            template: templates[Int(place)].template,
            // What tasks have opened lives as long as these, which is told by the tree's root.
            detached: groups[Int(record.root)].detached
        )
    }

    // MARK: Coming back

    /// The task has left its worker: the slot is free, and its group may be below its limit again.
    mutating func releaseWorker(of task: UInt32) {
        let record = tasks[Int(task)]
        let worker = Int(record.worker)
        if record.previous == TaskRecord.none {
            workers[worker].head = record.next
        } else {
            tasks[Int(record.previous)].next = record.next
        }
        if record.next == TaskRecord.none {
            workers[worker].tail = record.previous
        } else {
            tasks[Int(record.next)].previous = record.previous
        }
        releaseSlot(of: task)
        tasks[Int(task)].state = .delayed
    }

    /// The task holds no slot any more, if it did; its group may be below its limit again.
    mutating func releaseSlot(of task: UInt32) {
        let record = tasks[Int(task)]
        let group = Int(record.group)
        if record.state.isSuspended {
            groups[group].suspended -= 1
            groups[group].wanting.removeAll { $0 == task }
            workers[Int(record.worker)].suspended -= 1
            return
        }
        workers[Int(record.worker)].held -= 1
        if record.state == .running { workers[Int(record.worker)].running -= 1 }
        let wasFull = groups[group].isFull
        groups[group].held -= 1
        mayAssign = true
        // A task that cleans up may be beyond the limit.
        guard wasFull, !groups[group].isFull else { return }
        // Those that have waited in between come before those that have not begun.
        if let next = groups[group].wanting.popFirst() {
            letProceed(next)
        } else {
            for lane in groups[group].lanes.indices { announceHead(of: record.group, lane: lane) }
        }
    }

    /// Follows how long a worker's attempts take, and sends ahead only what it will start within the horizon.
    mutating func learnServiceTime(of worker: UInt32, _ elapsed: TimeSpan) {
        let place = Int(worker)
        let sample = Double(elapsed.nanoseconds)
        let average = workers[place].serviceTime.map { $0 * 0.8 + sample * 0.2 } ?? sample
        workers[place].serviceTime = average
        let horizon = Double(limits.prefetchHorizon.nanoseconds)
        let perSlot = min(horizon / max(average, 1) - 1, Double(limits.prefetchPerSlot))
        // Doubling at most: one short task proves little.
        let slots = workers[place].offer.slots
        let wanted = perSlot < 1 ? 0 : UInt32(perSlot) * slots
        workers[place].prefetch = min(wanted, max(workers[place].prefetch * 2, slots))
    }
}
