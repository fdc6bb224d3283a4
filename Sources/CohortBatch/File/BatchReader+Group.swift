internal import Yams

extension BatchReader {
    /// What a group hands down to its items.
    struct Scope {
        /// How many groups lie around the items.
        var depth = 0
        var environment: [EnvironmentEntry] = []
        /// Absolute; `nil` for the caller's own.
        var workingDirectory: String?
        var retries = RetryPlan()
        var taskTimeout: Duration?
        /// The nearest deadline around the items, to warn of timeouts that can never fire.
        var groupTimeout: Duration?
    }

    /// Reads the whole document. The plan is usable only if no errors were reported.
    mutating func readRoot(_ node: Node, defaultName: String) throws(Halt) -> BatchPlan? {
        guard case .mapping(let mapping) = node else {
            let advice = if case .sequence = node { "put the list under 'tasks:'" } else { "start with 'tasks:'" }
            try report(node.mark, "a batch file is a map, not \(Self.kind(of: node)): \(advice)")
            return nil
        }
        guard let root = try group(mapping, scope: Scope(), defaultName: defaultName) else { return nil }
        return BatchPlan(root: root, warnings: warnings)
    }

    private mutating func group(
        _ mapping: Node.Mapping,
        scope: Scope,
        defaultName: String
    ) throws(Halt) -> GroupPlan? {
        guard scope.depth < limits.depth else {
            try report(mapping.mark, "groups are nested deeper than \(limits.depth) here: nest less deeply")
            return nil
        }
        let fields = try fields(of: mapping, keys: BatchKeys.group, what: "a group")
        let timeout = try duration(fields["timeout"])
        var limit: Int?
        if let entry = fields["limit"] {
            limit = try integer(entry.value, what: "'limit'", in: 1...1_000_000)
        }
        var plan = GroupPlan(
            name: try name(fields["group"]) ?? defaultName,
            timeout: timeout,
            policy: try policy(fields["on_error"]) ?? .cancel,
            limit: limit,
            grace: try duration(fields["grace"], allowsZero: true),
            shield: try flag(fields["shield"]) ?? false,
            items: [],
            location: source.location(mapping.mark)
        )
        var inner = scope
        inner.depth += 1
        inner.groupTimeout = [timeout, scope.groupTimeout].compactMap(\.self).min()
        if fields["for_each"] != nil {
            if let tasks = fields["tasks"] {
                try report(tasks.keyMark, "a group has either 'tasks' or 'for_each' with 'run' or 'call': remove one")
                return plan
            }
            for task in try expandedTasks(fields, scope: inner, isGroup: true) {
                plan.items.append(.task(task))
            }
        } else {
            let misplaced = BatchKeys.expansionOfGroup.compactMap { fields[$0] }
            for entry in misplaced {
                try report(entry.keyMark, Self.misplacedAdvice(entry.key, in: fields))
            }
            if fields["tasks"] == nil, !misplaced.isEmpty || !fields.isComplete { return plan }
            plan.items = try items(fields, scope: try inherited(fields, from: inner))
        }
        return plan
    }

    /// What to do about a key of a task that stands in a group.
    private static func misplacedAdvice(_ key: String, in fields: Fields) -> String {
        let marker = BatchKeys.markersOfGroup.first { fields[$0] != nil }
        let why = marker.map { $0 == "group" || $0 == "tasks" ? "" : ", which this is because of '\($0)'," } ?? ""
        return "'\(key)' in a group\(why) needs 'for_each': add it, or put a task under 'tasks'"
    }

    /// The scope of a group's items: what is nearer overrides what is farther.
    private mutating func inherited(_ fields: Fields, from outer: Scope) throws(Halt) -> Scope {
        var scope = outer
        for entry in try environment(fields["env"], variables: nil) {
            scope.environment.set(entry.name, to: entry.value.render([]))
        }
        if let path = try nonemptyText(fields["cwd"]) {
            scope.workingDirectory = FilePath.join(directory, path)
        }
        scope.retries = try retries(fields["retries"]) ?? outer.retries
        scope.taskTimeout = try duration(fields["task_timeout"]) ?? outer.taskTimeout
        return scope
    }

    /// The items under `tasks`.
    private mutating func items(_ fields: Fields, scope: Scope) throws(Halt) -> [PlanItem] {
        guard let tasks = fields["tasks"] else {
            try report(fields.mark, "a group needs 'tasks', or 'for_each' with 'run' or 'call'")
            return []
        }
        guard case .sequence(let sequence) = tasks.value else {
            try report(
                tasks.value.mark,
                "'tasks' must be a list, not \(Self.kind(of: tasks.value)): start each with '- '"
            )
            return []
        }
        if sequence.isEmpty {
            try report(tasks.keyMark, "'tasks' is empty: a group needs at least one task")
        }
        var items: [PlanItem] = []
        items.reserveCapacity(sequence.count)
        var names = NameRegistry()
        for node in sequence {
            guard case .mapping(let mapping) = node else {
                try reportNoTask(node, in: sequence)
                continue
            }
            if mapping.keys.contains(where: Self.marksGroup) {
                guard var child = try group(mapping, scope: scope, defaultName: "group") else { continue }
                child.name = try claim(child.name, from: &names, explicit: mapping, key: "group")
                items.append(.group(child))
            } else {
                let fields = try self.fields(
                    of: mapping,
                    keys: BatchKeys.task,
                    what: "a task",
                    suggesting: BatchKeys.markersOfGroup
                )
                for var task in try expandedTasks(fields, scope: scope, isGroup: false) {
                    task.name = try claim(task.name, from: &names, explicit: mapping, key: "name")
                    items.append(.task(task))
                }
            }
        }
        return items
    }

    private static func marksGroup(_ key: Node) -> Bool {
        guard case .scalar(let scalar) = key else { return false }
        return BatchKeys.markersOfGroup.contains(scalar.string)
    }

    private mutating func reportNoTask(_ node: Node, in sequence: Node.Sequence) throws(Halt) {
        if isNull(node) {
            try report(node.mark ?? sequence.mark, "an empty task: give it 'run' or 'call', or remove it")
        } else {
            try report(node.mark, "a task is a map, not \(Self.kind(of: node)): write 'run: …' or 'call: …'")
        }
    }

    /// A name of its own for an item; warns if the file gave one that is taken.
    private mutating func claim(
        _ name: String,
        from names: inout NameRegistry,
        explicit mapping: Node.Mapping,
        key: String
    ) throws(Halt) -> String {
        let claimed = names.claim(name)
        if claimed != name, let entry = mapping.first(where: { $0.key.scalar?.string == key }) {
            warn(entry.value.mark, "the name '\(name)' is taken in this group; this one is called '\(claimed)'")
        }
        return claimed
    }
}
