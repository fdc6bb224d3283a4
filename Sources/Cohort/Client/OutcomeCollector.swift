package import CohortCore

/// Puts together, from the updates of one session, the outcome document of a tree of groups.
///
/// Counts and failures are always kept; results of the other tasks only on request, for there may be millions of them.
package final class OutcomeCollector {
    /// How a task is called and what it runs, as the submitter knows it.
    package struct TaskDescription {
        package var name: String
        package var command: String?
        /// How many attempts it may have; `nil` where that is not known.
        package var attempts: Int?

        package init(name: String, command: String? = nil, attempts: Int? = nil) {
            self.name = name
            self.command = command
            self.attempts = attempts
        }
    }

    /// A group of the tree.
    struct Node {
        var id: GroupID?
        var name: String
        var parent: Int?
        var children: [Int] = []
        var tasks: [TaskResult] = []
        var failures: [ErrorNode] = []
        var omittedFailures = 0
        var counts = OutcomeCounts()
        var running = 0
        /// Tasks whose end has been told: a coordinator that was started anew tells all ends again.
        var ended = IndexBits()
        /// Tasks that were cancelled before they had begun.
        var neverStarted = 0
        /// What a watcher was told of it while it was open.
        var summary: GroupSummary?
        var report: GroupReport?
        var openedAt: Timestamp
    }

    /// A task that has ended, as the updates told it.
    package struct Ended {
        fileprivate let report: TaskReport
        fileprivate let detail: AttemptDetail?
        /// What a watcher was told.
        fileprivate let name: String?
        fileprivate let tails: OutputTails?
        fileprivate let collector: OutcomeCollector
        /// Some of what it has written has not come here, nor will it.
        package let lacksOutput: Bool
        /// The value of a call as it came.
        package let value: ArraySlice<UInt8>

        package var group: GroupID { report.group }
        /// From 0, in the order of submission.
        package var index: UInt32 { report.index }
        package var started: Bool { report.started }
        /// All that is known of it; made when it is asked for, since of most tasks nobody wants it.
        package var result: TaskResult { collector.result(of: self) }
    }

    /// Failures kept of one group; further ones are counted.
    package static let failureLimit = 10_000
    private let keepsTasks: Bool
    private let fillsResults: Bool
    private let describe: (GroupID, UInt32) -> TaskDescription?
    private(set) var nodes: [Node] = []
    private var placesByKey: [GroupKey: Int] = [:]
    private var placesByID: [GroupID: Int] = [:]
    /// What was found there last: reports of one group come in long runs.
    private var latestPlace: (id: GroupID, place: Int)?
    private(set) var workers: [UInt32: WorkerSummary] = [:]
    private var names: [TaskPlace: String] = [:]
    private var tails: [TaskPlace: OutputTails] = [:]
    /// Tasks told as running that have not ended.
    private var startedPlaces: Set<TaskPlace> = []
    /// Of output that tasks write.
    package var positions = OutputPositions()

    private struct TaskPlace: Hashable {
        var group: GroupID
        var index: UInt32
    }

    /// - Parameters:
    ///   - keepsTasks: the document lists every task, not only the failed ones in its error tree.
    ///   - fillsResults: each task's result has its value and the ends of its output, even if it is not kept.
    ///   - describe: what the submitter knows of a task; `nil` for a watcher, who is told names.
    package init(
        keepsTasks: Bool,
        fillsResults: Bool = false,
        describe: @escaping (GroupID, UInt32) -> TaskDescription?
    ) {
        self.keepsTasks = keepsTasks
        self.fillsResults = keepsTasks || fillsResults
        self.describe = describe
    }

    // MARK: The tree

    /// Notes a group that is being opened.
    package func open(_ spec: GroupSpec) {
        placesByKey[spec.key] = add(name: spec.name, parent: spec.parent.flatMap { placesByKey[$0] }, openedAt: .now)
    }

    private func add(name: String, parent: Int?, openedAt: Timestamp) -> Int {
        nodes.append(Node(name: name, parent: parent, openedAt: openedAt))
        let place = nodes.count - 1
        if let parent { nodes[parent].children.append(place) }
        return place
    }

    package func id(of key: GroupKey) -> GroupID? { placesByKey[key].flatMap { nodes[$0].id } }

    /// Whether the root has its outcome.
    package var isClosed: Bool { nodes.first?.report != nil }

    package var rootID: GroupID? { nodes.first?.id }

    package var rootName: String { nodes.first?.name ?? "" }

    /// The root's outcome.
    package var rootReport: GroupReport? { nodes.first?.report }

    /// Tasks of the whole tree that have ended, by outcome, and those known to run.
    package var progress: (ended: OutcomeCounts, running: Int) {
        var counts = OutcomeCounts()
        var running = 0
        for node in nodes {
            counts += node.counts
            running += node.running
        }
        return (counts, running)
    }

    /// Counts tasks that the coordinator has refused because the group was stopping: cancelled, never started.
    package func refused(_ key: GroupKey, count: Int) {
        guard let place = placesByKey[key] else { return }
        nodes[place].counts.cancelled += count
        nodes[place].neverStarted += count
    }

    // MARK: Updates

    /// Takes in an update.
    ///
    /// - Parameters:
    ///   - output: called for each piece of output, with what of its bytes is new.
    ///   - ended: called for each task that has ended.
    package func take(
        _ update: ClientUpdate,
        output: (ClientOutput, ArraySlice<UInt8>) throws -> Void,
        ended: (Ended) throws -> Void
    ) rethrows {
        for opened in update.opened {
            guard let place = placesByKey[opened.key] else { continue }
            nodes[place].id = opened.group
            placesByID[opened.group] = place
        }
        for worker in update.workers { workers[worker.number] = worker }
        for group in update.groups { learn(group) }
        // What is told of a task that has ended, or of a group that is not known, would be kept for ever.
        for name in update.names where mayEnd(name.group, name.index) {
            names[TaskPlace(group: name.group, index: name.index)] = name.name
        }
        for start in update.started {
            guard let place = place(of: start.group), !nodes[place].ended.contains(start.index) else { continue }
            let isNew = startedPlaces.insert(TaskPlace(group: start.group, index: start.index)).inserted
            if isNew { nodes[place].running += 1 }
        }
        var cursor = 0
        for piece in update.outputs {
            let range = cursor..<cursor + Int(piece.length)
            cursor = range.upperBound
            guard mayEnd(piece.group, piece.index), let skipped = positions.take(piece) else { continue }
            let bytes = update.payload[range].dropFirst(skipped)
            if fillsResults { keepTail(piece, bytes) }
            try output(piece, bytes)
        }
        for report in update.reports {
            let range = cursor..<cursor + Int(report.valueLength)
            cursor = range.upperBound
            guard let place = place(of: report.group), nodes[place].ended.insert(report.index) else { continue }
            let detail = report.detail >= 0 ? update.details[Int(report.detail)] : nil
            let isWhole = try takeRest(of: report, detail?.rest, output)
            try ended(end(report, detail, value: update.payload[range], lacksOutput: !isWhole))
        }
        for report in update.closed { close(report) }
        let summarised = Set(update.groups.map(\.group))
        for group in update.groups { relearn(group, besides: summarised) }
    }

    /// Takes what has come with the end of a task and not before.
    ///
    /// - Returns: whether all that it has written has come.
    private func takeRest(
        of report: TaskReport,
        _ rest: OutputStretch?,
        _ output: (ClientOutput, ArraySlice<UInt8>) throws -> Void
    ) rethrows -> Bool {
        let (pieces, isWhole) = positions.end(report, rest)
        for piece in pieces {
            let row = ClientOutput(
                group: report.group,
                index: report.index,
                attempt: report.attempts,
                stream: piece.stream,
                offset: piece.offset,
                length: UInt32(piece.bytes.count)
            )
            if fillsResults { keepTail(row, piece.bytes) }
            try output(row, piece.bytes)
        }
        return isWhole
    }

    private func learn(_ group: GroupSummary) {
        if let place = placesByID[group.group] { return nodes[place].summary = group }
        let parent = group.parent.flatMap { placesByID[$0] }
        // The outermost group comes first, and all others below it.
        guard nodes.isEmpty || parent != nil else { return }
        let place = add(name: group.name, parent: parent, openedAt: .now.earlier(by: group.openedAgo.duration))
        nodes[place].id = group.group
        nodes[place].summary = group
        placesByID[group.group] = place
    }

    /// A group is told of again. Of another client's tree its counts have in them those that have closed inside it, which are
    /// known by their own reports.
    ///
    /// - Parameter open: groups that were open when the summaries were made, though some may have closed since.
    private func relearn(_ group: GroupSummary, besides open: Set<GroupID>) {
        guard let place = placesByID[group.group], !group.detached else { return }
        for child in nodes[place].children where nodes[child].report != nil {
            if let id = nodes[child].id, open.contains(id) { continue }
            let told = document(of: child, isRoot: false).tally
            nodes[place].summary?.counts.subtract(told)
        }
    }

    private func close(_ report: GroupReport) {
        let place: Int
        if let known = placesByID[report.group] {
            guard nodes[known].report == nil else { return }
            place = known
        } else {
            let parent = report.parent.flatMap { placesByID[$0] }
            guard nodes.isEmpty || parent != nil else { return }
            place = add(name: report.name, parent: parent, openedAt: .now.earlier(by: report.openedAgo.duration))
            nodes[place].id = report.group
            placesByID[report.group] = place
        }
        nodes[place].report = report
        guard let parent = nodes[place].parent else { return }
        switch report.outcome {
        case .errors:
            if let node = errorNode(of: place) { nodes[parent].failures.append(node) }
        case .timeout:
            nodes[parent].failures.append(.leaf(timeoutLeaf(report)))
        case .ok, .cancelled: break
        }
    }

    private func timeoutLeaf(_ report: GroupReport) -> ErrorNode.Leaf {
        ErrorNode.Leaf(
            group: report.name,
            id: String(report.group.value),
            type: .groupTimeout,
            message: "the deadline of group \(report.name) fired",
            elapsed: report.elapsed.duration
        )
    }

    private func keepTail(_ piece: ClientOutput, _ bytes: ArraySlice<UInt8>) {
        let place = TaskPlace(group: piece.group, index: piece.index)
        if tails[place]?.attempt != piece.attempt { tails[place] = OutputTails(attempt: piece.attempt) }
        switch piece.stream {
        case .standardOutput: tails[place]?.appendOutput(bytes)
        case .standardError: tails[place]?.appendError(bytes)
        }
    }

    private func end(
        _ report: TaskReport,
        _ detail: AttemptDetail?,
        value: ArraySlice<UInt8>,
        lacksOutput: Bool
    ) -> Ended {
        let place = TaskPlace(group: report.group, index: report.index)
        let ended = Ended(
            report: report,
            detail: detail,
            name: names.isEmpty ? nil : names.removeValue(forKey: place),
            tails: tails.isEmpty ? nil : tails.removeValue(forKey: place),
            collector: self,
            lacksOutput: lacksOutput,
            value: value
        )
        guard let node = self.place(of: report.group) else { return ended }
        let outcome = TaskOutcome(report.outcome)
        nodes[node].counts.add(outcome)
        if outcome == .cancelled, !report.started { nodes[node].neverStarted += 1 }
        if !startedPlaces.isEmpty, startedPlaces.remove(place) != nil { nodes[node].running -= 1 }
        if outcome.isFailure {
            if nodes[node].failures.count < Self.failureLimit {
                if let error = ended.result.error { nodes[node].failures.append(error) }
            } else {
                nodes[node].omittedFailures += 1
            }
        }
        if keepsTasks { nodes[node].tasks.append(ended.result) }
        return ended
    }

    /// Whether the task is one of those whose end is waited for.
    private func mayEnd(_ group: GroupID, _ index: UInt32) -> Bool {
        place(of: group).map { !nodes[$0].ended.contains(index) } ?? false
    }

    private func place(of group: GroupID) -> Int? {
        if let latestPlace, latestPlace.id == group { return latestPlace.place }
        guard let place = placesByID[group] else { return nil }
        latestPlace = (group, place)
        return place
    }

    private func account(of ended: Ended) -> TaskAccount {
        let report = ended.report
        let description = describe(report.group, report.index)
        var account = TaskAccount(
            report: report,
            detail: ended.detail,
            value: ended.value,
            name: description?.name ?? ended.name ?? "task \(report.index + 1)",
            command: description?.command,
            attempts: description?.attempts,
            worker: workers[report.worker].map { TaskAccount.Place(name: $0.name, host: $0.host) }
        )
        account.tails = ended.tails
        return account
    }

    private func result(of ended: Ended) -> TaskResult { account(of: ended).result(hasValue: fillsResults) }
}
