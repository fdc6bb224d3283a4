internal import CohortCore

/// Chooses what happens next.
extension ModelCluster {
    private mutating func pick<Element>(_ elements: [Element]) -> Element? { elements.randomElement(using: &generator) }

    mutating func step() throws(Violation) {
        switch Int.random(in: 0..<100, using: &generator) {
        case 0..<9: try openGroup()
        case 9..<22: try submit()
        case 22..<25: try seal()
        case 25..<70: try workerReport()
        case 70..<80: try passTime()
        case 80..<84: try consume()
        case 84..<87: try cancelGroup()
        case 87..<90: try cancelTask()
        case 90..<92: try moveDeadline()
        case 92..<93: try watch()
        case 93..<95: try loseSession()
        case 95..<98: try join()
        case 98: try replaceSession()
        default: try sendNonsense()
        }
        if core.keepsJournal, generator.chance(2) { try crash() }
        if generator.chance(15) { try comeBack() }
        if generator.chance(70) { try flush() }
    }

    private mutating func join() throws(Violation) {
        if clients.count < 3, generator.chance(50) || clients.isEmpty { try joinClient() }
        guard workers.count < 5 else { return }
        let slots = UInt32.random(in: 1...3, using: &generator)
        try joinWorker(
            slots: slots,
            credit: generator.chance(50) ? .max : slots + 2,
            runsCommands: generator.chance(80),
            functions: ["f", "g"].filter { _ in generator.chance(60) }
        )
    }

    /// Its client is there.
    func isDriven(_ id: GroupID) -> Bool {
        !self[id].isOrphaned && clients.contains { $0.session == self[id].client }
    }

    private mutating func openGroup() throws(Violation) {
        guard let place = clients.indices.randomElement(using: &generator), groups.count < 40 else { return }
        let session = clients[place].session
        let own = openGroups.filter { self[$0].client == session }
        let opener = generator.chance(30) ? pick(workers.flatMap { $0.attempts.filter(\.hasStarted) }) : nil
        let parent = opener?.group ?? (generator.chance(60) ? pick(own) : nil)
        let key = GroupKey(clients[place].nextKey)
        clients[place].nextKey += 1
        let spec = GroupSpec(
            key: key,
            parent: opener == nil ? parent.map { self[$0].spec.key } : nil,
            owner: opener?.ref,
            name: "group-\(key.value)",
            policy: pick(FailurePolicy.allCases) ?? .cancel,
            limit: generator.chance(30) ? UInt32.random(in: 1...3, using: &generator) : nil,
            timeout: generator.chance(20) ? .milliseconds(UInt64.random(in: 0...4_000, using: &generator)) : nil,
            grace: generator.chance(20) ? .seconds(1) : nil,
            shield: generator.chance(15),
            detached: generator.chance(20),
            isScope: opener == nil && parent != nil && generator.chance(30)
        )
        try flush()
        refusals = []
        let id = GroupID(UInt64(groups.count) + 1)
        groups.append(
            Group(
                spec: spec,
                client: session,
                parent: parent,
                opener: opener?.index,
                root: parent.map { self[$0].root } ?? id,
                isDetached: opener == nil && (parent.map { self[$0].isDetached } ?? spec.detached)
            )
        )
        try send(.groupOpened(session, spec))
        if generator.chance(10) { try send(.groupOpened(session, spec)) }
        try flush()
        if refusals.contains(where: { $0.key == key }) { groups.removeLast() }
    }

    private mutating func submit() throws(Violation) {
        guard let id = pick(openGroups.filter { isDriven($0) && self[$0].bodyEnd == nil }) else { return }
        let template = randomTemplate()
        let payloads = (0..<Int.random(in: 1...8, using: &generator)).map { count in
            [UInt8](repeating: UInt8(count), count: Int.random(in: 0...3, using: &generator))
        }
        let group = self[id]
        let submission = TaskSubmission(
            group: group.spec.key,
            first: UInt32(group.tasks.count),
            firstTemplate: group.templates,
            templates: [template],
            runs: [TaskRun(template: group.templates, lengths: payloads.map { UInt32($0.count) })],
            payload: payloads.flatMap { $0 }
        )
        try flush()
        refusals = []
        self[id].templates += 1
        self[id].tasks += payloads.map { Task(template: template, payload: $0) }
        try send(.tasksSubmitted(group.client, submission))
        if generator.chance(10) { try send(.tasksSubmitted(group.client, submission)) }
        try flush()
        if refusals.contains(where: { $0.key == group.spec.key && $0.from == submission.first }) {
            self[id].templates -= 1
            self[id].tasks.removeLast(payloads.count)
        }
    }

    private mutating func randomTemplate() -> TaskTemplate {
        let timeouts: [TimeSpan?] = [nil, nil, nil, .milliseconds(500), .seconds(1), .zero]
        return TaskTemplate(
            name: "task",
            function: pick(["", "", "f", "g"]) ?? "",
            timeout: pick(timeouts) ?? nil,
            retries: pick([0, 0, 1, 2]) ?? 0,
            backoff: generator.chance(50) ? .zero : .milliseconds(300),
            shield: generator.chance(15),
            output: generator.chance(20) ? .stream : .tail
        )
    }

    private mutating func seal() throws(Violation) {
        guard let id = pick(openGroups.filter { isDriven($0) && self[$0].bodyEnd == nil }) else { return }
        let end: BodyEnd =
            generator.chance(80) ? .returned : generator.chance(50) ? .cancelled : .failed(AttemptDetail())
        try seal(id, end)
    }

    func firstUnsealed() -> GroupID? { openGroups.first { isDriven($0) && self[$0].bodyEnd == nil } }

    mutating func seal(_ id: GroupID, _ end: BodyEnd) throws(Violation) {
        self[id].bodyEnd = end
        try send(.groupSealed(self[id].client, self[id].spec.key, end))
    }

    // MARK: Workers

    private mutating func workerReport() throws(Violation) {
        guard let place = workers.indices.randomElement(using: &generator) else { return }
        var report = WorkerReport()
        var values: [UInt8] = []
        // Something about an attempt that is over.
        let held = workers[place].attempts.map(\.ref)
        let stale = pick(workers[place].known.filter { !held.contains($0) })
        for attempt in workers[place].attempts.shuffled(using: &generator).prefix(4) {
            act(attempt, at: place, &report, &values)
        }
        if let stale, generator.chance(15) {
            report.started.append(stale)
            report.returned.append(stale)
            report.cancelsSeen.append(stale)
            report.finished.append(FinishedAttempt(ref: stale, status: .ok))
        }
        report.payload += values
        try send(.workerReported(workers[place].session, report))
    }

    /// One thing that happens to an attempt.
    private mutating func act(_ attempt: Attempt, at place: Int, _ report: inout WorkerReport, _ values: inout [UInt8])
    {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<3 where !attempt.hasStarted:
            begin(attempt, at: place)
            report.started.append(attempt.ref)
        case 3 where !attempt.hasStarted:
            leave(attempt, at: place)
            report.returned.append(attempt.ref)
        case 4 where attempt.cancelRequested:
            report.cancelsSeen.append(attempt.ref)
        case 6 where attempt.hasStarted, 7 where attempt.isSuspended:
            suspend(attempt, at: place, &report)
        case 5 where self[attempt.group].tasks[attempt.index].template.output == .stream:
            write(attempt, at: place, &report)
        default:
            let statuses: [AttemptStatus] =
                attempt.cancelRequested
                ? [.ok, .failed, .cancelled, .cancelled] : [.ok, .ok, .ok, .failed, .lost, .cancelled]
            let status = pick(statuses) ?? .ok
            let isUnstarted = status == .cancelled && !attempt.hasStarted && generator.chance(50)
            if !isUnstarted { begin(attempt, at: place) }
            leave(attempt, at: place)
            let value: [UInt8] = status == .ok ? [7] : []
            values += value
            report.finished.append(
                FinishedAttempt(
                    ref: attempt.ref,
                    status: status,
                    started: !isUnstarted,
                    elapsed: .milliseconds(UInt64.random(in: 0...8, using: &generator)),
                    valueLength: UInt32(value.count)
                )
            )
        }
    }

    /// A running attempt begins to wait, a waiting one wants to go on, one that wants goes on wanting.
    private mutating func suspend(_ attempt: Attempt, at place: Int, _ report: inout WorkerReport) {
        guard let held = workers[place].attempts.firstIndex(where: { $0.ref == attempt.ref }) else { return }
        if !attempt.isSuspended {
            workers[place].attempts[held].isSuspended = true
            workers[place].attempts[held].wasSuspended = true
            report.waiting.append(attempt.ref)
        } else if !attempt.wantsSlot {
            workers[place].attempts[held].wantsSlot = true
            report.wanting.append(attempt.ref)
        }
    }

    private mutating func write(_ attempt: Attempt, at place: Int, _ report: inout WorkerReport) {
        let chunk = OutputChunk(ref: attempt.ref, stream: .standardOutput, offset: attempt.written, length: 2)
        report.outputs.append(chunk)
        report.payload += [1, 2]
        guard let held = workers[place].attempts.firstIndex(where: { $0.ref == attempt.ref }) else { return }
        workers[place].attempts[held].written += 2
    }

    private mutating func begin(_ attempt: Attempt, at place: Int) {
        guard let held = workers[place].attempts.firstIndex(where: { $0.ref == attempt.ref }),
            !workers[place].attempts[held].hasStarted
        else { return }
        workers[place].attempts[held].hasStarted = true
        self[attempt.group].tasks[attempt.index].executions += 1
    }

    private mutating func leave(_ attempt: Attempt, at place: Int) {
        workers[place].attempts.removeAll { $0.ref == attempt.ref }
        closeBodies(of: attempt)
    }

    // MARK: Time and sessions

    private mutating func passTime() throws(Violation) {
        guard generator.chance(3) else {
            now = now.advanced(by: .milliseconds(UInt64.random(in: 0...800, using: &generator)))
            return try timePasses(silent: [])
        }
        let everybody = clients.map(\.session) + workers.map(\.session)
        let silent = Set(everybody.filter { _ in generator.chance(30) })
        for _ in 0..<11 {
            now = now.advanced(by: .seconds(1))
            try timePasses(silent: silent)
        }
    }

    mutating func timePasses(silent: Set<SessionID>) throws(Violation) {
        for session in clients.map(\.session) + workers.map(\.session) where !silent.contains(session) {
            try send(.heard(session))
        }
        loseAbsent()
        try send(.timeReached)
    }

    private mutating func loseSession() throws(Violation) {
        if generator.chance(30), let client = pick(clients) {
            try send(.sessionEnded(client.session, .unreachable))
        } else if let place = workers.indices.randomElement(using: &generator) {
            let worker = workers[place]
            if generator.chance(30) {
                try send(.workerDraining(worker.session))
                workers[place].isDraining = true
            } else {
                let begun = worker.attempts.filter(\.hasStarted).map(\.ref)
                let death = WorkerDeath(signal: 9, begun: generator.chance(80) ? begun : nil)
                let isNamed = generator.chance(50)
                try send(isNamed ? .workerDied(worker.token, death) : .sessionEnded(worker.session, .died(death)))
            }
        }
    }

    mutating func consume() throws(Violation) {
        guard let place = clients.indices.randomElement(using: &generator) else { return }
        let client = clients[place]
        clients[place].weight = 0
        clients[place].outputs = []
        if core.keepsJournal, generator.chance(50) { try send(.updatesReceived(client.session, client.updates)) }
        try send(.consumed(client.session, weight: client.weight, outputs: client.outputs))
    }

    // MARK: Requests

    private mutating func cancelGroup() throws(Violation) {
        guard let client = pick(clients), let id = pick(openGroups) else { return }
        let grace: TimeSpan? = generator.chance(30) ? .milliseconds(500) : nil
        try send(.groupCancelled(client.session, .id(id), grace: grace, reason: "model"))
    }

    private mutating func cancelTask() throws(Violation) {
        guard let id = pick(openGroups.filter { isDriven($0) && !self[$0].tasks.isEmpty }) else { return }
        let index = UInt32.random(in: 0..<UInt32(self[id].tasks.count), using: &generator)
        try send(.taskCancelled(self[id].client, self[id].spec.key, index: index, reason: "model"))
    }

    private mutating func moveDeadline() throws(Violation) {
        guard let client = pick(clients), let id = pick(openGroups) else { return }
        let span: TimeSpan? =
            generator.chance(30) ? nil : .milliseconds(UInt64.random(in: 0...3_000, using: &generator))
        try send(.deadlineChanged(client.session, .id(id), span))
    }

    private mutating func watch() throws(Violation) {
        guard let place = clients.indices.randomElement(using: &generator) else { return }
        let session = clients[place].session
        // Not its own: those it is told of anyway.
        guard let id = pick(openGroups.filter { self[$0].isDetached && self[$0].client != session }) else { return }
        try watch(self[id].root, from: place)
    }

    mutating func watch(_ root: GroupID, from place: Int) throws(Violation) {
        clients[place].watched.append(root)
        try send(.watched(clients[place].session, .id(root)))
    }

    /// Requests that nobody can have meant.
    private mutating func sendNonsense() throws(Violation) {
        guard let client = pick(clients) else { return }
        let nothing = GroupKey(.max)
        try send(.groupSealed(client.session, nothing, .returned))
        try send(.tasksSubmitted(client.session, TaskSubmission(group: nothing, first: 3, runs: [])))
        try send(.groupCancelled(client.session, .name("nothing"), grace: nil, reason: ""))
        let nobody = AttemptRef(
            task: TaskKey(index: UInt32.random(in: 0...50, using: &generator), generation: 0),
            attempt: 9
        )
        try send(.groupOpened(client.session, GroupSpec(key: nothing, owner: nobody, name: "nobody's")))
        try send(.siblingsJoined(client.session, nothing, nobody))
        try send(.taskCancelled(client.session, nothing, index: .max, reason: "", token: 7))
        try send(.queried(client.session))
    }
}
