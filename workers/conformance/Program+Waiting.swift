internal import Cohort
internal import Synchronization

extension Program {
    // MARK: Suspension points

    /// Waits for something, unless and until a cancel request interrupts the program.
    ///
    /// The wait is a Swift task that a request cancels. Where a request and the end of the wait meet, the request counts:
    /// it is the failure of a task that stops the group of a body which waits for that very task.
    func suspend<Value: Sendable>(
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        try await deliverRequest()
        let wait = Task { try await operation() }
        requests.arm { wait.cancel() }
        let result = await wait.result
        requests.disarm()
        try await deliverRequest()
        do {
            return try result.get()
        } catch {
            throw Failure(error)
        }
    }

    /// Throws an ``Interruption`` if a request is pending. It reaches the groups that were opened after it only now.
    private func deliverRequest() async throws {
        guard let delivery = requests.deliver() else { return }
        if let scope = delivery.unstopped { await stopGroup(ofScope: scope) }
        throw Interruption()
    }

    /// Waiting for what has ended is no suspension point.
    private func suspendIfUnfinished<Value: Sendable>(
        _ tasks: [TaskHandle<JSONValue>],
        _ operation: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        if tasks.contains(where: { $0.state != .ended }) { return try await suspend(operation) }
        do {
            return try await operation()
        } catch {
            throw Failure(error)
        }
    }

    // MARK: Steps

    func awaitTask(_ step: AwaitStep) async throws {
        let tasks = try named([step.task])
        guard let task = tasks.first, tasks.count == 1 else {
            throw ScenarioError(place: step.task, problem: "'await' wants one task, there are \(tasks.count)")
        }
        let timeout = step.timeout.map(settings.time)
        let value = try await suspendIfUnfinished(tasks) {
            if let timeout { try await task.value(timeout: timeout) } else { try await task.value }
        }
        set(step.variable, value)
    }

    func gather(_ step: GatherStep) async throws {
        let tasks = try named(step.tasks)
        guard step.returnsExceptions else {
            set(step.variable, .array(try await suspendIfUnfinished(tasks) { try await Cohort.gather(tasks) }))
            return
        }
        // `gatherEnds` itself waits for the ends whatever happens to the waiter.
        let ends = try await suspendIfUnfinished(tasks) {
            _ = try await Cohort.wait(for: tasks)
            return await gatherEnds(tasks)
        }
        set(step.variable, .array(ends.map { .object($0.result.brief) }))
    }

    func wait(_ step: WaitStep) async throws {
        let tasks = try named(step.tasks)
        let timeout = step.timeout.map(settings.time)
        let found = try await suspendIfUnfinished(tasks) {
            let (done, pending) = try await Cohort.wait(for: tasks, until: step.until, timeout: timeout)
            return (done: done.map(\.name), pending: pending.map(\.name))
        }
        let names = { (names: [String]) in JSONValue.array(names.map(JSONValue.string)) }
        set(step.variable, ["done": names(found.done), "pending": names(found.pending)])
    }

    func asCompleted(_ step: AsCompletedStep) async throws -> Flow {
        let tasks = try named(step.tasks)
        let stream = CompletionStream(Cohort.asCompleted(tasks, timeout: step.timeout.map(settings.time)))
        var left = tasks.count
        while left > 0 {
            // One that has ended already is there at once.
            let hasWaiting = tasks.count { $0.state == .ended } > tasks.count - left
            guard let task = try await suspendIfUnfinished(hasWaiting ? [] : tasks, { try await stream.next() }) else {
                break
            }
            left -= 1
            var item = JSONObject([JSONObject.Member(key: "task", value: .string(task.name))])
            for member in await task.result.brief.members { item[member.key] = member.value }
            set(step.variable, .object(item))
            if case .returned(let value) = try await steps(step.body) { return .returned(value) }
        }
        return .next
    }

    /// The tasks of these names, those of one name in the order of spawning.
    func named(_ names: [String]) throws(ScenarioError) -> [TaskHandle<JSONValue>] {
        var tasks: [TaskHandle<JSONValue>] = []
        for name in names {
            guard let found = state.withLock({ $0.tasks[name] }) else {
                throw ScenarioError(place: name, problem: "this program has spawned no task of this name")
            }
            tasks += found
        }
        return tasks
    }
}

/// Takes the items of a stream of completions one by one, each in a task of its own.
private actor CompletionStream {
    private var iterator: AsCompleted<JSONValue>.AsyncIterator

    init(_ stream: AsCompleted<JSONValue>) {
        iterator = stream.makeAsyncIterator()
    }

    func next() async throws -> TaskHandle<JSONValue>? {
        var copy = iterator
        defer { iterator = copy }
        return try await copy.next()
    }
}
