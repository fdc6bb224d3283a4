internal import DequeModule

/// The ends of attempts and tasks, and what is free again then.
extension CoordinatorCore {
    /// An attempt has ended. What becomes of its task is decided once the groups that it has left open have closed.
    mutating func attemptEnded(
        _ task: UInt32,
        _ attempt: FinishedAttempt,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        at now: Instant
    ) {
        if attempt.started, tasks[Int(task)].state == .assigned { tasks[Int(task)].executions += 1 }
        releaseWorker(of: task)
        if nestedGroups.isEmpty || nestedGroups[task] == nil {
            settle(task, attempt, detail: detail, value: value, at: now)
        } else {
            pendingEnds[task] = PendingEnd(attempt: attempt, detail: detail, value: Array(value))
            leaveBehind(task, at: now)
        }
    }

    /// The one place where outcomes are decided.
    mutating func settle(
        _ task: UInt32,
        _ attempt: FinishedAttempt,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        at now: Instant
    ) {
        let index = Int(task)
        let group = tasks[index].group
        let flags = tasks[index].flags
        let timedOut = flags.contains(.timedOut)
        var detail = detail
        let outcome: TaskOutcome
        switch attempt.status {
        case .ok: outcome = timedOut ? .timeout : .ok
        // Not started and yet cancelled by nobody: the worker handed it back in this form.
        case .cancelled: outcome = timedOut ? .timeout : .cancelled
        // An error takes the place of the timeout that it answers.
        case .failed: outcome = .error
        case .lost: outcome = .lost
        }
        if outcome == .timeout { detail = timeoutDetail(of: task, detail) }
        let canRetry = outcome == .error || outcome == .timeout || outcome == .lost
        if canRetry, mayRetry(task) {
            passRest(of: task, detail)
            retry(task, after: PendingFailure(outcome: outcome, detail: detail ?? AttemptDetail()), at: now)
        } else if outcome == .cancelled, !attempt.started {
            endUnstarted(task, at: now)
            closeIfDone(group, at: now)
        } else {
            endTask(task, outcome, detail: detail, value: value, elapsed: attempt.elapsed, at: now)
            closeIfDone(group, at: now)
        }
    }

    func timeoutDetail(of task: UInt32, _ detail: AttemptDetail?) -> AttemptDetail {
        var detail = detail ?? AttemptDetail()
        let limit = templates[Int(tasks[Int(task)].template)].template.timeout ?? .zero
        detail.type = "TaskTimeout"
        detail.message = "timed out after \(limit.inWords)"
        return detail
    }

    private func mayRetry(_ task: UInt32) -> Bool {
        let record = tasks[Int(task)]
        let template = templates[Int(record.template)].template
        guard UInt32(record.executions) <= template.retries, record.executions < .max else { return false }
        if record.flags.contains(.retriesOver) { return false }
        return groups[Int(record.group)].phase == .open || template.shield
    }

    private mutating func retry(_ task: UInt32, after failure: PendingFailure, at now: Instant) {
        let template = templates[Int(tasks[Int(task)].template)].template
        let doublings = min(UInt64(max(tasks[Int(task)].executions, 1)) - 1, 30)
        let (product, overflow) = template.backoff.nanoseconds.multipliedReportingOverflow(by: 1 << doublings)
        let delay = overflow ? limits.maximumBackoff : min(TimeSpan(nanoseconds: product), limits.maximumBackoff)
        tasks[Int(task)].flags = []
        tasks[Int(task)].cause = .none
        tasks[Int(task)].state = .delayed
        changed(task: task)
        pendingFailures[task] = failure
        changed(failureOf: task)
        if delay == .zero {
            requeue(task)
        } else {
            let record = tasks[Int(task)]
            let due = now.advanced(by: delay)
            pendingFailures[task]?.retryAt = due
            setTimer(.retry(TaskKey(index: task, generation: record.generation)), at: due)
        }
    }

    /// Takes an unstarted task back from its worker: to the queue, or to its end if a cancel waits for it.
    mutating func giveBack(_ task: UInt32, at now: Instant) {
        // It was taken for one that runs on the word of somebody else.
        if tasks[Int(task)].state == .running { tasks[Int(task)].executions -= 1 }
        releaseWorker(of: task)
        // Whoever opened groups in its name did not speak for it.
        if !nestedGroups.isEmpty, nestedGroups[task] != nil { stopNested(of: task, grace: .zero, at: now) }
        if tasks[Int(task)].flags.contains(.cancelRequested) {
            endUnstarted(task, at: now)
        } else {
            requeue(task)
        }
    }

    /// Ends a task that no worker holds. One that has failed before and waited for another try ends with that failure.
    mutating func endUnstarted(_ task: UInt32, at now: Instant) {
        if let failure = pendingFailures[task] {
            endTask(task, failure.outcome, detail: failure.detail, value: [], elapsed: .zero, at: now)
        } else {
            endTask(task, .cancelled, detail: nil, value: [], elapsed: .zero, at: now)
        }
    }

    /// Commits a task's outcome, tells it, and draws the consequences for its group. The caller closes the group if it is done.
    mutating func endTask(
        _ task: UInt32,
        _ outcome: TaskOutcome,
        detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        elapsed: TimeSpan,
        at now: Instant
    ) {
        let index = Int(task)
        let record = tasks[index]
        let group = Int(record.group)
        if !pendingFailures.isEmpty, pendingFailures.removeValue(forKey: task) != nil { settled(failureOf: task) }
        groups[group].counts.count(outcome)
        groups[group].unfinished -= 1
        unfinishedTasks -= 1
        let owner = groups[group].owner
        if owner != GroupRecord.none { clients[Int(owner)].unfinished -= 1 }
        changed(group: record.group)
        let report = TaskReport(
            group: groups[group].id,
            index: record.index,
            outcome: outcome,
            started: record.executions > 0,
            afterCancel: outcome == .ok && record.flags.contains(.cancelRequested),
            cause: record.cause,
            attempts: UInt32(record.executions),
            elapsed: elapsed,
            worker: record.executions > 0 ? record.lastWorker : 0,
            valueLength: UInt32(value.count)
        )
        reportEnded(task, report, detail: detail, value: value)
        forget(task)
        switch outcome {
        case .error, .timeout, .lost: childFailed(in: record.group, at: now)
        case .ok: childSucceeded(in: record.group, at: now)
        case .cancelled: groups[group].childCancelled = true
        }
    }

    /// Frees the task's place and its share of the payload.
    private mutating func forget(_ task: UInt32) {
        let record = tasks[Int(task)]
        let group = Int(record.group)
        let member = Int(record.index - groups[group].firstUnfinished)
        groups[group].members[member] = TaskRecord.none
        while groups[group].members.first == TaskRecord.none {
            groups[group].members.removeFirst()
            groups[group].firstUnfinished += 1
        }
        releaseChunk(record.chunk)
        endedTasks += 1
        if !spawners.isEmpty { spawners[task] = nil }
        if !crashes.isEmpty { crashes[task] = nil }
        tasks[Int(task)].state = .free
        tasks[Int(task)].flags = []
        tasks[Int(task)].worker = TaskRecord.none
        freeTasks.append(task)
    }

    mutating func releaseChunk(_ chunk: UInt32) {
        chunks[Int(chunk)].users -= 1
        guard chunks[Int(chunk)].users == 0 else { return }
        chunks[Int(chunk)].bytes = []
        freeChunks.append(chunk)
    }

    /// The group has closed: its templates are needed no more, here and at the workers.
    mutating func releaseTemplates(of place: UInt32) {
        for template in groups[Int(place)].templates {
            let id = templates[Int(template)].id
            for worker in workers.indices where !workers[worker].isGone {
                let isKept = workers[worker].keptTemplates.remove(id) != nil
                guard workers[worker].knownTemplates.remove(id) != nil || isKept else { continue }
                workers[worker].forgetBox.append(id)
                markWorker(UInt32(worker))
            }
            templates[Int(template)] = TemplateRecord()
            freeTemplates.append(template)
        }
        groups[Int(place)].templates = []
        groups[Int(place)].lanes = []
    }
}
