internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortProcess

/// Promises 1, 2 and 7: what is told of each task, and whether it is what the task came to.
extension Trial {
    // MARK: 1

    /// Every task has one outcome, and it is the one that its evidence shows.
    func oneOutcome() -> Verdict.Finding {
        guard record.document != nil else { return noDocument(.oneOutcome) }
        var breaches: [String] = []
        for (task, tellings) in Dictionary(grouping: told, by: \.task).sorted(by: { $0.key < $1.key }) {
            if tellings.count > 1 {
                let outcomes = tellings.map(\.result.outcome.rawValue).joined(separator: ", ")
                breaches.append("\(name(task)) has \(tellings.count) outcomes: \(outcomes)")
            }
        }
        let known = Set(told.map(\.task))
        for task in record.batch.tasks where !known.contains(task.number) { breaches += missing(task.number) }
        breaches += strangers.map { "\($0) is in the document, and not in the batch" }
        for telling in told { if let why = contradiction(telling) { breaches.append("\(name(telling.task)) \(why)") } }
        let counts = record.document?.tally ?? OutcomeCounts()
        if counts.total != record.batch.tasks.count {
            breaches.append("the document counts \(counts.total) outcomes for \(record.batch.tasks.count) tasks")
        }
        return Verdict.Finding(
            .oneOutcome,
            "\(Self.count(record.batch.tasks.count, "task")), \(Self.count(told.count, "outcome")), compared with the evidence",
            breaches: breaches
        )
    }

    /// A task that came when its group was stopping is only counted.
    private func missing(_ task: Int) -> [String] {
        let ran = executionsOfTask[task] ?? []
        if ran.isEmpty, groups.contains(where: { $0.group == record.batch.tasks[task].group }) { return [] }
        return ["\(name(task)) has no outcome" + (ran.isEmpty ? "" : ", though it was executed \(ran.count) times")]
    }

    /// What the evidence says against an outcome.
    private func contradiction(_ telling: Told) -> String? {
        let result = telling.result
        let last = Execution(task: telling.task, attempt: result.attempts)
        let trace = traces[last]
        if !result.started {
            let ran = executionsOfTask[telling.task]?.first
            return ran.map { "is told never to have started, and attempt \($0.attempt) began \(began($0))" }
        }
        switch (result.outcome, trace?.end?.fact) {
        case (.ok, .exited(let code)) where code != 0: return "is told to be ok, and exited with \(code)"
        case (.ok, .signalled(let signal)): return "is told to be ok, and ended by signal \(signal)"
        case (.ok, nil):
            return trace == nil
                ? "is told to be ok at attempt \(result.attempts), which never began"
                : "is told to be ok at attempt \(result.attempts), which never came to its end"
        case (.error, .exited(let code)):
            if code == 0 { return "is told to have failed, and attempt \(result.attempts) succeeded" }
            guard let exit = result.exitCode, exit != Int(code) else { return nil }
            return "is told to have exited with \(exit), and exited with \(code)"
        default: return nil
        }
    }

    func began(_ execution: Execution) -> String {
        traces[execution]?.starts.first.map { "at \(moment($0.at)) in process \($0.process)" } ?? "unseen"
    }

    /// The finding where the client has left without outcomes.
    private func noDocument(_ promise: Verdict.Promise) -> Verdict.Finding {
        if record.ended == nil || record.isInterrupted {
            return Verdict.Finding(untested: promise, "the batch was stopped before it had come to its end")
        }
        let lostCoordinator = harm.contains { $0.target == .coordinator }
        if lostCoordinator, !record.keepsState {
            return Verdict.Finding(untested: promise, "the coordinator was lost, and with it what it had not told")
        }
        if record.incidents.contains(where: { $0.target == .coordinator && $0.kind == .givenUp }) {
            return Verdict.Finding(
                untested: promise,
                "the coordinator was killed more often than it may be started again"
            )
        }
        return Verdict.Finding(
            promise,
            "no outcome was told",
            breaches: ["the client left at \(record.ended.map(moment) ?? "the end") without an outcome: \(lastWords)"]
        )
    }

    /// What the client said, in one line.
    var lastWords: String {
        let words = record.message.split(separator: "\n").last.map(String.init) ?? ""
        return words.isEmpty ? "it said nothing" : words
    }

    // MARK: 2

    /// No attempt of a task begins twice, and none that is not allowed begins.
    func atMostOnce() -> Verdict.Finding {
        guard !traces.isEmpty else { return Verdict.Finding(untested: .atMostOnce, "no task has begun") }
        var breaches: [String] = []
        for execution in executions {
            guard let trace = traces[execution] else { continue }
            if trace.starts.count > 1 {
                let places = trace.starts.map { "at \(moment($0.at)) in process \($0.process)" }
                breaches.append(
                    "\(name(execution.task)): attempt \(execution.attempt) began \(trace.starts.count) times: "
                        + places.joined(separator: ", ")
                )
            }
            let allowed = record.batch.tasks[execution.task].attempts
            if execution.attempt > allowed {
                breaches.append(
                    "\(name(execution.task)): attempt \(execution.attempt) began \(began(execution)), and \(allowed) are allowed"
                )
            }
        }
        for execution in executions { if let why = waste(execution) ?? cutOff(execution) { breaches.append(why) } }
        for telling in told where telling.result.started {
            guard let last = executionsOfTask[telling.task]?.last, last.attempt > telling.result.attempts else {
                continue
            }
            breaches.append(
                "\(name(telling.task)): attempt \(last.attempt) began \(began(last)), "
                    + "and \(Self.count(telling.result.attempts, "attempt")) are told"
            )
        }
        let tasks = Set(executions.map(\.task)).count
        let again = executions.count - tasks
        let retried = again == 0 ? "" : ", \(again) of them retries that were asked for"
        return Verdict.Finding(
            .atMostOnce,
            "\(Self.count(executions.count, "execution")) of \(Self.count(tasks, "task"))\(retried)",
            breaches: breaches
        )
    }

    /// Why an attempt should not have been followed by another: it had succeeded, and nothing kept that from being told.
    private func waste(_ execution: Execution) -> String? {
        let next = Execution(task: execution.task, attempt: execution.attempt + 1)
        guard let trace = traces[execution], let start = trace.starts.first, let end = trace.end,
            end.fact == .exited(code: 0), let again = traces[next]?.starts.first, !hasHarmed(start)
        else { return nil }
        // A success after the attempt's own time is none.
        if let timeout = record.batch.tasks[execution.task].plan.timeout, end.at.since(start.at) >= TimeSpan(timeout) {
            return nil
        }
        let until = again.at.since(end.at)
        if disturbance(of: trace.workers, after: end.at, within: until) > .zero { return nil }
        return "\(name(execution.task)): attempt \(execution.attempt) succeeded at \(moment(end.at)), "
            + "and attempt \(next.attempt) began \(began(next))"
    }

    /// Why an attempt should not have been followed by another: it was running when the coordinator was killed, and should
    /// have been taken up by the next one.
    private func cutOff(_ execution: Execution) -> String? {
        let next = Execution(task: execution.task, attempt: execution.attempt + 1)
        let task = record.batch.tasks[execution.task]
        // A call that takes its own process down leaves no word either. What a worker may end by itself, it does after its
        // patience, and what it may have been cut off from is not known where messages are lost.
        guard record.keepsState, !record.messages.hasFaults, !task.isCall,
            let trace = traces[execution], trace.end == nil, let start = trace.starts.first, let gone = trace.gone,
            let again = traces[next]?.starts.first, !hasHarmed(start),
            let kill = coordinatorKills.last(where: { start.at <= $0.at && $0.at <= gone }),
            gone.since(kill.at) < WorkerCore.attachedPatience,
            // One that has not come back from the kill before has waited since that.
            !coordinatorKills.contains(where: { $0.at < kill.at && kill.at.since($0.at) < Self.survival })
        else { return nil }
        if let timeout = task.plan.timeout, gone.since(start.at) >= TimeSpan(timeout) { return nil }
        return "\(name(execution.task)): attempt \(execution.attempt) was running when the coordinator was killed at "
            + "\(moment(kill.at)) and cut off by \(moment(gone)), and attempt \(next.attempt) began at \(moment(again.at))"
    }

    // MARK: 7

    /// Every failed task is one leaf of the tree, with what is known of it.
    func everyErrorTold() -> Verdict.Finding {
        guard let document = record.document else {
            if record.ended == nil || record.isInterrupted { return noDocument(.everyErrorTold) }
            let breaches = record.message.isEmpty ? ["the client left without a word, \(statusText)"] : []
            return Verdict.Finding(.everyErrorTold, "the client said: \(lastWords)", breaches: breaches)
        }
        var breaches: [String] = []
        var leaves: [String: Int] = [:]
        if let error = document.error { Self.count(error, into: &leaves) }
        var failures = 0
        for (group, document) in groups {
            let failed = document.tasks.filter(\.outcome.isFailure)
            failures += failed.count
            // Under `first` a failure counts only if nothing succeeds.
            if record.batch.groups[group].policy == .first, document.outcome == .ok { continue }
            for result in failed where document.outcome == .ok {
                breaches.append("group \(document.group) is told to be ok, and its task \(result.name) has failed")
            }
            for result in failed where leaves[result.id] != 1 {
                breaches.append(
                    "\(result.name) has failed and has \(leaves[result.id] ?? 0) leaves in the tree of errors"
                )
            }
            for result in failed where result.error == nil {
                breaches.append("\(result.name) has failed, and nothing is told of how")
            }
        }
        if failures == 0 { return Verdict.Finding(untested: .everyErrorTold, "no task failed in the end") }
        return Verdict.Finding(
            .everyErrorTold,
            "\(Self.count(failures, "failed task")), each once in the tree of errors",
            breaches: breaches
        )
    }

    private static func count(_ node: ErrorNode, into leaves: inout [String: Int]) {
        switch node {
        case .leaf(let leaf): if let id = leaf.id { leaves[id, default: 0] += 1 }
        case .group(let group): for error in group.errors { count(error, into: &leaves) }
        }
    }

    /// How the client ended.
    var statusText: String { record.status.map(Self.text) ?? "no status" }

    static func text(_ status: ExitStatus) -> String {
        switch status {
        case .exited(let code): "status \(code)"
        case .signalled(let signal, _): "signal \(signal)"
        }
    }
}
