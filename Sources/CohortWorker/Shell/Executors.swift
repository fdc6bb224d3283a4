internal import CohortCore
internal import CohortProcess
internal import CohortRuntime
internal import CohortWire
internal import Synchronization

/// What runs tasks for a shell, in the terms of the core. It tells what happens in batches, from threads of its own.
protocol TaskExecutors: AnyObject, Sendable {
    /// Starts a command; one that cannot be understood comes back as `commandNotStarted`.
    ///
    /// - Parameter place: in the record of attempts.
    func run(_ order: WorkOrder, place: UInt32) -> WorkerEvent?
    func run(_ orders: [CallOrder])
    func cancel(_ task: TaskKey, isCall: Bool, grace: TimeSpan, reason: String)
    func kill(_ task: TaskKey, isCall: Bool)
    func grant(_ task: TaskKey, isCall: Bool, bytes: UInt64)
    /// Lets a call go on that has waited for groups of its own.
    func proceed(_ task: TaskKey)
    func retract(_ tasks: [TaskKey])
    /// Kills everything that runs, and returns when it is gone and the last events were told. Once only.
    func stop()
}

/// The two that run tasks, commands and calls.
final class Executors: TaskExecutors {
    private let processes: ProcessLoop
    private let calls: CallPool
    private let descriptions: CommandDescriptions
    private let record: AttemptRecord?

    init(_ configuration: WorkerConfiguration, deliver: @escaping @Sendable ([WorkerEvent]) -> Void) throws {
        let descriptions = CommandDescriptions()
        self.descriptions = descriptions
        record = configuration.record?.record
        processes = try ProcessLoop { events in deliver(events.map { Executors.event($0, descriptions) }) }
        var pool = CallPool.Configuration(maxHosts: configuration.slots)
        pool.arguments = configuration.hostArguments
        // For the groups that functions open.
        pool.environment.set(CallHostMain.endpointVariable, to: configuration.endpoint)
        pool.record = configuration.record?.descriptor
        pool.processes = processes
        if let keys = configuration.keys?.reference { pool.environment.set(CallHostMain.keysVariable, to: keys) }
        calls = try CallPool(pool) { events in deliver(events.map(Executors.event)) }
    }

    // MARK: Orders

    func run(_ order: WorkOrder, place: UInt32) -> WorkerEvent? {
        do throws(FrameError) {
            let payload = try CommandPayload(bytes: order.payload)
            let settings = try CommandSettings(bytes: order.template.spec)
            descriptions.note(payload.description, of: order.task.raw)
            var command = Self.command(order, payload, settings)
            if let record, place != AttemptRecord.noEntry { command.willStart = { record.begin(place) } }
            processes.start(order.task.raw, command)
            return nil
        } catch {
            return .commandNotStarted(order.task, message: error.description, command: "")
        }
    }

    func run(_ orders: [CallOrder]) {
        calls.submit(
            orders.map { call in
                let order = call.order
                return CallRequest(
                    id: order.task.raw,
                    function: order.template.function,
                    payload: order.payload,
                    taskName: order.template.name,
                    groupName: order.groupName,
                    fence: order.attempt,
                    attempt: order.execution,
                    settings: order.template.spec,
                    deadlineNanoseconds: order.deadlineIn.map { $0.nanoseconds },
                    timeoutNanoseconds: order.template.timeout?.nanoseconds,
                    prefetchable: call.ahead,
                    hold: CallHold(order.hold),
                    record: call.place
                )
            }
        )
    }

    func cancel(_ task: TaskKey, isCall: Bool, grace: TimeSpan, reason: String) {
        if isCall {
            calls.cancel(task.raw, grace: grace.duration, reason: reason)
        } else {
            processes.cancel(task.raw, grace: grace.duration)
        }
    }

    func kill(_ task: TaskKey, isCall: Bool) {
        if isCall { calls.kill(task.raw) } else { processes.kill(task.raw) }
    }

    func grant(_ task: TaskKey, isCall: Bool, bytes: UInt64) {
        if isCall {
            calls.grant(task.raw, bytes: bytes)
        } else {
            processes.grant(task.raw, bytes: Int(clamping: bytes))
        }
    }

    func proceed(_ task: TaskKey) { calls.proceed(task.raw) }

    func retract(_ tasks: [TaskKey]) { calls.recall(tasks.map(\.raw)) }

    func stop() {
        // In this order: what call hosts leave is ended with everything else that is left.
        calls.stop()
        processes.stop()
    }

    private static func command(
        _ order: WorkOrder,
        _ payload: CommandPayload,
        _ settings: CommandSettings
    ) -> CommandSpec {
        let program: CommandSpec.Program =
            switch payload.program {
            case .shell(let line): .line(line)
            case .arguments(let arguments): .words(arguments)
            }
        var environment = settings.variables.map { ($0.name, $0.value) }
        environment.append(("COHORT_GROUP", order.groupName))
        environment.append(("COHORT_TASK", order.template.name))
        environment.append(("COHORT_TASK_INDEX", String(order.index)))
        environment.append(("COHORT_ATTEMPT", String(order.execution)))
        environment.append(("COHORT_SLOT", String(order.slot)))
        return CommandSpec(
            program,
            environment: environment,
            workingDirectory: settings.workingDirectory,
            standardInput: payload.standardInput
        )
    }

    // MARK: Events

    private static func event(_ event: ProcessEvent, _ descriptions: CommandDescriptions) -> WorkerEvent {
        switch event {
        case .started(let id, _): return .attemptStarted(TaskKey(raw: id))
        case .startFailed(let id, let error):
            let message = message(for: error)
            return .commandNotStarted(TaskKey(raw: id), message: message, command: descriptions.take(id))
        case .output(let id, let stream, let bytes):
            return .outputArrived(TaskKey(raw: id), stream == .stdout ? .standardOutput : .standardError, bytes)
        case .exited(let id, let report):
            var end = CommandEnd(report)
            end.command = descriptions.take(id)
            return .commandEnded(TaskKey(raw: id), end)
        }
    }

    /// Whoever has set the directory, or was in it, may be on another machine.
    private static func message(for error: SpawnError) -> String {
        guard error.code == .workingDirectory else { return error.description }
        return "on \(Host.name): \(error); make it there, or set cwd to a directory that this host has"
    }

    private static func event(_ event: CallEvent) -> WorkerEvent {
        switch event {
        case .started(let id): .attemptStarted(TaskKey(raw: id))
        case .output(let id, let stream, let bytes):
            .outputArrived(TaskKey(raw: id), stream == .stdout ? .standardOutput : .standardError, bytes)
        case .returned(let ids): .callsReturned(ids.map(TaskKey.init(raw:)))
        case .waiting(let id): .callWaiting(TaskKey(raw: id))
        case .wanting(let id): .callWanting(TaskKey(raw: id))
        case .progress(let id, let fraction, let note):
            .progressed(TaskKey(raw: id), fraction: fraction, note: note)
        case .finished(let id, let report):
            .callEnded(
                TaskKey(raw: id),
                CohortCore.CallEnd(report.result),
                elapsed: TimeSpan(nanoseconds: report.elapsedNanoseconds)
            )
        }
    }
}

/// A call to run.
struct CallOrder {
    var order: WorkOrder
    /// It may wait in a host behind others.
    var ahead: Bool
    /// In the record of attempts.
    var place: UInt32
}

/// What runs, in words, for the reports of those that fail.
private final class CommandDescriptions: Sendable {
    private static let limit = 1_024
    private let texts = Mutex<[UInt64: String]>([:])

    func note(_ text: String, of id: UInt64) { texts.withLock { $0[id] = String(text.prefix(Self.limit)) } }

    func take(_ id: UInt64) -> String { texts.withLock { $0.removeValue(forKey: id) ?? "" } }
}

extension CallHold {
    fileprivate init(_ rule: HoldRule) {
        self =
            switch rule {
            case .never: .never
            case .afterFailure: .afterFailure
            case .afterSuccess: .afterSuccess
            }
    }
}

extension CommandEnd {
    fileprivate init(_ report: ExitReport) {
        self.init()
        switch report.status {
        case .exited(let code): exitCode = code
        case .signalled(let signal, let dumped):
            self.signal = signal
            coreDumped = dumped
        }
        wasSignalled = report.signalSent
        forced = report.forced
        elapsed = TimeSpan(report.elapsed)
        userTime = TimeSpan(report.userTime)
        systemTime = TimeSpan(report.systemTime)
        maxResidentBytes = UInt64(report.maxResidentBytes ?? 0)
        standardErrorTail = report.stderrTail
        standardOutputBytes = UInt64(report.stdoutBytes)
        standardErrorBytes = UInt64(report.stderrBytes)
    }
}

extension CohortCore.CallEnd {
    fileprivate init(_ result: CallResult) {
        switch result {
        case .ok(let value): self = .returned(value)
        case .error(let failure):
            self = .threw(type: failure.type, message: failure.message, trace: failure.trace, tree: failure.tree)
        case .cancelled(let started, let forced):
            self = forced ? .died(exitCode: nil, signal: 9, forced: true) : .cancelled(started: started)
        case .lost(let status, let forced):
            switch status {
            case .exited(let code): self = .died(exitCode: code, signal: nil, forced: forced)
            case .signalled(let signal, _): self = .died(exitCode: nil, signal: signal, forced: forced)
            }
        }
    }
}
