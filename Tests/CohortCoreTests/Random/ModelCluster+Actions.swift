internal import CohortCore

/// Judges what the core does.
extension ModelCluster {
    mutating func apply(_ actions: [CoordinatorAction]) throws(Violation) {
        // A stop takes effect before anything is given out, whatever the order of the messages.
        for case .update(_, let update) in actions {
            for stop in update.stopping { self[stop.group].hasStopped = true }
        }
        for action in actions {
            switch action {
            case .record(let batch): journal.apply(batch)
            case .welcome(let session, _, let over): try welcomed(session, over)
            case .assign(let session, let batch): try assigned(batch, to: session)
            case .cancel(let session, let orders): try cancelled(orders, at: session)
            case .grant(let session, let grants):
                let worker = try worker(session)
                for grant in grants {
                    try check(workers[worker].known.contains(grant.ref), "credit for what the worker never got")
                    let held = workers[worker].attempts.first { $0.ref == grant.ref }
                    let isWritten = held.map { grant.position <= $0.written } ?? true
                    try check(isWritten, "credit for output that was never written")
                }
            case .proceed(let session, let refs): try proceeded(refs, at: session)
            case .forget(let session, let templates):
                let worker = try worker(session)
                for template in templates {
                    let isKnown = workers[worker].templates.remove(template) != nil
                    let isKept = workers[worker].kept.remove(template) != nil
                    try check(isKnown || isKept, "a template is forgotten that never came")
                }
            case .update(let session, let update): try updated(update, session)
            case .answer(let session, _), .heartbeat(let session):
                let isThere = clients.contains { $0.session == session } || workers.contains { $0.session == session }
                try check(isThere, "something is sent to session \(session.value), which is gone")
            case .closeSession(let session, let end): try sessionClosed(session, end)
            // Of one that has not come back the model need not know the same.
            case .workerLost(SessionID(0), _, _, _, _): break
            case .workerLost(let session, _, let end, let running, let returned):
                let attempts = workers[try worker(session)].attempts
                let charged = attempts.count { $0.hasStarted || !end.isExact }
                try check(running == charged, "\(running) tasks are called running")
                try check(returned == attempts.count - charged, "\(returned) tasks are called returned")
            case .drained:
                try check(isDraining && !hasDrained, "drained without reason")
                hasDrained = true
            }
        }
    }

    private func worker(_ session: SessionID) throws(Violation) -> Int {
        guard let place = workers.firstIndex(where: { $0.session == session }) else {
            throw Violation("something is sent to worker \(session.value), which is gone")
        }
        return place
    }

    // MARK: To workers

    private mutating func assigned(_ batch: AssignBatch, to session: SessionID) throws(Violation) {
        let place = try worker(session)
        let isNeeded = workers[place].attempts.contains { $0.isSuspended }
        try check(!workers[place].isDraining || isNeeded, "a draining worker is given tasks")
        for template in batch.templates {
            try check(workers[place].templates.insert(template.id).inserted, "a template is sent twice")
            templateGroups[template.id] = template.group
        }
        var offset = 0
        for assignment in batch.tasks {
            try check(workers[place].templates.contains(assignment.template), "an unknown template is assigned")
            guard let id = templateGroups[assignment.template] else { throw Violation("a template of no group") }
            let end = offset + Int(assignment.payloadLength)
            try check(end <= batch.payload.count, "a payload is too short")
            try assigned(assignment, of: id, payload: Array(batch.payload[offset..<end]), to: place)
            offset = end
        }
        try check(offset == batch.payload.count, "a payload is too long")
        let offer = workers[place].offer
        let fresh = workers[place].attempts.count { !$0.wasSuspended }
        try check(fresh <= max(offer.slots, offer.credit), "a worker has more than it wants")
    }

    private mutating func assigned(
        _ assignment: Assignment,
        of id: GroupID,
        payload: [UInt8],
        to place: Int
    ) throws(Violation) {
        let index = Int(assignment.index)
        let name = "task \(index) of group \(id.value)"
        try check(self[id].closed == nil, "\(name) is assigned, but the group has closed")
        try check(index < self[id].tasks.count, "\(name) was never submitted")
        let task = self[id].tasks[index]
        let isWanted = !self[id].hasStopped || task.template.shield
        try check(isWanted, "\(name) is assigned after its group has stopped")
        try check(task.report == nil, "\(name) is assigned after its end")
        try check(task.payload == payload, "\(name) has got another payload")
        try check(assignment.ref.attempt > task.lastAttempt, "the attempt number of \(name) has not grown")
        let isHeld = workers.contains { $0.attempts.contains { $0.group == id && $0.index == index } }
        try check(!isHeld, "\(name) is at two workers")
        let offer = workers[place].offer
        let function = task.template.function
        let isAble = function.isEmpty ? offer.runsCommands : offer.functions.contains(function)
        try check(isAble, "\(name) is given to a worker that cannot run it")
        self[id].tasks[index].lastAttempt = assignment.ref.attempt
        workers[place].attempts.append(
            Attempt(ref: assignment.ref, template: assignment.template, group: id, index: index)
        )
        workers[place].known.append(assignment.ref)
        try check(held(of: id) <= Int(self[id].spec.limit ?? .max), "group \(id.value) is over its limit")
    }

    private mutating func proceeded(_ refs: [AttemptRef], at session: SessionID) throws(Violation) {
        let place = try worker(session)
        for ref in refs {
            try check(workers[place].known.contains(ref), "a slot for what the worker never got")
            guard let held = workers[place].attempts.firstIndex(where: { $0.ref == ref }) else { continue }
            let attempt = workers[place].attempts[held]
            try check(attempt.wantsSlot, "a slot for what does not want one")
            workers[place].attempts[held].isSuspended = false
            workers[place].attempts[held].wantsSlot = false
            let isWithinLimit = self.held(of: attempt.group) <= Int(self[attempt.group].spec.limit ?? .max)
            // To clean up, a task need not wait for the limit.
            try check(
                isWithinLimit || attempt.cancelRequested,
                "a task goes on beyond the limit of group \(attempt.group.value)"
            )
        }
    }

    private mutating func cancelled(_ orders: [CancelOrder], at session: SessionID) throws(Violation) {
        let place = try worker(session)
        for order in orders {
            try check(workers[place].known.contains(order.ref), "a cancel of what the worker never got")
            guard let held = workers[place].attempts.firstIndex(where: { $0.ref == order.ref }) else { continue }
            workers[place].attempts[held].cancelRequested = true
            let attempt = workers[place].attempts[held]
            let isShielded = self[attempt.group].tasks[attempt.index].template.shield
            // By name, by its own timeout, or because nobody is left to wait for it.
            let pierces: [CancelCause] = [.requested, .taskTimeout, .ownerLost, .shutdown]
            try check(!isShielded || pierces.contains(order.cause), "a shielded task is cancelled: \(order.cause)")
        }
    }

    // MARK: To clients

    private mutating func updated(_ update: ClientUpdate, _ session: SessionID) throws(Violation) {
        guard let place = clients.firstIndex(where: { $0.session == session }) else {
            throw Violation("something is sent to client \(session.value), which is gone")
        }
        clients[place].updates += 1
        refusals += update.refusals
        for opened in update.opened where opened.group.value > groups.count {
            throw Violation("group \(opened.group.value) is opened, but nobody asked for it")
        }
        var payload = update.outputs.reduce(0) { $0 + Int($1.length) }
        for output in update.outputs {
            try check(self[output.group].client == session, "output goes to a stranger")
            clients[place].outputs.append(
                ConsumedOutput(
                    group: output.group,
                    index: output.index,
                    attempt: output.attempt,
                    position: output.offset + UInt64(output.length)
                )
            )
        }
        for report in update.reports {
            payload += Int(report.valueLength)
            try ended(report, to: place)
        }
        try check(payload == update.payload.count, "the payload of an update does not add up")
        clients[place].weight += ClientUpdate.weight(bytes: payload, reports: update.reports.count)
        for report in update.closed { try closed(report, to: place) }
        for report in update.reports where self[report.group].client == session { try checkNestedClosed(report) }
        clients[place].caughtUp += update.caughtUp
    }

    /// A task ends when the groups that it has opened have closed. What another client is told may come sooner or later, and
    /// one that has gone is told nothing.
    private func checkNestedClosed(_ report: TaskReport) throws(Violation) {
        // With a journal trees are told one by one.
        guard !core.keepsJournal else { return }
        let left = groups.contains {
            $0.parent == report.group && $0.opener == Int(report.index) && $0.closed == nil
                && $0.client == self[report.group].client
        }
        try check(!left, "task \(report.index) of group \(report.group.value) ends before groups of its own")
    }

    private func mayHear(_ place: Int, of id: GroupID) -> Bool {
        !self[id].isDetached && self[id].client == clients[place].session
            || clients[place].watched.contains(self[id].root)
    }

    private mutating func ended(_ report: TaskReport, to place: Int) throws(Violation) {
        let id = report.group
        let index = Int(report.index)
        let name = "task \(index) of group \(id.value)"
        try check(mayHear(place, of: id), "\(name) is reported to a stranger")
        try check(clients[place].told.insert("\(id.value)/\(index)").inserted, "\(name) is reported twice")
        try check(!clients[place].told.contains("\(id.value)"), "\(name) is reported after its group has closed")
        try check(index < self[id].tasks.count, "\(name) is reported, but was never accepted")
        let task = self[id].tasks[index]
        let executions = task.executions + task.doubts
        try check(report.attempts == executions, "\(name): \(report.attempts) attempts, really \(executions)")
        try check(report.started == (executions > 0), "\(name) is wrong about its start")
        try check(task.report.map { $0.outcome == report.outcome } ?? true, "\(name) has two outcomes")
        try check(task.executions <= task.template.retries + 1, "\(name) was tried too often")
        self[id].tasks[index].report = report
    }

    private mutating func closed(_ report: GroupReport, to place: Int) throws(Violation) {
        let id = report.group
        let name = "group \(id.value)"
        let isOwn = self[id].client == clients[place].session
        try check(isOwn || mayHear(place, of: id), "\(name) closes before a stranger")
        try check(self[id].parent == report.parent, "\(name) names a wrong parent")
        if let known = self[id].closed {
            try check(known.outcome == report.outcome, "\(name) has two outcomes")
        }
        self[id].closed = report
        try check(report.counts.ended == self[id].tasks.count, "\(name) closes with tasks that have not ended")
        try check(held(of: id) == 0, "\(name) closes while a worker holds a task of it")
        guard mayHear(place, of: id), !self[id].isDetached || clients[place].watched.contains(self[id].root) else {
            return
        }
        try check(clients[place].told.insert("\(id.value)").inserted, "\(name) closes twice")
        if !self[id].isDetached { try checkOutcome(of: id, report) }
    }

    /// The table of outcomes once more, from what the client was told.
    private func checkOutcome(of id: GroupID, _ report: GroupReport) throws(Violation) {
        let group = self[id]
        var counts = TaskCounts()
        for task in group.tasks {
            guard let outcome = task.report?.outcome else {
                throw Violation("a task of group \(id.value) was never reported")
            }
            counts.count(outcome)
        }
        try check(counts == report.counts, "the counts of group \(id.value) are wrong")
        let children = groups.filter { $0.parent == id && $0.client == group.client }
        // With a journal trees are told one by one, and each group that a task has opened is one.
        let isComplete = children.allSatisfy { $0.closed != nil || core.keepsJournal && $0.opener != nil }
        try check(isComplete, "group \(id.value) closes before what is in it")
        let inner = children.filter { !$0.spec.isScope }.compactMap(\.closed?.outcome)
        var failures = counts.failed + inner.count { $0 == .errors || $0 == .timeout }
        var isBodyFailed = false
        if case .failed = group.bodyEnd { isBodyFailed = true }
        if isBodyFailed { failures += 1 }
        let isCancelled = counts.cancelled > 0 || inner.contains(.cancelled) || group.bodyEnd == .cancelled
        // Whether it stopped for a winner of its own or of a group around it cannot be told from outside.
        if group.spec.policy == .first, report.cause == .siblingWon, report.cancelled { return }
        let hasWinner = group.spec.policy == .first && report.cause == .siblingWon
        let expected: GroupOutcome =
            if hasWinner {
                isBodyFailed ? .errors : .ok
            } else if failures > 0 {
                .errors
            } else if report.cancelled && isCancelled {
                .cancelled
            } else if report.timedOut {
                .timeout
            } else {
                .ok
            }
        try check(report.outcome == expected, "group \(id.value) is \(report.outcome), should be \(expected)")
    }
}
