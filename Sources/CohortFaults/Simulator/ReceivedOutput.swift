internal import CohortCore

/// What a simulated client has of its tasks' output, and whether that is what they wrote.
struct ReceivedOutput {
    private struct Place: Hashable {
        var task: Int
        var attempt: UInt32
    }

    /// How much has come of an attempt, and which executions may have written it: a coordinator that had to give a worker up
    /// may count one that never began.
    private struct Received {
        var position = 0
        var executions: [Int]
    }

    private var positions = OutputPositions()
    private var received: [Place: Received] = [:]
    private var ended: Set<Int> = []

    mutating func takeDue() -> [ConsumedOutput] { positions.takeDue() }

    mutating func tellAll() { positions.tellAll() }

    mutating func take(
        _ piece: ClientOutput,
        _ bytes: ArraySlice<UInt8>,
        group: Int,
        client: Int,
        _ truth: Truth
    ) -> BrokenPromise? {
        guard truth.groups[group].client == client, let task = truth.task(piece.index, of: group) else {
            return BrokenPromise(
                promise: .exactOutput,
                message: "output of \(truth.name(group: group)) was told to a stranger",
                evidence: truth.evidence(group: group)
            )
        }
        guard !ended.contains(task), let skipped = positions.take(piece) else { return nil }
        return compare(bytes.dropFirst(skipped), piece.stream, Place(task: task, attempt: piece.attempt), truth)
    }

    private mutating func compare(
        _ bytes: ArraySlice<UInt8>,
        _ stream: OutputStream,
        _ place: Place,
        _ truth: Truth
    ) -> BrokenPromise? {
        var known = received[place] ?? Received(executions: truth.tasks[place.task].executions)
        let start = known.position
        known.executions.removeAll { execution in
            truth.executions[execution].written < start + bytes.count
                || !bytes.enumerated().allSatisfy { offset, byte in
                    OutputPlan.byte(at: start + offset, of: execution) == byte
                        && OutputPlan.stream(at: start + offset, of: execution) == stream
                }
        }
        known.position += bytes.count
        received[place] = known
        for execution in known.executions {
            truth.executions[execution].received = max(truth.executions[execution].received, known.position)
        }
        return known.executions.isEmpty ? fault(place.task, "is told output that it did not write", truth) : nil
    }

    /// The task has ended: all that its attempts wrote is there, as far as they ran to their own ends.
    mutating func end(_ report: TaskReport, _ rest: OutputStretch?, task: Int, _ truth: Truth) -> BrokenPromise? {
        guard truth.tasks[task].template.output == .stream, ended.insert(task).inserted else { return nil }
        return endLast(report, rest, task: task, truth) ?? judgeEarlier(than: report.attempts, task: task, truth)
    }

    /// Attempts that others followed: their ends were not told, and all that they wrote came before what the next one wrote.
    private func judgeEarlier(than attempts: UInt32, task: Int, _ truth: Truth) -> BrokenPromise? {
        for execution in truth.tasks[task].executions
        where truth.executions[execution].written > 0 && truth.isFollowed(execution) && truth.isEndReported(execution) {
            let isTold = (1..<max(attempts, 1)).contains { attempt in
                guard let known = received[Place(task: task, attempt: attempt)] else { return false }
                return known.executions.contains(execution) && known.position == truth.executions[execution].written
            }
            if isTold { continue }
            let number = truth.executions[execution].number
            return fault(task, "has ended, and not all was told that its execution \(number) wrote", truth)
        }
        return nil
    }

    private mutating func endLast(
        _ report: TaskReport,
        _ rest: OutputStretch?,
        task: Int,
        _ truth: Truth
    ) -> BrokenPromise? {
        let place = Place(task: task, attempt: report.attempts)
        let (pieces, isWhole) = positions.end(report, rest)
        for piece in pieces {
            if let fault = compare(piece.bytes, piece.stream, place, truth) { return fault }
        }
        let known = received[place]
        guard report.outcome == .ok || report.outcome == .error else { return nil }
        if !isWhole { return fault(task, "is told to have ended, but not all of its output", truth) }
        let executions = known?.executions ?? truth.tasks[task].executions
        let position = known?.position ?? 0
        if executions.contains(where: { truth.executions[$0].written == position }) { return nil }
        return fault(task, "has ended, and of its output only \(position) bytes were told", truth)
    }

    private func fault(_ task: Int, _ what: String, _ truth: Truth) -> BrokenPromise {
        let written = truth.tasks[task].executions.map { "execution wrote \(truth.executions[$0].written) bytes" }
        return BrokenPromise(
            promise: .exactOutput,
            message: "\(truth.name(task: task)) \(what)",
            evidence: written + truth.evidence(task: task)
        )
    }
}
