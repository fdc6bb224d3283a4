internal import CohortCore

/// Coordinators that die and come back, and peers that do.
extension ModelCluster {
    /// The coordinator dies; another one begins with its journal. Nobody else has died, and nobody has come back yet.
    mutating func crash() throws(Violation) {
        try flush()
        let late = core.headsToldSince
        let before = core.durableImage(withoutLogsOf: late)
        now = now.advanced(by: .milliseconds(UInt64.random(in: 1...3_000, using: &generator)))
        if let contradiction = journal.contradiction() { throw Violation(contradiction) }
        core = CoordinatorCore(recovering: journal, limits: core.limits, at: now)
        let after = core.durableImage(withoutLogsOf: late)
        for (line, other) in zip(before, after) where line != other {
            throw Violation("restored wrongly:\n\(line)\n\(other)")
        }
        try check(before.count == after.count, "\(before.count) things were restored as \(after.count)")
        for worker in workers {
            superseded.insert(worker.session)
            absentWorkers.append((worker, now))
        }
        for client in clients { absentClients.append((client, now)) }
        workers = []
        clients = []
        try flush()
    }

    /// Somebody who was there before a restart says hello again.
    mutating func comeBack() throws(Violation) {
        if !absentClients.isEmpty, generator.chance(50) {
            let client = absentClients.remove(at: Int.random(in: absentClients.indices, using: &generator)).client
            try comeBack(client)
        } else if !absentWorkers.isEmpty {
            let worker = absentWorkers.remove(at: Int.random(in: absentWorkers.indices, using: &generator)).worker
            try comeBack(worker)
        }
    }

    private mutating func comeBack(_ client: Client) throws(Violation) {
        var client = client
        let old = client.session
        client.session = SessionID(nextSession)
        nextSession += 1
        for place in groups.indices where groups[place].client == old { groups[place].client = client.session }
        client.request = SessionRequest(number: client.request.number + 1, previous: client.request.number)
        client.weight = 0
        client.updates = 0
        client.outputs = []
        client.watched = []
        client.caughtUp = []
        // It is told again, and knows what it knows.
        client.told = []
        clients.append(client)
        try send(.clientJoined(client.session, client.token, client.request))
        try flush()
    }

    /// A worker or client that has a session begins another one: its connection was dead, and it has noticed first.
    mutating func replaceSession() throws(Violation) {
        if core.keepsJournal, generator.chance(30), let place = clients.indices.randomElement(using: &generator) {
            let client = clients.remove(at: place)
            superseded.insert(client.session)
            try comeBack(client)
        } else if let place = workers.indices.randomElement(using: &generator) {
            let worker = workers.remove(at: place)
            superseded.insert(worker.session)
            try comeBack(worker)
        }
    }

    private mutating func comeBack(_ worker: Worker) throws(Violation) {
        var worker = worker
        worker.session = SessionID(nextSession)
        nextSession += 1
        worker.request = SessionRequest(number: worker.request.number + 1, previous: worker.request.number)
        let held = Set(worker.attempts.map(\.ref))
        // What was on its way to it is gone.
        worker.attempts.removeAll { !$0.hasStarted && generator.chance(20) }
        var offered = worker.attempts.map { HeldAttempt(ref: $0.ref, state: $0.state) }
        let ended = Set(worker.attempts.filter { _ in generator.chance(20) }.map(\.ref))
        for place in offered.indices where ended.contains(offered[place].ref) { offered[place].state = .ended }
        if generator.chance(30), let stale = worker.known.first(where: { !held.contains($0) }) {
            offered.append(HeldAttempt(ref: stale, state: .running))
            unwanted[worker.session, default: []].insert(stale)
        }
        worker.templates = []
        worker.kept = Set(worker.attempts.map(\.template))
        worker.offer.held = offered
        workers.append(worker)
        try send(.workerJoined(worker.session, worker.offer, worker.token, worker.request))
        try flush()
        try report(ended, from: worker.session)
    }

    /// These had ended before the worker came back.
    private mutating func report(_ ended: Set<AttemptRef>, from session: SessionID) throws(Violation) {
        guard let place = workers.firstIndex(where: { $0.session == session }) else { return }
        var report = WorkerReport()
        for attempt in workers[place].attempts where ended.contains(attempt.ref) {
            if !attempt.hasStarted { self[attempt.group].tasks[attempt.index].executions += 1 }
            report.finished.append(FinishedAttempt(ref: attempt.ref, status: .ok))
            closeBodies(of: attempt)
        }
        workers[place].attempts.removeAll { ended.contains($0.ref) }
        try send(.workerReported(session, report))
    }

    mutating func welcomed(_ session: SessionID, _ over: [AttemptRef]) throws(Violation) {
        guard let place = workers.firstIndex(where: { $0.session == session }) else {
            return try check(over.isEmpty, "attempts of a client are over")
        }
        let expected = unwanted.removeValue(forKey: session) ?? []
        try check(Set(over) == expected, "\(over.count) attempts are unwanted, should be \(expected.count)")
        workers[place].offer.held = []
    }

    /// Those who have not come back within the lease are lost, and so is what they had.
    mutating func loseAbsent() {
        let lease = core.limits.lease
        for (worker, since) in absentWorkers where since.advanced(by: lease) <= now {
            lose(worker.attempts, isExact: false)
        }
        absentWorkers.removeAll { $0.since.advanced(by: lease) <= now }
        for (client, since) in absentClients where since.advanced(by: lease) <= now { orphan(client.session) }
        absentClients.removeAll { $0.since.advanced(by: lease) <= now }
    }
}
