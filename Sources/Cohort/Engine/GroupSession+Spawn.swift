package import CohortCore
internal import CohortWire
internal import FoundationEssentials

/// Tasks into groups.
extension GroupSession {
    /// Bytes of one task's arguments and input. Larger things go by file.
    private static let payloadLimit = 16 << 20

    func spawn<I, O>(
        _ function: RemoteFunction<I, O>,
        _ input: I,
        name: String?,
        _ options: TaskOptions,
        into cell: GroupCell,
        slots: (any SlotHolder)?
    ) throws(SpawnRefused) -> TaskHandle<O> {
        let payload = try Self.encode(input, for: function.name)
        let template = Self.template(of: function.name, name: name, options)
        let task = try add(template, command: nil, payload, to: cell)
        let reference = TaskReference(cell: task, home: .group(cell), session: self, slots: slots)
        return TaskHandle(reference, read: Self.readValue)
    }

    func run(
        _ command: Command,
        name: String?,
        _ options: TaskOptions,
        in cell: GroupCell,
        slots: (any SlotHolder)?
    ) throws(SpawnRefused) -> TaskHandle<CommandOutput> {
        guard !command.line.isEmpty else { throw SpawnRefused(code: .invalid, message: "the command is empty") }
        let payload = try Self.checked(command.payload, of: "the command")
        let template = options.template(
            name: name ?? command.defaultName,
            function: "",
            spec: command.settings(Propagated.values)
        )
        let task = try add(template, command: command.line, payload, to: cell)
        let reference = TaskReference(cell: task, home: .group(cell), session: self, slots: slots)
        return TaskHandle(reference) { account in
            let result = account.result(hasValue: false)
            return CommandOutput(exitCode: result.exitCode ?? 0, stdout: result.stdout, stderr: result.stderr)
        }
    }

    private func add(
        _ template: TaskTemplate,
        command: String?,
        _ payload: [UInt8],
        to cell: GroupCell
    ) throws(SpawnRefused) -> TaskCell {
        let (task, mustWake) = try cell.spawn(template, command: command, payload: payload, outbox: ledger.outbox)
        if mustWake { wake() }
        return task
    }

    /// Adds a task to the group that a running task belongs to. Returns when the coordinator has accepted it.
    package func spawnSibling<I, O>(
        of attempt: AttemptRef,
        _ function: RemoteFunction<I, O>,
        _ input: I,
        name: String? = nil,
        _ options: TaskOptions = TaskOptions(),
        slots: (any SlotHolder)? = nil
    ) async throws(SpawnRefused) -> TaskHandle<O> {
        let payload = try Self.encode(input, for: function.name)
        let template = Self.template(of: function.name, name: name, options)
        let (joined, mustWake) = try ledger.join(attempt)
        if mustWake { wake() }
        let task = try await joined.spawn(template, payload, ledger.outbox, wake: wake)
        return TaskHandle(
            TaskReference(cell: task, home: .joined(joined), session: self, slots: slots),
            read: Self.readValue
        )
    }

    /// The running task has ended: it will add no further tasks. Those that it has added are not touched.
    package func forget(_ attempt: AttemptRef) { ledger.forget(attempt) }

    // MARK: Encoding

    private static func template(of function: String, name: String?, _ options: TaskOptions) -> TaskTemplate {
        options.template(name: name ?? function, function: function, spec: Propagated.encode(Propagated.values))
    }

    private static func encode(_ input: some Encodable, for function: String) throws(SpawnRefused) -> [UInt8] {
        do {
            let payload = Array(try JSONEncoder().encode(input))
            return try checked(payload, of: "the input of \(function)")
        } catch let error as SpawnRefused {
            throw error
        } catch {
            throw SpawnRefused(code: .invalid, message: "the input of \(function) cannot be encoded: \(error)")
        }
    }

    private static func checked(_ payload: [UInt8], of what: String) throws(SpawnRefused) -> [UInt8] {
        guard payload.count <= payloadLimit else {
            let size = "\(payload.count) bytes, more than \(payloadLimit)"
            throw SpawnRefused(code: .invalid, message: "\(what) has \(size); pass a file instead")
        }
        return payload
    }

    /// The value of a call that has returned.
    static func readValue<O: Decodable>(_ account: TaskAccount) throws -> O {
        let json = account.value.isEmpty ? Array("null".utf8)[...] : account.value
        do {
            return try JSONDecoder().decode(O.self, from: Data(json))
        } catch {
            throw TaskError(
                type: .invalidResult,
                message: "what task \(account.name) has returned is not \(O.self): \(error)"
            )
        }
    }
}

extension TaskOptions {
    func template(name: String, function: String, spec: [UInt8]) -> TaskTemplate {
        TaskTemplate(
            name: name,
            function: function,
            timeout: timeout.map { TimeSpan($0) },
            retries: UInt32(clamping: retries),
            backoff: TimeSpan(backoff),
            shield: shield,
            spec: spec
        )
    }
}
