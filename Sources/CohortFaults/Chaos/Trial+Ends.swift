internal import Cohort
internal import CohortBatch
internal import CohortCore

/// Promises 3 to 6: that things end, in time and for good.
extension Trial {
    /// What promise 4 allows beyond the grace.
    private static let promptness = TimeSpan.seconds(1)

    // MARK: 3

    /// When the client is told that the batch has ended, nothing of it runs and nothing of it begins any more.
    func structure() -> Verdict.Finding {
        guard record.document != nil, let ended = record.ended else {
            return Verdict.Finding(untested: .structure, "no group was told to have ended")
        }
        var breaches: [String] = []
        var excused = 0
        for left in record.leftAtClose {
            // Nobody can end, or even see, what runs below a worker that cannot be reached.
            if let worker = left.worker, isCutOff(worker, at: ended) {
                excused += 1
            } else {
                breaches.append(
                    "process \(left.pid) was there when the batch had ended at \(moment(ended)): \(left.command)"
                )
            }
        }
        for execution in executions {
            for start in traces[execution]?.starts ?? [] where start.at > ended {
                breaches.append(
                    "\(name(execution.task)) began \(moment(start.at)), after the batch had ended at \(moment(ended))"
                )
            }
        }
        var summary = "\(Self.count(groups.count, "group")) ended, and no process of a task was left then"
        if excused > 0 { summary += ", save \(excused) below a worker that was cut off" }
        return Verdict.Finding(.structure, summary, breaches: breaches)
    }

    /// Whether a worker was beyond reach lately: stopped, without its supervisor, or behind a broken link.
    private func isCutOff(_ worker: Int, at instant: Instant) -> Bool {
        disturbances.contains { $0.from <= instant && instant <= $0.to && $0.concerns(worker: worker) }
    }

    // MARK: 4

    /// From what stops a group to the end of the last of its processes it takes the grace and a second at most.
    func boundedCancellation() -> Verdict.Finding {
        var breaches: [String] = []
        var stops = 0
        var slowest = TimeSpan.zero
        for (group, document) in groups {
            guard let cause = self.stop(of: group, document) else { continue }
            let (stop, why) = (cause.at, cause.why)
            let members = executions.filter { isStopped($0.task, with: group) }
            let running = members.filter {
                (traces[$0]?.starts.first?.at ?? stop) < stop && (traces[$0]?.ended ?? stop) > stop
            }
            let cancelled = document.tally.cancelled
            if running.isEmpty, cancelled == 0 { continue }
            stops += 1
            let grace = TimeSpan(record.batch.groups[group].grace)
            let promised = TimeSpan(nanoseconds: grace.nanoseconds + Self.promptness.nanoseconds)
            for execution in running {
                guard let trace = traces[execution], let end = trace.ended else { continue }
                let extra = disturbance(of: cause.tellers + trace.workers, after: stop, within: promised)
                let limit = TimeSpan(nanoseconds: promised.nanoseconds + extra.nanoseconds)
                slowest = max(slowest, end.since(stop))
                if end.since(stop) > limit {
                    breaches.append(
                        "group \(document.group) stopped at \(moment(stop)), as \(why), and \(name(execution.task)) ran until "
                            + "\(moment(end)); its grace is \(Self.seconds(grace))"
                    )
                }
            }
            for execution in members {
                guard let start = traces[execution]?.starts.first, start.at > stop else { continue }
                let extra = disturbance(of: cause.tellers + [start.parent], after: stop, within: promised)
                guard start.at.since(stop) > TimeSpan(nanoseconds: Self.promptness.nanoseconds + extra.nanoseconds)
                else { continue }
                breaches.append(
                    "group \(document.group) stopped at \(moment(stop)), as \(why), and \(name(execution.task)) began at "
                        + "\(moment(start.at))"
                )
            }
        }
        if stops == 0 {
            return Verdict.Finding(
                untested: .boundedCancellation,
                "no group was seen to be stopped, at a moment that is known, while it had tasks left"
            )
        }
        return Verdict.Finding(
            .boundedCancellation,
            "\(Self.count(stops, "group")) stopped early, the last process gone after \(Self.seconds(slowest))",
            breaches: breaches
        )
    }

    /// How a group came to be stopped.
    private struct Stop {
        var at: Instant
        var why: String
        /// The process of the worker that had to tell of it; none if the coordinator knew by itself.
        var tellers: [Int32] = []
    }

    /// When a group was stopped, and why; `nil` if it was not, or nobody can say when.
    private func stop(of group: Int, _ document: OutcomeDocument) -> Stop? {
        let plan = record.batch.groups[group]
        var first = deadline(of: group, document)
        guard plan.policy == .cancel else { return first }
        for result in document.tasks where result.outcome.isFailure {
            // One with attempts left may have ended for good only when the group was stopped.
            guard let task = record.batch.task(result.name, in: group), result.attempts >= task.attempts,
                let trace = traces[Execution(task: task.number, attempt: result.attempts)], let end = trace.ended,
                first.map({ end < $0.at }) ?? true
            else { continue }
            let what =
                switch result.outcome {
                case .timeout: "timed out"
                case .lost: "was lost"
                default: "failed"
                }
            first = Stop(at: end, why: "\(task.path) \(what)", tellers: trace.workers)
        }
        return first
    }

    /// When a group's own deadline passed: the root is opened with the beginning, and nobody can say when others are.
    private func deadline(of group: Int, _ document: OutcomeDocument) -> Stop? {
        let plan = record.batch.groups[group]
        guard document.timedOut, plan.parent == nil, let timeout = plan.timeout else { return nil }
        // Where the opening may have been held up, the time runs from a moment that nobody knows.
        guard disturbance(of: [], after: record.begun, within: Self.promptness) == .zero else { return nil }
        return Stop(at: record.begun.advanced(by: TimeSpan(timeout)), why: "its time was over")
    }

    /// Whether a task is stopped when a group is: those behind a shield go on.
    private func isStopped(_ task: Int, with group: Int) -> Bool {
        let task = record.batch.tasks[task]
        guard record.batch.isGroup(task.group, within: group), !task.plan.shield else { return false }
        return task.group == group || !record.batch.groups[task.group].shield
    }

    // MARK: 5

    /// What was started for the batch is gone: below a killed worker in 2 s, and in the end all of it.
    func nothingSurvives() -> Verdict.Finding {
        var breaches: [String] = []
        var slowest = TimeSpan.zero
        var orphans = 0
        for kill in kills {
            guard case .killed(let executing, _) = kill.kind else { continue }
            for execution in executing where isCommand(execution) {
                orphans += 1
                let end = traces[execution]?.ended ?? record.gone[execution]
                let lived = (end ?? record.ended ?? kill.at).since(kill.at)
                slowest = max(slowest, lived)
                if lived > Self.survival {
                    breaches.append(
                        "\(name(execution.task)) ran on for \(Self.seconds(lived)) after \(kill.subject) was killed "
                            + "at \(moment(kill.at))"
                    )
                }
            }
        }
        breaches += record.survivors.map {
            "process \($0.pid) is still there 2 s after the end of the pool: \($0.command)"
        }
        let below =
            orphans == 0
            ? "" : "; \(Self.count(orphans, "task")) below killed workers gone in \(Self.seconds(slowest)) at most"
        return Verdict.Finding(
            .nothingSurvives,
            "no process left after the end\(below)",
            breaches: breaches
        )
    }

    private func isCommand(_ execution: Execution) -> Bool {
        record.batch.tasks.indices.contains(execution.task) && !record.batch.tasks[execution.task].isCall
    }

    // MARK: 6

    /// The client ends by itself: with the outcome, or with the word that the coordinator is lost.
    func noSilentHang() -> Verdict.Finding {
        if record.isInterrupted { return Verdict.Finding(untested: .noSilentHang, "the run was interrupted") }
        guard let ended = record.ended else { return hang() }
        guard !harm.isEmpty || record.messages.hasFaults || traces.values.contains(where: { !$0.injected.isEmpty })
        else {
            return Verdict.Finding(untested: .noSilentHang, "nothing happened that could make anybody wait in vain")
        }
        return Verdict.Finding(.noSilentHang, "the client left with \(statusText) at \(moment(ended))")
    }

    private func hang() -> Verdict.Finding {
        let limit = CohortDuration.format(record.limit)
        let end = record.stopped ?? record.begun.advanced(by: TimeSpan(record.limit))
        // What has ended since was ended by the run itself.
        let unfinished = executions.filter { traces[$0]?.ended.map { $0 >= end } ?? true }
        let hanging = unfinished.filter { isHanging($0) }
        if let first = hanging.first, hanging.count == unfinished.count {
            let others = hanging.count > 1 ? " and \(hanging.count - 1) more" : ""
            return Verdict.Finding(
                untested: .noSilentHang,
                "after \(limit), \(name(first.task))\(others) still hung, as planned: the batch sets no timeout for it"
            )
        }
        let givenUp = Set(record.incidents.filter { $0.kind == .givenUp && $0.worker != nil }.map(\.worker))
        if givenUp.count == record.plan.pool.workers {
            return Verdict.Finding(
                untested: .noSilentHang,
                "after \(limit) no worker was left: each was killed more often than it may be started again"
            )
        }
        let names = unfinished.prefix(5).map { name($0.task) }.joined(separator: ", ")
        return Verdict.Finding(
            .noSilentHang,
            "the batch did not end",
            breaches: [
                "after \(limit) the client still waited; \(Self.count(unfinished.count, "task")) had begun and not ended"
                    + (names.isEmpty ? "" : ": \(names)")
            ]
        )
    }

    private func isHanging(_ execution: Execution) -> Bool {
        let order = record.batch.order(for: record.batch.tasks[execution.task])
        return order.decision(attempt: execution.attempt).ending == .hang
    }
}
