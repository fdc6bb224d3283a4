internal import CohortCore
internal import Synchronization

/// What became of the group.
extension GroupCell {
    /// Why leaving the group fails; `nil` if it has ended well.
    var error: GroupError? {
        switch end {
        case .closed(let report): error(report)
        case .refused(let refusal):
            GroupError(kind: .refused, group: name, message: refusal.message, cell: self)
        case .lost(let error):
            GroupError(kind: .lost, group: name, message: error.message, cell: self)
        // Not yet.
        case nil: nil
        }
    }

    private func error(_ report: GroupReport) -> GroupError? {
        var error = GroupError(
            kind: .errors,
            group: name,
            message: "",
            timedOut: report.timedOut,
            cancelled: report.cancelled,
            deadlineOf: report.deadlineOf.isEmpty ? nil : report.deadlineOf,
            cancelReason: report.reason.isEmpty ? nil : report.reason,
            cell: self
        )
        if let trouble = state.withLock({ $0.trouble }) {
            error.kind = .refused
            error.message = trouble.message
            return error
        }
        switch report.outcome {
        case .ok: return nil
        case .errors:
            let tree = errorTree(report)
            error.tree = .group(tree)
            error.message = tree.message
        case .timeout:
            error.kind = .timeout
            error.message = "the deadline of group \(error.deadlineOf ?? name) fired"
            error.tree = .leaf(timeoutLeaf(report, error.message))
        case .cancelled:
            error.kind = .cancelled
            error.message = "group \(name) was cancelled" + (error.cancelReason.map { ": \($0)" } ?? "")
        }
        return error
    }

    /// The group has ended well, but its body was cancelled before it could return.
    var cancelledError: GroupError {
        GroupError(
            kind: .cancelled,
            group: name,
            message: "the body of group \(name) was cancelled",
            cell: self
        )
    }

    private func timeoutLeaf(_ report: GroupReport, _ message: String) -> ErrorNode.Leaf {
        ErrorNode.Leaf(
            group: name,
            id: String(report.group.value),
            type: .groupTimeout,
            message: message,
            elapsed: report.elapsed.duration
        )
    }

    /// Every failed task once, then what the body has added.
    private func errorTree(_ report: GroupReport) -> ErrorNode.Group {
        var (failures, bodyError, omitted) = state.withLock { ($0.failures, $0.bodyError, $0.omittedFailures) }
        if case .leaf(var leaf) = bodyError, leaf.id == nil {
            // Tells it from others when it comes up again further out.
            leaf.id = "\(report.group.value).body"
            bodyError = .leaf(leaf)
        }
        var leaves = DistinctLeaves()
        // Where a task has won under `first`, failures of others are no leaves.
        if report.cause == .siblingWon {
            failures = []
            omitted = 0
        }
        var errors = failures.compactMap { $0.result?.error }.compactMap { leaves.new(in: $0) }
        if let bodyError, let node = leaves.new(in: bodyError) { errors.append(node) }
        let group = ErrorNode.Group(
            group: name,
            errors: errors,
            omitted: omitted == 0 ? nil : omitted,
            id: String(report.group.value),
            timedOut: report.timedOut,
            cancelled: report.cancelled,
            elapsed: report.elapsed.duration
        )
        guard case .group(let capped) = ErrorNode.group(group).capped(at: Self.failureLimit) else { return group }
        return capped
    }

    // MARK: The document

    /// Outcome, flags, every task and the groups of the body; `nil` unless it has closed.
    var document: OutcomeDocument? {
        guard case .closed(let report) = end else { return nil }
        return document(report, isRoot: true)
    }

    private func document(_ report: GroupReport, isRoot: Bool) -> OutcomeDocument {
        let (tasks, children, counts, omitted) = state.withLock { state in
            (Self.tasks(state), state.children, state.counts, state.omittedTasks)
        }
        let groups: [OutcomeDocument] = children.compactMap { child in
            guard case .closed(let report) = child.end else { return nil }
            return child.document(report, isRoot: false)
        }
        var all = counts
        for group in groups { all += group.tally }
        return OutcomeDocument(
            version: isRoot ? OutcomeDocument.currentVersion : nil,
            group: name,
            id: String(report.group.value),
            outcome: GroupOutcome(report.outcome),
            timedOut: report.timedOut,
            cancelled: report.cancelled,
            cancelReason: report.reason.isEmpty ? nil : report.reason,
            deadlineOf: report.deadlineOf.isEmpty ? nil : report.deadlineOf,
            startedAt: .now.earlier(by: report.openedAgo.duration),
            elapsed: report.elapsed.duration,
            counts: all,
            tasks: tasks.compactMap(\.result),
            tasksOmitted: omitted == 0 ? nil : omitted,
            groups: groups,
            error: report.outcome == .errors ? .group(errorTree(report)) : nil
        )
    }

    /// In the order of their numbers; those that were never accepted at the end.
    private static func tasks(_ state: State) -> [TaskCell] {
        let own = state.own.compactMap(\.self)
        guard !state.numbered.isEmpty else { return own }
        let numbered = state.numbered.sorted { $0.key < $1.key }.map(\.value)
        return numbered + own.filter { $0.index == nil }
    }

    /// Ended tasks that are kept, in the order of their ends.
    static func ended(_ state: State) -> [TaskCell] {
        tasks(state).filter(\.hasEnded).sorted { $0.endOrder < $1.endOrder }
    }
}

/// Leaves of several trees, each told once: the first time that it comes up.
struct DistinctLeaves {
    private var seen: Set<String> = []

    /// The part of a tree that has not come up before; `nil` if nothing of it is new.
    mutating func new(in node: ErrorNode) -> ErrorNode? {
        switch node {
        case .leaf(let leaf):
            if let id = leaf.id, !seen.insert(id).inserted { return nil }
            return node
        case .group(let group):
            let errors = group.errors.compactMap { new(in: $0) }
            return group.part(errors: errors, omitted: group.omitted).map(ErrorNode.group)
        }
    }
}
