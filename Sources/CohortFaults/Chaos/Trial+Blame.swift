internal import Cohort
internal import CohortBatch
internal import CohortCore

/// Promises 8 and 9: who is charged with what, and that no message makes anybody fall over.
extension Trial {
    // MARK: 8

    /// Only what was executing in a process that died is charged with it.
    func exactBlame() -> Verdict.Finding {
        let restarts = record.keepsState ? coordinatorKills : []
        guard !kills.isEmpty || !restarts.isEmpty else {
            return Verdict.Finding(untested: .exactBlame, "no process was killed that tasks depend on")
        }
        var breaches: [String] = []
        let lost = told.filter { $0.result.outcome == .lost }
        for telling in lost { if let why = innocence(telling) { breaches.append("\(name(telling.task)) \(why)") } }
        // A kill can come before a task's first word: what was seen there then has begun all the same.
        var seen = Set(traces.keys)
        var executing = 0
        var excuse = 0
        for kill in kills {
            guard case .killed(let tasks, let unknown) = kill.kind else { continue }
            seen.formUnion(tasks)
            executing += tasks.count
            excuse += unknown
        }
        var unseen: [Int] = []
        for telling in told where telling.result.started || telling.result.outcome == .lost {
            for attempt in 1...max(1, telling.result.attempts)
            where !seen.contains(Execution(task: telling.task, attempt: attempt)) {
                unseen.append(telling.task)
            }
        }
        if unseen.count > excuse {
            let names = unseen.prefix(5).map(name).joined(separator: ", ")
            breaches.append(
                "\(Self.count(unseen.count, "attempt")) charged that never began, with \(excuse) about to begin in all kills: \(names)"
            )
        }
        var killed: [String] = []
        if !kills.isEmpty {
            let tasks = Self.count(executing, "task")
            killed.append("\(Self.count(kills.count, "worker")) killed with \(tasks) executing")
        }
        if !restarts.isEmpty { killed.append("the coordinator killed \(Self.count(restarts.count, "time"))") }
        return Verdict.Finding(
            .exactBlame,
            "\(killed.joined(separator: ", ")); \(Self.count(lost.count, "task")) lost for good"
                + (breaches.isEmpty ? ", none falsely" : ""),
            breaches: breaches
        )
    }

    /// Why a task should not have been lost.
    private func innocence(_ telling: Told) -> String? {
        let execution = Execution(task: telling.task, attempt: telling.result.attempts)
        guard let trace = traces[execution], let start = trace.starts.last else { return nil }
        // A call that takes its own process down is lost by itself.
        if record.batch.tasks[telling.task].isCall, trace.end == nil, !hasHarmed(start) { return nil }
        if hasHarmed(start) { return nil }
        let lived = (trace.ended ?? record.ended ?? start.at).since(start.at)
        if record.messages.hasFaults, disturbance(of: trace.workers, after: start.at, within: lived) > .zero {
            return nil
        }
        return "is lost, and the worker that ran it, process \(start.parent), was neither killed nor stopped"
    }

    var coordinatorKills: [Incident] {
        record.incidents.filter { incident in
            guard case .killed = incident.kind else { return false }
            return incident.target == .coordinator
        }
    }

    /// Whether anything was done to the worker in which an execution began, or to the coordinator that it had.
    func hasHarmed(_ start: Evidence) -> Bool {
        harm.contains { incident in
            guard incident.target == .coordinator else { return incident.processes.contains(start.parent) }
            // One that keeps a journal takes up what it had; beyond the lease nobody waits for it.
            if case .frozen(let length) = incident.kind { return TimeSpan(length) >= Limits().lease }
            return !record.keepsState
        }
    }

    // MARK: 9

    /// No process of the pool falls over by itself, whatever it is sent.
    func badInput() -> Verdict.Finding {
        var breaches: [String] = []
        for incident in record.incidents {
            guard case .ended(let status, expected: false) = incident.kind else { continue }
            breaches.append("\(incident.subject) ended by itself at \(moment(incident.at)): \(Self.text(status))")
        }
        if breaches.isEmpty, record.messages.corrupted == 0 {
            return Verdict.Finding(untested: .badInput, "no message was corrupted")
        }
        return Verdict.Finding(
            .badInput,
            "\(Self.count(record.messages.corrupted, "message")) corrupted, and no process fell over",
            breaches: breaches
        )
    }
}
