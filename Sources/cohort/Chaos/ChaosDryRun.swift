internal import CohortBatch
internal import CohortFaults
internal import CohortReport

/// What a run under faults would inject, and when.
struct ChaosDryRun {
    /// Lines of one fault; the others are counted.
    private static let listed = 20
    /// Attempts that are looked at of each task.
    private static let attempts = 100

    let batch: ChaosBatch
    let plan: FaultPlan
    let limit: Duration

    /// Lines that each end in a line break.
    var text: String {
        let pool = plan.pool
        var lines = [
            "\(Self.count(batch.tasks.count, "task")) on \(Self.count(pool.workers, "worker")) with "
                + "\(Self.count(pool.slots, "slot")) each, restarts \(pool.restarts), seed \(batch.seed)"
        ]
        if plan.faults.isEmpty { lines.append("no faults") }
        let moments = self.moments
        for (number, fault) in plan.faults.enumerated() {
            lines.append("fault \(number + 1), line \(fault.location.line): \(Self.title(of: fault.kind))")
            let hits: [String]
            switch fault.kind {
            case .process: hits = moments[number] ?? []
            case .task: hits = self.hits(of: number)
            case .frames, .fill: continue
            }
            lines += hits.prefix(Self.listed).map { "  \($0)" }
            if hits.isEmpty { lines.append("  nothing, with this seed") }
            if hits.count > Self.listed { lines.append("  … and \(hits.count - Self.listed) more") }
        }
        return lines.map { TerminalText.harmless($0) + "\n" }.joined()
    }

    /// What happens to processes, by the fault's place.
    private var moments: [Int: [String]] {
        var schedule = FaultSchedule(plan, seed: batch.seed, horizon: limit)
        var found: [Int: [String]] = [:]
        while let entry = schedule.next() {
            let subject =
                switch entry.fault.target {
                case .coordinator: "the coordinator"
                case .worker: "worker \(entry.worker + 1)"
                case .supervisor: "the supervisor of worker \(entry.worker + 1)"
                }
            found[entry.rule, default: []].append("at \(CohortDuration.format(entry.at)): \(subject)")
        }
        return found
    }

    /// The tasks that a fault strikes, with the attempts.
    private func hits(of rule: Int) -> [String] {
        batch.tasks.compactMap { task in
            guard task.rules.contains(where: { $0.number == rule }) else { return nil }
            let order = batch.order(for: task)
            let struck = (1...min(task.attempts, Self.attempts)).filter {
                order.decision(attempt: $0).rules.contains(rule)
            }
            if struck.isEmpty { return nil }
            let all = struck.count == task.attempts
            let which =
                all && struck.count > 1
                ? "every attempt" : "attempt \(struck.map(String.init).joined(separator: ", ")) of \(task.attempts)"
            return "\(task.path): \(which)"
        }
    }

    private static func title(of kind: FaultPlan.Kind) -> String {
        switch kind {
        case .process(let fault):
            let action =
                switch fault.action {
                case .kill: "kill \(fault.target.rawValue)"
                case .freeze(let length): "freeze \(fault.target.rawValue) for \(CohortDuration.format(length))"
                }
            return action
        case .task(let fault):
            let action =
                switch fault.action {
                case .fail(let status, _): "fail with status \(status)"
                case .delay(let length): "delay by \(CohortDuration.format(length))"
                case .hang: "hang"
                }
            return "\(action): \(fault.pattern)" + (fault.probability < 1 ? ", p \(fault.probability)" : "")
        case .frames(let fault):
            let parts = [
                ("drop", fault.drop), ("duplicate", fault.duplicate), ("corrupt", fault.corrupt),
                ("disconnect", fault.disconnect),
            ]
            var words = parts.filter { $0.1 > 0 }.map { "\($0.0) \($0.1)" }
            if fault.delay > .zero { words.append("delay \(CohortDuration.format(fault.delay))") }
            let length = fault.length.map { " for \(CohortDuration.format($0))" } ?? ""
            return "messages: \(words.joined(separator: ", ")), from \(CohortDuration.format(fault.from))\(length)"
        case .fill(let fault):
            return
                "fill the state's disk at \(CohortDuration.format(fault.at)) for \(CohortDuration.format(fault.length))"
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
}
