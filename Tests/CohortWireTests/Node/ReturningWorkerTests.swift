internal import CohortCore
internal import CohortWire
internal import Testing

/// A worker whose session is continued while calls of its wait for groups of their own.
@Suite("A worker that comes back with calls that wait")
struct ReturningWorkerTests {
    private var pair = NodePair(isDurable: true)

    /// A client with one task, which a worker has begun.
    private mutating func begin() throws -> (client: Int, worker: Int, task: AttemptRef) {
        let client = pair.add(NodePair.client())
        let worker = pair.add(NodePair.worker(slots: 1))
        pair.run()
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        let submission = TaskSubmission(
            group: GroupKey(1),
            first: 0,
            templates: [TaskTemplate(name: "t")],
            runs: [TaskRun(template: 0, lengths: [0])]
        )
        pair.peers[client].send(.submit(submission))
        pair.run()
        var refs: [AttemptRef] = []
        for case .received(.assign(let batch)) in pair.takeInbox(worker) { refs += batch.tasks.map(\.ref) }
        let task = try #require(refs.first)
        report(worker) { $0.started = [task] }
        pair.run()
        return (client, worker, task)
    }

    private mutating func report(_ worker: Int, _ fill: (inout WorkerReport) -> Void) {
        var report = WorkerReport()
        fill(&report)
        pair.peers[worker].send(.report(report))
    }

    private mutating func takeProceeds(_ worker: Int) -> [AttemptRef] {
        pair.takeInbox(worker).flatMap { notice -> [AttemptRef] in
            if case .received(.proceed(let refs)) = notice { refs } else { [] }
        }
    }

    /// The reports of the first wait come to nobody, and the greeting says how it stands.
    @Test("is let go on once for each wait", arguments: [false, true])
    mutating func oneProceed(isKilled: Bool) throws {
        let (client, worker, task) = try begin()
        pair.cut = [worker]
        report(worker) { $0.waiting = [task] }
        report(worker) { $0.wanting = [task] }
        pair.run()
        pair.cut = []
        if isKilled {
            pair.restart()
            pair.pass(.seconds(1))
            pair.resume(client)
        }
        _ = pair.takeInbox(worker)
        let count = pair.peers[worker].unacknowledgedCount
        pair.resume(worker, held: [HeldAttempt(ref: task, state: .wanting)])
        // By the number of its messages the worker knows which ends have been reported.
        #expect(pair.peers[worker].unacknowledgedCount == count)
        pair.pass(.seconds(1), step: .milliseconds(10))
        #expect(takeProceeds(worker) == [task])
        // It waits for a second time, and the coordinator knows.
        report(worker) { $0.waiting = [task] }
        pair.pass(.seconds(1), step: .milliseconds(10))
        #expect(takeProceeds(worker).isEmpty)
        report(worker) { $0.wanting = [task] }
        pair.pass(.seconds(1), step: .milliseconds(10))
        #expect(takeProceeds(worker) == [task])
        #expect(pair.coordinator.core.checkInvariants() == [])
    }

    /// What it reports after its greeting is news.
    @Test("is heard when it wants to go on before it is welcome")
    mutating func wantsMeanwhile() throws {
        let (_, worker, task) = try begin()
        pair.cut = [worker]
        report(worker) { $0.waiting = [task] }
        pair.run()
        pair.resume(worker, held: [HeldAttempt(ref: task, state: .waiting)])
        report(worker) { $0.wanting = [task] }
        _ = pair.takeInbox(worker)
        pair.cut = []
        pair.pass(.seconds(1), step: .milliseconds(10))
        #expect(takeProceeds(worker) == [task])
    }
}
