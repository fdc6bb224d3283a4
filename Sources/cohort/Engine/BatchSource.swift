internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortWire

/// The tasks of a batch file: all known at once, submitted in pieces.
final class BatchSource: TaskSource {
    /// A group of the plan, with the numbers of its tasks.
    private struct Entry {
        var key: GroupKey
        var tasks: [TaskPlan] = []
        /// Number of each task in the whole run, from 1.
        var numbers: [Int] = []
        /// How many of its tasks have not been refused.
        var accepted = 0
    }

    /// Bytes and tasks of one submission.
    private static let payloadLimit = 4 << 20
    private static let taskLimit = 4_096

    private var entries: [Entry] = []
    private var specs: [GroupSpec] = []
    private let collector: () -> OutcomeCollector?
    private let output: OutputMode
    private let directory: String?
    private var places: [GroupID: Int] = [:]
    private var hasSubmitted = false
    private var nextNumber = 1
    private(set) var submitted = 0

    /// - Parameters:
    ///   - detached: the groups live on without this client.
    ///   - directory: where commands run whose file says nothing; `nil` for wherever the worker was started.
    ///   - collector: knows which number a group has got.
    init(
        _ plan: GroupPlan,
        detached: Bool,
        output: OutputMode,
        directory: String?,
        collector: @escaping () -> OutcomeCollector?
    ) {
        self.collector = collector
        self.output = output
        self.directory = directory
        add(plan, parent: nil, detached: detached)
    }

    var total: Int? { nextNumber - 1 }
    var descriptors: [Int32] { [] }
    static let rootKey = GroupKey(1)

    /// What the root and the groups below it are opened with, parents first.
    var groupSpecs: [GroupSpec] { specs }

    /// Functions that the tasks call, each with the first task that does.
    var functions: [(name: String, task: TaskPlan)] {
        var seen: Set<String> = []
        return entries.flatMap(\.tasks).compactMap { task in
            guard case .call(let function, _) = task.work, seen.insert(function).inserted else { return nil }
            return (function, task)
        }
    }

    private func add(_ plan: GroupPlan, parent: GroupKey?, detached: Bool) {
        let key = GroupKey(UInt32(entries.count + 1))
        specs.append(
            GroupSpec(
                key: key,
                parent: parent,
                name: plan.name,
                policy: CohortCore.FailurePolicy(plan.policy),
                limit: plan.limit.map { UInt32(clamping: $0) },
                timeout: plan.timeout.map { TimeSpan($0) },
                grace: plan.grace.map { TimeSpan($0) },
                shield: plan.shield,
                detached: detached
            )
        )
        let place = entries.count
        entries.append(Entry(key: key))
        for item in plan.items {
            switch item {
            case .group(let group): add(group, parent: key, detached: detached)
            case .task(let task):
                entries[place].tasks.append(task)
                entries[place].numbers.append(nextNumber)
                entries[place].accepted += 1
                nextNumber += 1
            }
        }
    }

    func submit(to client: Client) throws {
        guard !hasSubmitted else { return }
        hasSubmitted = true
        for spec in specs { client.open(spec) }
        // In the order of the file, whatever the nesting: that is the order of spawning.
        var pending: Submission?
        var next = entries.map { _ in 0 }
        for (place, position) in fileOrder() {
            let task = entries[place].tasks[position]
            if pending?.place != place || pending?.isFull ?? false {
                pending?.send(to: client)
                pending = Submission(place: place, key: entries[place].key, first: UInt32(next[place]))
            }
            try pending?.add(task, output: output, directory: directory)
            next[place] += 1
        }
        pending?.send(to: client)
        submitted = nextNumber - 1
        for entry in entries.reversed() { client.seal(entry.key) }
    }

    /// Each task's group and place in it, in the order of their numbers.
    private func fileOrder() -> [(place: Int, position: Int)] {
        var order = [(place: Int, position: Int)](repeating: (0, 0), count: nextNumber - 1)
        for place in entries.indices {
            for (position, number) in entries[place].numbers.enumerated() { order[number - 1] = (place, position) }
        }
        return order
    }

    private struct Submission {
        let place: Int
        var submission: TaskSubmission
        private var templateBytes = 0

        init(place: Int, key: GroupKey, first: UInt32) {
            self.place = place
            submission = TaskSubmission(group: key, first: first, firstTemplate: first, runs: [])
        }

        var isFull: Bool {
            submission.payload.count + templateBytes >= BatchSource.payloadLimit
                || submission.templates.count >= BatchSource.taskLimit
        }

        mutating func add(_ task: TaskPlan, output: OutputMode, directory: String?) throws {
            let stdin = task.stdin.map { Array($0.utf8) }
            let payload = try TaskEncoding.checkedPayload(of: task.work, stdin: stdin, name: task.name)
            let template = TaskEncoding.template(task, output: output, directory: directory)
            templateBytes += template.spec.count + template.name.utf8.count
            submission.runs.append(
                TaskRun(
                    template: submission.firstTemplate + UInt32(submission.templates.count),
                    lengths: [UInt32(payload.count)]
                )
            )
            submission.templates.append(template)
            submission.payload.append(contentsOf: payload)
        }

        func send(to client: Client) { client.submit(submission) }
    }

    // MARK: What is known of a task

    private func entry(_ group: GroupID) -> Entry? {
        if let place = places[group] { return entries[place] }
        guard let place = entries.firstIndex(where: { collector()?.id(of: $0.key) == group }) else { return nil }
        places[group] = place
        return entries[place]
    }

    func describe(_ group: GroupID, _ index: UInt32) -> OutcomeCollector.TaskDescription? {
        guard let entry = entry(group), Int(index) < entry.tasks.count else { return nil }
        let task = entry.tasks[Int(index)]
        return OutcomeCollector.TaskDescription(
            name: task.name,
            command: DryRun.command(of: task.work),
            attempts: task.retries.limit + 1
        )
    }

    func number(_ group: GroupID, _ index: UInt32) -> Int {
        guard let entry = entry(group), Int(index) < entry.numbers.count else { return 0 }
        return entry.numbers[Int(index)]
    }

    /// Directory names for the results of a task: the groups below the root, and its name.
    func resultName(_ number: Int) -> [String] {
        for (place, entry) in entries.enumerated() {
            guard let position = entry.numbers.firstIndex(of: number) else { continue }
            return (place == 0 ? [] : [specs[place].name]) + [entry.tasks[position].name]
        }
        return [String(number)]
    }

    func taskEnded(_ number: Int) {}

    func refused(_ refusal: Refusal) -> [Int] {
        guard let place = entries.firstIndex(where: { $0.key == refusal.key }) else { return [] }
        let entry = entries[place]
        // Everything has been sent, and a group that refuses once refuses all that comes later.
        let from = min(Int(refusal.from), entry.accepted)
        entries[place].accepted = from
        return Array(entry.numbers[from..<entry.accepted])
    }

    func stop(_ client: Client) {}
}

extension CohortCore.FailurePolicy {
    init(_ policy: GroupPlan.FailurePolicy) {
        self =
            switch policy {
            case .cancel: .cancel
            case .continue: .continue
            case .first: .first
            }
    }
}
