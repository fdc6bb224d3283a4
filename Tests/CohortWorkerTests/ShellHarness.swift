internal import CohortCore
internal import CohortRuntime
internal import CohortWire
internal import Dispatch
internal import Glibc
internal import Synchronization
internal import Testing
internal import ZeroMQ

@testable internal import CohortWorker

/// A worker's shell on a loop of its own, with executors that do what a test says, and its coordinator.
final class ShellHarness {
    let coordinator: ScriptedCoordinator
    let record: AttemptRecord
    private let descriptor: Int32
    private let directory = TestDirectory()
    private let loop: LoopThread
    private let made = Shared<[ScriptedExecutors]>([])
    private let told = Shared<[WorkerNotice]>([])

    init(slots: Int = 4, withRecord: Bool = true, lease: TimeSpan = .seconds(60)) throws {
        let endpoint = "ipc://\(directory.path("socket"))"
        coordinator = try ScriptedCoordinator(at: endpoint)
        let (record, descriptor) = try AttemptRecord.make()
        self.record = record
        self.descriptor = descriptor
        var configuration = WorkerConfiguration(
            endpoint: endpoint,
            name: "shell",
            slots: slots,
            functions: FunctionRegistry()
        )
        if withRecord { configuration.record = (record, descriptor) }
        let final = configuration
        loop = try LoopThread.start(name: "worker") { [made, told] loop in
            try WorkerShell(
                final,
                loop: loop,
                makeExecutors: { _, deliver in
                    let executors = ScriptedExecutors(deliver)
                    made.value.withLock { $0.append(executors) }
                    return executors
                },
                notify: { [told] notice in told.value.withLock { $0.append(notice) } }
            )
        }
        try coordinator.welcome(lease: lease)
        try waitUntilOpen()
    }

    deinit {
        loop.stop()
        close(descriptor)
    }

    /// The present executors.
    var executors: ScriptedExecutors { made.value.withLock { $0[$0.count - 1] } }

    /// Why sessions were lost so far, for people.
    var losses: [String] {
        told.value.withLock { told in
            told.compactMap { if case .reconnecting(let explanation) = $0 { explanation } else { nil } }
        }
    }

    /// Whether it has said that it has drained.
    var hasDrained: Bool { told.value.withLock { $0.contains(.drained) } }

    /// Runs something on the loop's thread, in one piece, and returns when that is done.
    func onLoop<Result: Sendable>(_ body: @escaping @Sendable (WorkerShell) throws -> Result) throws -> Result {
        let done = DispatchSemaphore(value: 0)
        let result = Shared<Swift.Result<Result, any Error>?>(nil)
        loop.perform { handler in
            if let shell = handler as? WorkerShell {
                let outcome = Swift.Result { try body(shell) }
                result.value.withLock { $0 = outcome }
            }
            done.signal()
        }
        done.wait()
        return try #require(result.value.withLock { $0 }).get()
    }

    /// Has the loop do nothing for so long, as a process does that is stopped; returns when that has begun.
    ///
    /// - Parameter queue: gives the loop what it finds when it goes on, in the same turn.
    func freeze(for span: Duration, behind queue: () -> Void = {}) {
        let (held, queued, begun) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        // A turn takes all that came before it: both are there before it begins.
        loop.perform { _ in
            held.signal()
            queued.wait()
        }
        held.wait()
        loop.perform { _ in
            begun.signal()
            usleep(UInt32(span / .microseconds(1)))
        }
        queue()
        queued.signal()
        begun.wait()
    }

    /// Waits until the worker has a session.
    func waitUntilOpen() throws { try wait { $0.connection?.isOpen == true } }

    /// Waits until the worker has said that it has drained.
    func waitUntilDrained() throws {
        let told = told
        try wait { _ in told.value.withLock { $0.contains(.drained) } }
    }

    /// Looks until something is so on the loop's thread.
    func wait(until isReached: @escaping @Sendable (WorkerShell) -> Bool) throws {
        let end = ContinuousClock.now + .seconds(60)
        while try !onLoop(isReached) {
            try #require(ContinuousClock.now < end, "it does not come to it")
            usleep(1_000)
        }
    }

    /// Has the coordinator hand out attempts, and waits until they have been given to the executors.
    func assign(_ refs: [AttemptRef]) throws {
        try coordinator.send(.assign(ScriptedCoordinator.batch(refs)))
        let executors = executors
        let tasks = Set(refs.map(\.task))
        try wait { _ in tasks.isSubset(of: executors.tasks) }
    }
}

/// Executors that run nothing: what is handed to them is kept, and a test says what came of it.
final class ScriptedExecutors: TaskExecutors {
    private struct State {
        var places: [TaskKey: UInt32] = [:]
        var lastWords: [WorkerEvent] = []
    }

    private let state = Mutex(State())
    /// Tells the shell what has happened, as from a thread of theirs.
    let deliver: @Sendable ([WorkerEvent]) -> Void

    init(_ deliver: @escaping @Sendable ([WorkerEvent]) -> Void) { self.deliver = deliver }

    /// What was handed over.
    var tasks: Set<TaskKey> { state.withLock { Set($0.places.keys) } }

    /// Where a task stands in the record of attempts.
    func place(of task: TaskKey) -> UInt32 { state.withLock { $0.places[task] ?? AttemptRecord.noEntry } }

    /// What is told when all is stopped.
    func setLastWords(_ events: [WorkerEvent]) { state.withLock { $0.lastWords = events } }

    func run(_ order: WorkOrder, place: UInt32) -> WorkerEvent? {
        state.withLock { $0.places[order.task] = place }
        return nil
    }

    func run(_ orders: [CallOrder]) {
        state.withLock { state in
            for call in orders { state.places[call.order.task] = call.place }
        }
    }

    func stop() { deliver(state.withLock { $0.lastWords }) }

    func cancel(_ task: TaskKey, isCall: Bool, grace: TimeSpan, reason: String) {}
    func kill(_ task: TaskKey, isCall: Bool) {}
    func grant(_ task: TaskKey, isCall: Bool, bytes: UInt64) {}
    func proceed(_ task: TaskKey) {}
    func retract(_ tasks: [TaskKey]) {}
}

/// A value that closures on several threads share.
final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) { self.value = Mutex(value) }
}
