package import CohortBatch

/// A batch as it is run under faults: the user's tasks, each behind a stand-in that leaves evidence.
package struct ChaosBatch: Sendable {
    /// A group of the batch; the root is the first.
    package struct Group: Sendable {
        package var name: String
        package var parent: Int?
        package var policy: GroupPlan.FailurePolicy
        package var timeout: Duration?
        /// The nearest one around it that is set.
        package var grace: Duration
        /// It or a group around it, other than the root, is shielded.
        package var shield: Bool
    }

    /// A task of the batch, in the order of the file.
    package struct Task: Sendable {
        package var number: Int
        package var group: Int
        package var plan: TaskPlan
        /// The names of the groups around it, from the root's children on, and its own.
        package var path: String
        /// The rules of the plan that speak of it.
        package var rules: [InjectionOrder.Rule]

        /// How often it may be executed.
        package var attempts: Int { plan.retries.limit + 1 }

        package var isCall: Bool { if case .call = plan.work { true } else { false } }
    }

    /// The grace of a group that names none and has no group around it that does.
    private static let defaultGrace = Duration.seconds(5)

    package let root: GroupPlan
    package let seed: UInt64
    package private(set) var groups: [Group] = []
    package private(set) var tasks: [Task] = []
    private var places: [Name: Int] = [:]

    private struct Name: Hashable {
        var group: Int
        var name: String
    }

    /// - Throws: `.usage` where a rule speaks of no task: it would test nothing, and nobody would know.
    package init(_ root: GroupPlan, _ plan: FaultPlan, seed: UInt64) throws(ChaosError) {
        self.root = root
        self.seed = seed
        var rules: [InjectionOrder.Rule] = []
        for (number, fault) in plan.faults.enumerated() {
            if case .task(let task) = fault.kind { rules.append(InjectionOrder.Rule(number: number, fault: task)) }
        }
        add(root, parent: nil, path: "", rules)
        for rule in rules where !tasks.contains(where: { $0.rules.contains(rule) }) {
            let place = plan.faults[rule.number].location
            throw .usage(
                "\(place.file):\(place.line):\(place.column): no task of the batch is called '\(rule.fault.pattern)'; "
                    + "there are \(Self.sample(tasks.map(\.path)))"
            )
        }
    }

    private static func sample(_ names: [String]) -> String {
        names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", … (\(names.count) in all)" : "")
    }

    private mutating func add(_ plan: GroupPlan, parent: Int?, path: String, _ rules: [InjectionOrder.Rule]) {
        let place = groups.count
        let around = parent.map { groups[$0] }
        groups.append(
            Group(
                name: plan.name,
                parent: parent,
                policy: plan.policy,
                timeout: plan.timeout,
                grace: plan.grace ?? around?.grace ?? Self.defaultGrace,
                shield: parent != nil && plan.shield || around?.shield ?? false
            )
        )
        for item in plan.items {
            switch item {
            case .group(let group): add(group, parent: place, path: path + group.name + "/", rules)
            case .task(let task):
                let path = path + task.name
                places[Name(group: place, name: task.name)] = tasks.count
                tasks.append(
                    Task(
                        number: tasks.count,
                        group: place,
                        plan: task,
                        path: path,
                        rules: rules.filter { NamePattern.matches($0.fault.pattern, name: task.name, path: path) }
                    )
                )
            }
        }
    }

    /// What a task's stand-in is told.
    package func order(for task: Task, evidence: String? = nil) -> InjectionOrder {
        InjectionOrder(task: task.number, path: task.path, seed: seed, evidence: evidence, rules: task.rules)
    }

    /// The task of that name in a group.
    package func task(_ name: String, in group: Int) -> Task? {
        places[Name(group: group, name: name)].map { tasks[$0] }
    }

    /// Whether a group lies in another, or is the same.
    func isGroup(_ group: Int, within other: Int) -> Bool {
        var place: Int? = group
        while let current = place {
            if current == other { return true }
            place = groups[current].parent
        }
        return false
    }
}
