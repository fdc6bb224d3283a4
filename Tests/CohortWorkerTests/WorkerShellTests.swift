internal import CohortCore
internal import CohortWire
internal import Glibc
internal import Testing

@testable internal import CohortWorker

/// What a worker's shell tells its coordinator, at the moments between an event and the report of it.
@Suite(.timeLimit(.minutes(5)))
struct WorkerShellTests {
    private func ref(_ index: UInt32, attempt: UInt32 = 1) -> AttemptRef {
        AttemptRef(task: TaskKey(index: index, generation: 7), attempt: attempt)
    }

    private func end(_ ref: AttemptRef, exitCode: Int32? = nil, signal: Int32? = nil) -> WorkerEvent {
        var end = CommandEnd()
        end.exitCode = exitCode
        end.signal = signal
        end.forced = signal == SIGKILL
        return .commandEnded(ref.task, end)
    }

    /// All that is reported up to the goodbye.
    private func reports(
        _ coordinator: ScriptedCoordinator
    ) throws -> (started: Set<AttemptRef>, finished: Set<AttemptRef>) {
        var started: Set<AttemptRef> = []
        var finished: Set<AttemptRef> = []
        while true {
            switch try coordinator.next() {
            case .report(let report):
                started.formUnion(report.started)
                finished.formUnion(report.finished.map(\.ref))
            case .goodbye: return (started, finished)
            default: break
            }
        }
    }

    /// The coordinator takes whatever a goodbye leaves open for unstarted, and gives it to others.
    @Test(arguments: [true, false])
    func `before a goodbye stands what has begun`(withRecord: Bool) throws {
        let harness = try ShellHarness(withRecord: withRecord)
        let (ended, running, assigned) = (ref(1), ref(2), ref(3))
        try harness.assign([ended, running, assigned])
        let executors = harness.executors
        for begun in [ended, running] where withRecord { harness.record.begin(executors.place(of: begun.task)) }
        // The news of both come with the end of everything only.
        executors.setLastWords([
            .attemptStarted(ended.task), end(ended, exitCode: 0), end(running, signal: SIGKILL),
        ])
        try harness.onLoop { $0.leave(reason: "the worker was stopped") }
        let (started, finished) = try reports(harness.coordinator)
        #expect(finished == [ended])
        // Where nothing was recorded nobody can say that the third has not begun.
        #expect(started.union(finished) == (withRecord ? [ended, running] : [ended, running, assigned]))
    }

    /// What is not acknowledged goes with the process that leaves.
    @Test func `a drained worker leaves when its last report is acknowledged`() throws {
        let harness = try ShellHarness()
        let task = ref(1)
        try harness.assign([task])
        try harness.onLoop { $0.drain() }
        harness.executors.deliver([.attemptStarted(task.task), end(task, exitCode: 0)])
        #expect(try harness.coordinator.next() == .draining)
        guard case .report(let report) = try harness.coordinator.next() else {
            Issue.record("no report comes")
            return
        }
        #expect(report.finished.map(\.ref) == [task])
        // The turn of that has ended.
        try harness.onLoop { _ in }
        #expect(!harness.hasDrained)
        try harness.coordinator.send(.heartbeat(last: 1))
        try harness.waitUntilDrained()
    }

    @Test func `a drained worker that has nothing to tell leaves at once`() throws {
        let harness = try ShellHarness()
        try harness.onLoop { $0.drain() }
        try harness.waitUntilDrained()
    }

    @Test func `what is left over from before a break starts nothing`() throws {
        let harness = try ShellHarness()
        try harness.onLoop { shell in
            guard let connection = shell.connection else { return }
            shell.connectionBroken(connection)
        }
        try harness.coordinator.send(.assign(ScriptedCoordinator.batch([ref(1)])))
        try harness.wait { !$0.core.held.isEmpty }
        #expect(try harness.onLoop { $0.core.held.map(\.state) } == [.unstarted])
        #expect(harness.executors.tasks.isEmpty)
        // There is a way again, by which nothing has come yet.
        try harness.onLoop { shell in
            guard let connection = shell.connection else { return }
            shell.connectionRestored(connection)
        }
        // The turn of that has ended, and has started whatever it would.
        try harness.onLoop { _ in }
        #expect(harness.executors.tasks.isEmpty)
        try harness.coordinator.send(.heartbeat(last: 1))
        let executors = harness.executors
        try harness.wait { _ in !executors.tasks.isEmpty }
    }

    @Test func `what has waited while the worker was stopped starts nothing`() throws {
        let harness = try ShellHarness(lease: Self.lease)
        let (running, waiting) = (ref(1), ref(2))
        try harness.assign([running])
        let coordinator = harness.coordinator
        harness.freeze(for: Self.longerThanLease)
        try coordinator.send(.assign(ScriptedCoordinator.batch([waiting])))
        let (greeting, offer) = try coordinator.welcome()
        #expect(greeting.request.previous == 1)
        #expect(offer.held.map(\.ref) == [running])
        try harness.waitUntilOpen()
        #expect(harness.executors.tasks == [running.task])
        #expect(harness.losses.count == 1 && harness.losses.allSatisfy(Self.isSleep))
    }

    /// The end of one task makes room for the next, which may have been given to another worker by then.
    @Test func `what has waited inside a worker that was stopped starts nothing`() throws {
        let harness = try ShellHarness(slots: 1, lease: Self.lease)
        let (running, waiting) = (ref(1), ref(2))
        try harness.assign([running])
        try harness.coordinator.send(.assign(ScriptedCoordinator.batch([waiting])))
        try harness.wait { $0.core.held.count == 2 }
        let end = end(running, exitCode: 0)
        let executors = harness.executors
        harness.freeze(for: Self.longerThanLease) { executors.deliver([end]) }
        let (greeting, offer) = try harness.coordinator.welcome(unwanted: [waiting])
        #expect(greeting.request.previous == 1)
        #expect(offer.held.first { $0.ref == waiting }?.state == .unstarted)
        try harness.waitUntilOpen()
        #expect(harness.executors.tasks == [running.task])
        #expect(harness.losses.count == 1 && harness.losses.allSatisfy(Self.isSleep))
    }

    /// Long enough for what comes before the sleep, on a machine with much to do.
    private static let lease = TimeSpan.seconds(3)
    private static let longerThanLease = Duration.milliseconds(3_300)

    private static func isSleep(_ explanation: String) -> Bool { explanation.hasPrefix("this process was stopped") }

    @Test func `what is told of an earlier life is not taken for news of this one`() throws {
        let harness = try ShellHarness()
        let (earlier, later) = (ref(1, attempt: 1), ref(1, attempt: 2))
        try harness.assign([earlier])
        let former = harness.executors
        former.setLastWords([end(earlier, signal: SIGKILL)])
        let end = end(earlier, exitCode: 3)
        try harness.onLoop { shell in
            // On its way to the loop when that forgets everything.
            former.deliver([.attemptStarted(earlier.task)])
            try shell.forgetEverything()
            guard let connection = shell.connection else { return }
            shell.connection(connection, received: .assign(ScriptedCoordinator.batch([later])))
            shell.performAll()
            // And one that comes even later.
            former.deliver([end])
        }
        #expect(try harness.onLoop { $0.core.held.map(\.state) } == [.unstarted])
        harness.executors.deliver([.attemptStarted(later.task), self.end(later, exitCode: 7)])
        guard case .report(let report) = try harness.coordinator.next() else {
            Issue.record("no report comes first")
            return
        }
        #expect(report.finished.map(\.ref) == [later])
        #expect(report.details.map(\.exitCode) == [7])
    }
}
