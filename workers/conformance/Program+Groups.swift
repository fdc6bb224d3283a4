internal import Cohort
internal import CohortWorker
internal import Synchronization

extension Program {
    // MARK: Opening

    /// `group`: opens it, runs its body and waits for its tasks, which is all done by the library.
    func group(_ step: GroupStep) async throws -> Flow {
        let options = GroupOptions(
            deadline: step.timeout.map(settings.time),
            policy: step.policy,
            limit: step.limit,
            grace: settings.time(RunSettings.grace),
            acceptsSiblings: true
        )
        let opened = OpenedScope()
        let result: Result<Flow, GroupError>
        do throws(GroupError) {
            result = .success(
                try await open(step.name, options) { group in
                    try await self.body(step.body, of: group, noting: opened)
                }
            )
        } catch {
            result = .failure(error)
        }
        if let group = opened.group {
            var isCancelled = false
            if case .failure(let error) = result { isCancelled = error.kind == .cancelled }
            requests.close(endedCancelled: isCancelled)
            if let document = group.document { try log.write(document) }
        }
        switch result {
        case .success(let flow): return flow
        case .failure(let error): throw error.kind == .cancelled ? Interruption() : Failure(error)
        }
    }

    /// In the innermost group that is open; at the top of a task, as a group of the task; at the top of the script, in the
    /// pool.
    private func open(
        _ name: String,
        _ options: GroupOptions,
        _ body: @escaping @Sendable (Group) async throws -> Flow
    ) async throws(GroupError) -> Flow {
        let innermost = state.withLock { state in state.open.last.map { state.groups[$0].group } }
        if let innermost { return try await innermost.withGroup(name, options, body) }
        switch place {
        case .client(let pool): return try await pool.withGroup(name, options, body)
        case .task(let context): return try await context.withGroup(name, options, body)
        }
    }

    /// Runs a body in a Swift task that is never cancelled: the library's cancellation of its caller, when the group is
    /// stopped, is a request to the body.
    private func body(_ steps: [Step], of group: Group, noting opened: OpenedScope) async throws -> Flow {
        let scope = requests.open()
        opened.group = group
        state.withLock { state in
            state.groupsByName[group.name] = state.groups.count
            state.open.append(state.groups.count)
            state.groups.append(OpenedGroup(group: group))
        }
        defer { state.withLock { _ = $0.open.popLast() } }
        return try await withTaskCancellationHandler {
            try await Task {
                do {
                    let flow = try await self.steps(steps)
                    await self.passRequestOn()
                    return flow
                } catch let failure as Failure {
                    throw failure.thrown
                } catch is Interruption {
                    throw CancellationError()
                }
            }.value
        } onCancel: {
            requests.request(scope)
        }
    }

    /// At the end of a group's body with tasks that have not ended, a pending request stops the group, as it would have
    /// at once had the group been open when it came.
    private func passRequestOn() async {
        guard let scope = requests.unstopped else { return }
        let isUnfinished = state.withLock { state in
            guard let group = state.open.last else { return false }
            return state.groups[group].tasks.contains { $0.state != .ended }
        }
        if isUnfinished { await stopGroup(ofScope: scope) }
    }

    func stopGroup(ofScope scope: Int) async {
        let group = state.withLock { $0.groups[$0.open[scope - 1]].group }
        await group.cancel(reason: "whoever opened it was asked to stop")
    }

    // MARK: Adding tasks

    func spawn(_ step: SpawnStep) async throws {
        let steps: JSONValue
        switch step.work {
        case .steps(let list): steps = list
        case .program(let name): steps = settings.programs[name] ?? []
        }
        let input = ProgramInput(steps: steps, settings: settings)
        let options = TaskOptions(timeout: step.timeout.map(settings.time), shield: step.isShielded)
        let target = try target(step.target)
        for _ in 0..<step.count {
            let task: TaskHandle<JSONValue>
            do throws(SpawnRefused) {
                switch (target, place) {
                case (let target?, _):
                    let group = state.withLock { $0.groups[target].group }
                    task = try group.spawn(ProgramInput.function, input, name: step.name, options)
                case (nil, .task(let context)):
                    task = try await context.spawnSibling(ProgramInput.function, input, name: step.name, options)
                case (nil, .client):
                    // Decoding lets no script spawn siblings.
                    return
                }
            } catch {
                throw Failure(error)
            }
            state.withLock { state in
                state.tasks[step.name, default: []].append(task)
                if let target { state.groups[target].tasks.append(task) }
            }
        }
    }

    /// The number of the group, or `nil` for that of the task.
    private func target(_ target: SpawnStep.Target) throws(ScenarioError) -> Int? {
        switch target {
        case .sibling: nil
        case .innermost: state.withLock { $0.open.last }
        case .group(let name): try numberOfGroup(name)
        }
    }

    func numberOfGroup(_ name: String) throws(ScenarioError) -> Int {
        guard let number = state.withLock({ $0.groupsByName[name] }) else {
            throw ScenarioError(place: name, problem: "this program has opened no group of this name")
        }
        return number
    }

    // MARK: Cancelling and deadlines

    func cancel(_ step: CancelStep) async throws {
        guard let after = step.after else {
            set(step.variable, .bool(try await cancel(step.name)))
            return
        }
        timer(after) { _ = try await self.cancel(step.name) }
    }

    /// Whether it came before the end, for one of the tasks at least.
    private func cancel(_ name: String) async throws -> Bool {
        if let tasks = state.withLock({ $0.tasks[name] }) {
            var isInTime = false
            for task in tasks where await task.cancel() { isInTime = true }
            return isInTime
        }
        let number = try numberOfGroup(name)
        return await state.withLock { $0.groups[number].group }.cancel()
    }

    func moveDeadline(_ step: DeadlineStep) async throws {
        guard let after = step.after else { return try await setDeadline(step) }
        timer(after) { try await self.setDeadline(step) }
    }

    private func setDeadline(_ step: DeadlineStep) async throws {
        let number = try numberOfGroup(step.group)
        let group = state.withLock { $0.groups[number].group }
        do {
            try await group.setDeadline(step.fromNow.map(settings.time))
        } catch {
            throw Failure(error)
        }
    }

    /// Does something later, in whatever state the program then is. It never raises.
    private func timer(_ after: Double, _ action: @escaping @Sendable () async throws -> Void) {
        let time = settings.time(after)
        Task {
            try await Task.sleep(for: time)
            try await action()
        }
    }
}

/// Notes the group of a scope as soon as its body runs; it never does in a group that was refused.
private final class OpenedScope: Sendable {
    private let state = Mutex<Group?>(nil)

    var group: Group? {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}
