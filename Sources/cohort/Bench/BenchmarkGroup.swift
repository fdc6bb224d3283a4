internal import Cohort
internal import CohortCore
internal import CohortRuntime

/// A group of tasks that are all alike, driven from the calling thread as `GroupEngine` drives one: submissions of many
/// tasks, as many as the window allows, and credit given back as results are taken.
final class BenchmarkGroup {
    /// Most tasks in one submission.
    private static let submissionTasks = 4_096
    /// Weight of updates that is given back at once.
    private static let creditStep: UInt64 = 32 << 10

    private let connection: Connection
    private let key = GroupKey(1)
    private let template: TaskTemplate
    private let payload: [UInt8]
    private var submitted = 0
    private var ended = 0
    private var isClosed = false
    private var owedWeight: UInt64 = 0

    /// Opens the group.
    init(_ template: TaskTemplate, payload: [UInt8], on connection: Connection) {
        self.connection = connection
        self.template = template
        self.payload = payload
        connection.client.open(GroupSpec(key: key, name: "bench"))
    }

    /// Runs so many further tasks to their ends.
    ///
    /// - Parameter window: how many are submitted and unfinished at most.
    func run(_ count: Int, window: Int) throws {
        let target = ended + count
        while ended < target {
            let room = min(window - (submitted - ended), target - submitted)
            if room > 0 { submit(room) }
            try takeNotices()
        }
    }

    /// Submits tasks that nothing can run, and returns when the coordinator has all of them.
    func queue(_ count: Int) throws {
        let target = submitted + count
        while submitted < target {
            submit(min(Self.submissionTasks, target - submitted))
            // Its answer comes after it has taken in the submission: this side never runs ahead of it.
            try awaitAnswer()
        }
    }

    /// Waits until the coordinator has dealt with all that was sent.
    ///
    /// - Returns: how it stands there then.
    @discardableResult
    func awaitAnswer() throws -> Snapshot {
        connection.client.query()
        while true {
            if let snapshot = try takeNotices() { return snapshot }
        }
    }

    /// Seals the group and waits until it has closed.
    func close() throws {
        connection.client.seal(key)
        while !isClosed { try takeNotices() }
    }

    private func submit(_ count: Int) {
        var left = count
        while left > 0 {
            let piece = min(left, Self.submissionTasks)
            var bytes: [UInt8] = []
            bytes.reserveCapacity(piece * payload.count)
            for _ in 0..<piece { bytes.append(contentsOf: payload) }
            connection.client.submit(
                TaskSubmission(
                    group: key,
                    first: UInt32(submitted),
                    templates: submitted == 0 ? [template] : [],
                    runs: [TaskRun(template: 0, lengths: Array(repeating: UInt32(payload.count), count: piece))],
                    payload: bytes
                )
            )
            submitted += piece
            left -= piece
        }
    }

    /// Waits for notices and takes them in. Returns the answer to a query if it was among them.
    @discardableResult
    private func takeNotices() throws -> Snapshot? {
        let deaths = connection.pool?.deathDescriptors ?? []
        let ready = Descriptors.wait(for: [connection.client.notices.descriptor] + deaths)
        var answer: Snapshot?
        for notice in connection.client.notices.takeAll() {
            switch notice {
            case .unanswered(let explanation): Failure.note("cohort: \(explanation)")
            case .connected, .interrupted, .restored(.same): break
            case .restored: throw Failure(.coordinator, "the coordinator was started anew in the middle")
            case .snapshot(let snapshot): answer = snapshot
            case .update(let update): try take(update)
            case .lost(_, let explanation): throw Failure(.coordinator, explanation)
            }
        }
        if deaths.contains(where: ready.contains) { throw Failure(.coordinator, "a process of the pool died") }
        if owedWeight >= Self.creditStep {
            connection.client.consumed(weight: owedWeight, [])
            owedWeight = 0
        }
        return answer
    }

    private func take(_ update: ClientUpdate) throws {
        if let refusal = update.refusals.first {
            throw Failure(.coordinator, "the coordinator refuses: \(refusal.message)")
        }
        for report in update.reports where report.outcome != .ok {
            let detail = report.detail >= 0 ? update.details[Int(report.detail)] : AttemptDetail()
            throw Failure(.here, "a task of the benchmark ended with '\(report.outcome)': \(detail.message)")
        }
        ended += update.reports.count
        isClosed = isClosed || !update.closed.isEmpty
        owedWeight += update.weight
    }
}
