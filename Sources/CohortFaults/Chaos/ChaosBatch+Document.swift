package import Cohort
internal import CohortBatch
internal import FoundationEssentials

/// The batch as a document that `cohort run` reads.
extension ChaosBatch {
    /// Names a task's number to whatever looks at its processes.
    static let taskVariable = "COHORT_CHAOS_TASK"
    /// The function of a worker that stands in for the one that a task calls.
    package static let standInFunction = "cohort.chaos"
    /// The command of the program that stands in for the one that a task runs.
    package static let standInCommand = "chaos-task"

    /// What stands in for a call is told this.
    package struct CallOrder: Codable, Sendable {
        package var order: InjectionOrder
        package var function: String
        /// JSON text.
        package var arguments: String
    }

    /// - Parameters:
    ///   - program: the `cohort` program, which stands in for that of a command.
    ///   - evidence: the file for evidence.
    package func document(program: String, evidence: String) throws -> String {
        var next = 0
        let text = try object(of: root, program, evidence, &next).text(.line)
        return Self.escapingControls(text)
    }

    private func object(
        of group: GroupPlan,
        _ program: String,
        _ evidence: String,
        _ next: inout Int
    ) throws -> JSONValue {
        var object = JSONObject()
        object["group"] = .string(group.name)
        object["timeout"] = group.timeout.map(Self.seconds)
        object["on_error"] = .string(group.policy.rawValue)
        object["limit"] = group.limit.map(JSONValue.int)
        object["grace"] = group.grace.map(Self.seconds)
        if group.shield { object["shield"] = true }
        var items: [JSONValue] = []
        for item in group.items {
            switch item {
            case .group(let child): items.append(try self.object(of: child, program, evidence, &next))
            case .task:
                items.append(try self.object(of: tasks[next], program, evidence))
                next += 1
            }
        }
        object["tasks"] = .array(items)
        return .object(object)
    }

    private func object(of task: Task, _ program: String, _ evidence: String) throws -> JSONValue {
        let plan = task.plan
        var object = JSONObject()
        object["name"] = .string(plan.name)
        let order = order(for: task, evidence: evidence)
        switch plan.work {
        case .argv(let words):
            object["run"] = try Self.command(program, order, words.map { String(decoding: $0, as: UTF8.self) })
        case .shell(let line):
            object["run"] = try Self.command(program, order, ["/bin/sh", "-c", String(decoding: line, as: UTF8.self)])
        case .call(let function, let arguments):
            object["call"] = .string(Self.standInFunction)
            let call = CallOrder(
                order: order,
                function: function,
                arguments: String(decoding: arguments, as: UTF8.self)
            )
            object["args"] = try JSONValue(parsing: Self.encode(call))
        }
        object["timeout"] = plan.timeout.map(Self.seconds)
        object["retries"] = .object(
            JSONObject([
                .init(key: "limit", value: .int(plan.retries.limit)),
                .init(key: "backoff", value: Self.seconds(plan.retries.backoff)),
            ])
        )
        if plan.shield { object["shield"] = true }
        if !task.isCall {
            let variables = plan.environment + [EnvironmentEntry(name: Self.taskVariable, value: String(task.number))]
            object["env"] = .object(JSONObject(variables.map { .init(key: $0.name, value: .string($0.value)) }))
        }
        object["cwd"] = plan.workingDirectory.map(JSONValue.string)
        object["stdin"] = plan.stdin.map(JSONValue.string)
        return .object(object)
    }

    private static func command(_ program: String, _ order: InjectionOrder, _ words: [String]) throws -> JSONValue {
        .array(([program, standInCommand, try encode(order), "--"] + words).map(JSONValue.string))
    }

    private static func encode(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// A duration exact to the nanosecond.
    private static func seconds(_ duration: Duration) -> JSONValue {
        let (seconds, attoseconds) = duration.components
        let fraction = String(attoseconds / 1_000_000_000)
        return .string("\(seconds)." + String(repeating: "0", count: 9 - fraction.count) + fraction)
    }

    /// YAML takes fewer characters as they are than JSON does.
    private static func escapingControls(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x7f...0x9f, 0x2028, 0x2029, 0xfeff, 0xfffe, 0xffff:
                let digits = String(scalar.value, radix: 16)
                output.append(
                    contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.count))\(digits)".unicodeScalars
                )
            default: output.append(scalar)
            }
        }
        return String(output)
    }

    // MARK: The outcome

    /// The outcome document in the user's own terms: of each task the command that it was to run.
    package func restoring(_ document: OutcomeDocument) -> OutcomeDocument {
        restoring(document, group: 0)
    }

    private func restoring(_ document: OutcomeDocument, group: Int) -> OutcomeDocument {
        var document = document
        for index in document.tasks.indices {
            guard let command = command(of: document.tasks[index].name, in: group) else { continue }
            document.tasks[index].command = command
            document.tasks[index].error = document.tasks[index].error.map { restoring($0, command: command) }
        }
        for index in document.groups.indices {
            if let child = child(document.groups[index].group, of: group) {
                document.groups[index] = restoring(document.groups[index], group: child)
            }
        }
        document.error = document.error.map { restoring($0, group: group) }
        return document
    }

    private func restoring(_ node: ErrorNode, group: Int) -> ErrorNode {
        switch node {
        case .leaf(let leaf):
            return leaf.task.flatMap { command(of: $0, in: group) }.map { restoring(node, command: $0) } ?? node
        case .group(var errors):
            errors.errors = errors.errors.map { error in
                guard case .group(let inner) = error else { return restoring(error, group: group) }
                return restoring(error, group: child(inner.group, of: group) ?? group)
            }
            return .group(errors)
        }
    }

    private func restoring(_ node: ErrorNode, command: String) -> ErrorNode {
        guard case .leaf(var leaf) = node else { return node }
        leaf.command = command
        return .leaf(leaf)
    }

    private func command(of name: String, in group: Int) -> String? {
        task(name, in: group).map { DryRun.command(of: $0.plan.work) }
    }

    func child(_ name: String, of group: Int) -> Int? {
        groups.firstIndex { $0.parent == group && $0.name == name }
    }
}
