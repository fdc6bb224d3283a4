internal import Cohort

/// Reads lists of steps, and refuses those that could not be run where they stand.
struct StepDecoder {
    /// What may stand in a list of steps depends on what is around it in the same program.
    struct Surroundings {
        /// In the steps of a task, rather than in the root script.
        var isTask: Bool
        /// In the body of a group that this program opens.
        var isInGroup = false
        var isInHandler = false
        var isInFinally = false
    }

    /// Names of the scenario's programs.
    let programs: Set<String>

    func steps(_ list: PlacedValue, in surroundings: Surroundings) throws(ScenarioError) -> [Step] {
        var steps: [Step] = []
        for element in try list.array() { steps.append(try step(try element.object(), in: surroundings)) }
        return steps
    }

    private func step(_ step: PlacedObject, in surroundings: Surroundings) throws(ScenarioError) -> Step {
        let verbs = step.object.keys.filter { Self.verbs[$0] != nil }
        guard let verb = verbs.first, let options = Self.verbs[verb] else {
            throw step.error("a step needs a verb: one of \(Self.verbs.keys.sorted().joined(separator: ", "))")
        }
        guard verbs.count == 1 else {
            throw step.error("a step has one verb, this has \(verbs.sorted().joined(separator: " and "))")
        }
        try step.allow([verb] + options)
        let subject = try step.required(verb)
        switch verb {
        case "sleep": return .sleep(try subject.time())
        case "busy": return .busy(try subject.time())
        case "log": return .log(subject.value)
        case "return":
            if surroundings.isInFinally { throw step.error("'return' must not stand in 'finally'") }
            return .leave(subject.value)
        case "raise": return .raise(type: try subject.name(), message: try step["message"]?.text() ?? "")
        case "try": return .attempt(try attempt(step, in: surroundings))
        case "rethrow":
            guard try subject.truth() else { throw subject.error("'rethrow' takes nothing but true") }
            guard surroundings.isInHandler else {
                throw step.error("'rethrow' stands only in 'catch' and 'cancelled'")
            }
            return .rethrow
        case "exit":
            guard surroundings.isTask else { throw step.error("'exit' stands only in the steps of a task") }
            return .exit(try processEnd(subject))
        case "group": return .group(try group(step, in: surroundings))
        case "spawn": return .spawn(try spawn(step, in: surroundings))
        case "as_completed": return .asCompleted(try asCompleted(step, in: surroundings))
        default: return try observation(verb, step)
        }
    }

    /// The verbs with the options of each.
    private static let verbs: [String: [String]] = [
        "sleep": [], "busy": [], "log": [], "return": [], "rethrow": [], "exit": [],
        "raise": ["message"],
        "try": ["catch", "cancelled", "finally"],
        "group": ["timeout", "policy", "limit", "body"],
        "spawn": ["do", "run", "into", "sibling", "timeout", "shield", "count"],
        "await": ["timeout", "as"],
        "gather": ["return_exceptions", "as"],
        "wait": ["until", "timeout", "as"],
        "as_completed": ["as", "timeout", "do"],
        "cancel": ["after", "as"],
        "deadline": ["in", "after"],
    ]

    // MARK: Steps with steps in them

    private func attempt(_ step: PlacedObject, in surroundings: Surroundings) throws(ScenarioError) -> Attempt {
        var inHandler = surroundings
        inHandler.isInHandler = true
        var inFinally = surroundings
        inFinally.isInFinally = true
        var attempt = Attempt(body: [], clauses: [], cancelled: nil, finally: [])
        attempt.body = try steps(try step.required("try"), in: surroundings)
        for clause in try step["catch"]?.array() ?? [] {
            attempt.clauses.append(try self.clause(try clause.object(), in: inHandler))
        }
        if let list = step["cancelled"] { attempt.cancelled = try steps(list, in: inHandler) }
        if let list = step["finally"] { attempt.finally = try steps(list, in: inFinally) }
        return attempt
    }

    private func clause(_ clause: PlacedObject, in surroundings: Surroundings) throws(ScenarioError) -> CatchClause {
        try clause.allow(["type", "as", "do"])
        let type = try clause.required("type")
        let types: [String]
        if case .array = type.value { types = try type.names() } else { types = [try type.name()] }
        guard !types.contains(cancelledType) else {
            throw type.error("a cancellation is no error; handle it in 'cancelled'")
        }
        return CatchClause(
            types: types,
            variable: try clause["as"]?.name(),
            body: try clause["do"].map { list throws(ScenarioError) in try steps(list, in: surroundings) } ?? []
        )
    }

    private func group(_ step: PlacedObject, in surroundings: Surroundings) throws(ScenarioError) -> GroupStep {
        var inBody = surroundings
        inBody.isInGroup = true
        return GroupStep(
            name: try step.required("group").name(),
            timeout: try step["timeout"].flatMap(Self.timeOrNever),
            policy: try step["policy"].map(Self.policy) ?? .cancel,
            limit: try step["limit"]?.count(),
            body: try steps(try step.required("body"), in: inBody)
        )
    }

    private func spawn(_ step: PlacedObject, in surroundings: Surroundings) throws(ScenarioError) -> SpawnStep {
        SpawnStep(
            name: try step.required("spawn").name(),
            work: try work(step),
            target: try target(step, in: surroundings),
            timeout: try step["timeout"]?.time(),
            isShielded: try step["shield"]?.truth() ?? false,
            count: try step["count"]?.count() ?? 1
        )
    }

    private func work(_ step: PlacedObject) throws(ScenarioError) -> SpawnStep.Work {
        switch (step["do"], step["run"]) {
        case (let list?, nil):
            _ = try steps(list, in: Surroundings(isTask: true))
            return .steps(list.value)
        case (nil, let program?):
            let name = try program.name()
            guard programs.contains(name) else { throw program.error("there is no program '\(name)'") }
            return .program(name)
        default: throw step.error("'spawn' takes either 'do' or 'run'")
        }
    }

    private func target(
        _ step: PlacedObject,
        in surroundings: Surroundings
    ) throws(ScenarioError) -> SpawnStep.Target {
        let isSibling = try step["sibling"]?.truth() ?? false
        switch (step["into"], isSibling) {
        case (_?, true): throw step.error("'spawn' takes 'into' or 'sibling', not both")
        case (let group?, false): return .group(try group.name())
        case (nil, true):
            guard surroundings.isTask else { throw step.error("the root script is no task and has no siblings") }
            return .sibling
        case (nil, false):
            guard surroundings.isInGroup else { throw step.error("'spawn' needs a group around it, or 'into'") }
            return .innermost
        }
    }

    private func asCompleted(
        _ step: PlacedObject,
        in surroundings: Surroundings
    ) throws(ScenarioError) -> AsCompletedStep {
        AsCompletedStep(
            tasks: try step.required("as_completed").names(),
            variable: try step["as"]?.name(),
            timeout: try step["timeout"]?.time(),
            body: try step["do"].map { list throws(ScenarioError) in try steps(list, in: surroundings) } ?? []
        )
    }

    // MARK: Steps about tasks and groups that are there

    private func observation(_ verb: String, _ step: PlacedObject) throws(ScenarioError) -> Step {
        let subject = try step.required(verb)
        let variable = try step["as"]?.name()
        switch verb {
        case "await":
            return .awaitTask(
                AwaitStep(task: try subject.name(), timeout: try step["timeout"]?.time(), variable: variable)
            )
        case "gather":
            let returnsExceptions = try step["return_exceptions"]?.truth() ?? false
            return .gather(
                GatherStep(tasks: try subject.names(), returnsExceptions: returnsExceptions, variable: variable)
            )
        case "wait":
            return .wait(
                WaitStep(
                    tasks: try subject.names(),
                    until: try step["until"].map(Self.condition) ?? .allCompleted,
                    timeout: try step["timeout"]?.time(),
                    variable: variable
                )
            )
        case "cancel":
            return .cancel(
                CancelStep(name: try subject.name(), after: try step["after"]?.time(), variable: variable)
            )
        default:
            return .deadline(
                DeadlineStep(
                    group: try subject.name(),
                    fromNow: try Self.timeOrNever(try step.required("in")),
                    after: try step["after"]?.time()
                )
            )
        }
    }

    private static func timeOrNever(_ value: PlacedValue) throws(ScenarioError) -> Double? {
        value.value == .null ? nil : try value.time()
    }

    private static func policy(_ value: PlacedValue) throws(ScenarioError) -> FailurePolicy {
        switch try value.text() {
        case "cancel": .cancel
        case "continue": .continue
        case "first": .first
        default: throw value.error("a policy is cancel, continue or first")
        }
    }

    private static func condition(_ value: PlacedValue) throws(ScenarioError) -> WaitCondition {
        switch try value.text() {
        case "all_completed": .allCompleted
        case "first_completed": .firstCompleted
        case "first_exception": .firstFailed
        default: throw value.error("'until' is all_completed, first_completed or first_exception")
        }
    }

    private func processEnd(_ value: PlacedValue) throws(ScenarioError) -> ProcessEnd {
        switch value.value {
        case .string("kill"): return .kill
        case .int(let code) where (0...255).contains(code): return .code(Int32(code))
        default: throw value.error("'exit' takes a code from 0 to 255, or \"kill\"")
        }
    }
}
