package import CohortCore

/// What a tree has come to, as a document.
extension OutcomeCollector {
    /// The document of the whole tree.
    package func document() -> OutcomeDocument? {
        nodes.isEmpty ? nil : document(of: 0, isRoot: true)
    }

    func document(of place: Int, isRoot: Bool) -> OutcomeDocument {
        let node = nodes[place]
        let report = node.report
        var tasks = node.tasks
        // In the order of submission: the order of ending is told by the times.
        tasks.sort { ($0.number ?? 0) < ($1.number ?? 0) }
        let groups = node.children.map { document(of: $0, isRoot: false) }
        var (counts, neverStarted) = (node.counts, node.neverStarted)
        // Of a tree that is another client's a watcher is not told which tasks have ended, but how many had, and in the end
        // how many have, those of groups included that had closed before it began to watch.
        if let summary = node.summary { counts.raise(to: OutcomeCounts(summary.counts)) }
        for group in groups {
            counts += group.tally
            neverStarted += group.neverStarted ?? 0
        }
        if node.summary != nil, let report { counts.raise(to: OutcomeCounts(report.counts + report.below)) }
        return OutcomeDocument(
            version: isRoot ? OutcomeDocument.currentVersion : nil,
            group: node.name,
            id: node.id.map { String($0.value) } ?? "",
            outcome: report.map { GroupOutcome($0.outcome) },
            timedOut: report?.timedOut ?? false,
            cancelled: report?.cancelled ?? false,
            cancelReason: report.flatMap { $0.reason.isEmpty ? nil : $0.reason },
            deadlineOf: report.flatMap { $0.deadlineOf.isEmpty ? nil : $0.deadlineOf },
            startedAt: node.openedAt,
            elapsed: report?.elapsed.duration ?? Timestamp.now.since(node.openedAt),
            counts: counts,
            neverStarted: neverStarted == 0 ? nil : neverStarted,
            unfinished: report == nil ? unfinished(of: node, groups) : nil,
            tasks: tasks,
            tasksOmitted: report.flatMap { $0.omitted == 0 ? nil : Int(clamping: $0.omitted) },
            groups: groups,
            // Of a group that runs: what has failed so far.
            error: report == nil || report?.outcome == .errors ? errorNode(of: place) : nil
        )
    }

    private func unfinished(of node: Node, _ groups: [OutcomeDocument]) -> UnfinishedTasks? {
        guard let summary = node.summary, let id = node.id else { return nil }
        var unfinished = UnfinishedTasks(running: summary.counts.running, queued: summary.counts.queued)
        if !summary.waiting.isEmpty { unfinished.waiting = summary.waiting }
        for group in groups {
            unfinished.running += group.unfinished?.running ?? 0
            unfinished.queued += group.unfinished?.queued ?? 0
            // As the group around it stands for what is in it.
            unfinished.waiting = unfinished.waiting ?? group.unfinished?.waiting
        }
        unfinished.tasks = summary.running.map { task in
            UnfinishedTasks.Running(
                name: task.name,
                id: TaskAccount.id(id, task.index),
                worker: workers[task.worker]?.name,
                host: workers[task.worker]?.host,
                elapsed: task.elapsed.duration
            )
        }
        return unfinished
    }

    func errorNode(of place: Int) -> ErrorNode? {
        let node = nodes[place]
        guard !node.failures.isEmpty else { return nil }
        let omitted = node.omittedFailures == 0 ? nil : node.omittedFailures
        return .group(ErrorNode.Group(group: node.name, errors: node.failures, omitted: omitted))
    }
}

extension TaskResult {
    /// The task's number in its group, as the end of its id says.
    fileprivate var number: Int? { id.split(separator: ".").last.flatMap { Int($0) } }
}

extension OutcomeCounts {
    fileprivate init(_ counts: TaskCounts) {
        self.init(
            ok: counts.ok,
            error: counts.error,
            timeout: counts.timeout,
            cancelled: counts.cancelled,
            lost: counts.lost
        )
    }

    /// Takes of each number the greater one.
    fileprivate mutating func raise(to other: OutcomeCounts) {
        ok = max(ok, other.ok)
        error = max(error, other.error)
        timeout = max(timeout, other.timeout)
        cancelled = max(cancelled, other.cancelled)
        lost = max(lost, other.lost)
    }
}

extension TaskCounts {
    /// Takes off what is counted elsewhere.
    mutating func subtract(_ other: OutcomeCounts) {
        ok = max(0, ok - other.ok)
        error = max(0, error - other.error)
        timeout = max(0, timeout - other.timeout)
        cancelled = max(0, cancelled - other.cancelled)
        lost = max(0, lost - other.lost)
    }
}

extension TaskOutcome {
    package init(_ outcome: CohortCore.TaskOutcome) {
        self =
            switch outcome {
            case .ok: .ok
            case .error: .error
            case .timeout: .timeout
            case .cancelled: .cancelled
            case .lost: .lost
            }
    }
}

extension GroupOutcome {
    package init(_ outcome: CohortCore.GroupOutcome) {
        self =
            switch outcome {
            case .ok: .ok
            case .errors: .errors
            case .timeout: .timeout
            case .cancelled: .cancelled
            }
    }
}
