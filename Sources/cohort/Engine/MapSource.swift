internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortRuntime

/// The tasks of a map: read as needed, submitted as long as not too many are unfinished.
final class MapSource: TaskSource {
    /// Most tasks submitted and unfinished. Deep enough that workers never wait, shallow enough that memory stays flat.
    static let window = 16_384
    /// Most bytes of payload in one submission.
    private static let payloadLimit = 1 << 20

    static let rootKey = GroupKey(1)

    private let reader: MapReader
    private let template: TaskTemplate
    private let attempts: Int
    private let count: Int?
    private var hasOpened = false
    private var isSealed = false
    private var nextIndex: UInt32 = 0
    private let spec: GroupSpec
    /// What is told of tasks that have not ended: looked up when one fails, and for tags and logs.
    private var pending: [Int: MapTask] = [:]
    private var ended = 0

    /// - Parameter count: how many tasks there will be, if that is known beforehand.
    init(reader: MapReader, spec: GroupSpec, template: TaskTemplate, count: Int?) {
        self.reader = reader
        self.spec = spec
        self.template = template
        self.count = count
        attempts = Int(template.retries) + 1
    }

    var descriptors: [Int32] { isSealed ? [] : [reader.readings.descriptor] }
    var total: Int? { isSealed ? submitted : count }
    var submitted: Int { Int(nextIndex) }

    func submit(to client: Client) throws {
        if !hasOpened {
            hasOpened = true
            client.open(spec)
        }
        guard !isSealed else { return }
        var submission = makeSubmission()
        for reading in reader.readings.takeAll() {
            switch reading {
            case .task(let task):
                let payload = try TaskEncoding.checkedPayload(of: task.work, name: String(task.number))
                submission.runs[0].lengths.append(UInt32(payload.count))
                submission.payload.append(contentsOf: payload)
                pending[task.number] = task
                nextIndex += 1
                if submission.payload.count >= Self.payloadLimit {
                    client.submit(submission)
                    submission = makeSubmission()
                }
            case .end:
                send(submission, to: client)
                return seal(client)
            case .failed(let message):
                throw Failure(.usage, message)
            }
        }
        send(submission, to: client)
    }

    private func makeSubmission() -> TaskSubmission {
        TaskSubmission(
            group: spec.key,
            first: nextIndex,
            templates: nextIndex == 0 ? [template] : [],
            runs: [TaskRun(template: 0, lengths: [])]
        )
    }

    private func send(_ submission: TaskSubmission, to client: Client) {
        if !submission.runs[0].lengths.isEmpty { client.submit(submission) }
    }

    private func seal(_ client: Client) {
        isSealed = true
        client.seal(spec.key)
    }

    func describe(_ group: GroupID, _ index: UInt32) -> OutcomeCollector.TaskDescription? {
        let number = Int(index) + 1
        return OutcomeCollector.TaskDescription(
            name: String(number),
            command: pending[number].map { DryRun.command(of: $0.work) },
            attempts: attempts
        )
    }

    func number(_ group: GroupID, _ index: UInt32) -> Int { Int(index) + 1 }

    /// The values of a task that has not ended, joined by spaces.
    func values(_ number: Int) -> String {
        (pending[number]?.values ?? []).map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    func taskEnded(_ number: Int) {
        pending[number] = nil
        ended += 1
        // In steps: each wakes the reader.
        if ended == 256 || pending.isEmpty {
            reader.allow(ended)
            ended = 0
        }
    }

    func refused(_ refusal: Refusal) -> [Int] {
        guard refusal.key == spec.key, refusal.from < nextIndex else { return [] }
        let numbers = Array(Int(refusal.from) + 1...Int(nextIndex))
        // Later refusals of what came after are about the same tasks.
        nextIndex = refusal.from
        return numbers
    }

    func stop(_ client: Client) {
        reader.close()
        if !isSealed { seal(client) }
    }
}
