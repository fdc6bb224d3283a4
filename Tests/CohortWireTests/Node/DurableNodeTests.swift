internal import CohortCore
internal import CohortWire
internal import Testing

/// A coordinator with a journal, and what its peers see of it.
@Suite("A durable coordinator's node")
struct DurableNodeTests {
    private var pair = NodePair(isDurable: true)

    private func opened(_ notices: [PeerNode.Notice]) -> [GroupKey] {
        notices.flatMap { notice -> [GroupKey] in
            if case .received(.update(let update)) = notice { update.opened.map(\.key) } else { [] }
        }
    }

    @Test("tells and acknowledges nothing before it is on disk")
    mutating func gate() {
        let client = pair.add(NodePair.client())
        pair.run()
        _ = pair.takeInbox(client)
        pair.diskWorks = false
        for key: UInt32 in 1...70 {
            pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(key), name: "g", detached: true)))
        }
        pair.run()
        // Time passes, heartbeats come and go, and nobody is lost.
        pair.pass(.seconds(15))
        #expect(pair.takeInbox(client).isEmpty)
        #expect(pair.peers[client].isOpen)
        #expect(pair.peers[client].unacknowledgedCount == 70)
        pair.diskWorks = true
        pair.pass(.seconds(1))
        #expect(opened(pair.takeInbox(client)).count == 70)
        pair.pass(.seconds(2))
        #expect(pair.peers[client].unacknowledgedCount == 0)
    }

    @Test("gives up nobody whose welcome waits for the disk")
    mutating func slowDisk() {
        pair.diskWorks = false
        let worker = pair.add(NodePair.worker())
        pair.pass(.seconds(15))
        #expect(!pair.peers[worker].isOpen)
        pair.diskWorks = true
        pair.pass(.seconds(2))
        guard case .opened(let acceptance)? = pair.takeInbox(worker).first else {
            Issue.record("not opened")
            return
        }
        #expect(!acceptance.resumed)
        #expect(pair.peers[worker].isOpen)
        #expect(pair.coordinator.peerCount == 1)
    }

    @Test("gives up nobody whose connection breaks for a moment while the welcome waits for the disk")
    mutating func brokenMeanwhile() {
        pair.diskWorks = false
        let worker = pair.add(NodePair.worker(2))
        let client = pair.add(NodePair.client())
        pair.pass(.seconds(2))
        for peer in [worker, client] { pair.coordinator.unreachable(route: pair.route(peer), at: pair.now) }
        pair.pass(.seconds(5))
        pair.diskWorks = true
        pair.pass(.seconds(2))
        for peer in [worker, client] {
            let losses = pair.takeInbox(peer).filter { if case .lost = $0 { true } else { false } }
            #expect(losses.isEmpty)
            #expect(pair.peers[peer].isOpen)
        }
        #expect(pair.coordinator.peerCount == 2)
    }

    @Test("says goodbye to one that it expels when what follows from that is on disk")
    mutating func expulsion() {
        let client = pair.add(NodePair.client())
        pair.run()
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        pair.run()
        _ = pair.takeInbox(client)
        pair.diskWorks = false
        let header = FrameHeader(epoch: 7, session: 1, sequence: 2, acknowledge: 0)
        let malformed = FrameCodec.encode(header, .query) + [[1]]
        for _ in 0..<2 { pair.coordinator.received(route: pair.route(client), frames: malformed, at: pair.now) }
        pair.run()
        // What it says in the meantime counts no more.
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(2), name: "late", detached: true)))
        pair.run()
        #expect(pair.takeInbox(client).isEmpty)
        #expect(pair.disk.clients.count == 1)
        pair.diskWorks = true
        pair.run()
        let reason = "its message 2 cannot be understood: a payload frame behind a message that has none"
        #expect(pair.takeInbox(client) == [.lost(.goodbye(reason))])
        #expect(pair.disk.clients.isEmpty)
        #expect(!pair.disk.groups.values.contains { $0.name == "late" })
        #expect(pair.coordinator.peerCount == 0)
    }

    @Test("is asked once for what was asked while it was away, by whoever wants to know")
    mutating func askedMeanwhile() {
        let client = pair.add(NodePair.client())
        pair.run()
        pair.restart()
        pair.pass(.seconds(1))
        _ = pair.takeInbox(client)
        pair.peers[client].send(.query)
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        pair.resume(client)
        pair.pass(.seconds(1), step: .milliseconds(10))
        let notices = pair.takeInbox(client)
        let isAnswered = notices.contains { notice in
            if case .received(.snapshot) = notice { true } else { false }
        }
        #expect(!isAnswered)
        #expect(opened(notices) == [GroupKey(1)])
    }

    @Test("has, after a crash, all that it has acknowledged, and gets all else again, once")
    mutating func crash() {
        let client = pair.add(NodePair.client())
        pair.run()
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "told", detached: true)))
        pair.run()
        pair.diskWorks = false
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(2), name: "untold", detached: true)))
        pair.run()
        #expect(opened(pair.takeInbox(client)) == [GroupKey(1)])
        pair.restart()
        pair.diskWorks = true
        pair.pass(.seconds(1))
        #expect(pair.takeInbox(client) == [.lost(.unknown("the session is not known here"))])
        pair.resume(client)
        pair.pass(.seconds(1), step: .milliseconds(10))
        let notices = pair.takeInbox(client)
        guard case .opened(let acceptance)? = notices.first else {
            Issue.record("not opened: \(notices)")
            return
        }
        #expect(acceptance.resumed)
        #expect(acceptance.durable)
        #expect(opened(notices) == [GroupKey(1), GroupKey(2)])
        #expect(pair.disk.groups.values.map(\.name).sorted() == ["told", "untold"])
    }

    @Test("tells the end of a group again that was on its way when it died, and forgets it when that has come")
    mutating func lostEnd() {
        var limits = Limits()
        limits.retainedForClient = 0
        pair = NodePair(limits: limits, isDurable: true)
        let client = pair.add(NodePair.client())
        pair.run()
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        pair.peers[client].send(.seal(GroupKey(1), .returned))
        for frames in pair.peers[client].outgoing {
            pair.coordinator.received(route: pair.route(client), frames: frames, at: pair.now)
        }
        pair.cut = [client]
        pair.run()
        #expect(pair.disk.closings.count == 1)
        pair.restart()
        pair.cut = []
        pair.pass(.seconds(1))
        _ = pair.takeInbox(client)
        pair.resume(client)
        pair.pass(.milliseconds(500), step: .milliseconds(10))
        var closed: [GroupReport] = []
        for case .received(.update(let update)) in pair.takeInbox(client) { closed += update.closed }
        #expect(closed.map(\.name) == ["g"])
        pair.pass(.seconds(2))
        #expect(pair.disk.closings.isEmpty && pair.disk.groups.isEmpty)
    }

    /// A refusal is told once. In this turn so much was told before it that it goes with a second message.
    @Test("acknowledges a request with the last message that follows from it")
    mutating func refusal() throws {
        let worker = pair.add(NodePair.worker(slots: 1))
        let client = pair.add(NodePair.client())
        pair.run()
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        let submission = TaskSubmission(
            group: GroupKey(1),
            first: 0,
            templates: [TaskTemplate(name: "t", output: .stream)],
            runs: [TaskRun(template: 0, lengths: [0])]
        )
        pair.peers[client].send(.submit(submission))
        pair.pass(.seconds(2))
        #expect(pair.peers[client].unacknowledgedCount == 0)
        var refs: [AttemptRef] = []
        for case .received(.assign(let batch)) in pair.takeInbox(worker) { refs += batch.tasks.map(\.ref) }
        let ref = try #require(refs.first)
        let length = UInt32(ClientOutbox.messageBytes)
        var report = WorkerReport()
        report.started = [ref]
        report.outputs = [OutputChunk(ref: ref, stream: .standardOutput, offset: 0, length: length)]
        report.payload = [UInt8](repeating: 1, count: Int(length))
        pair.peers[worker].send(.report(report))
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(2), name: "h", limit: 0)))
        for peer in [worker, client] {
            for frames in pair.peers[peer].outgoing {
                pair.coordinator.received(route: pair.route(peer), frames: frames, at: pair.now)
            }
            pair.peers[peer].outgoing.removeAll()
        }
        pair.coordinator.flush(at: pair.now)
        // By hand, so that the connection can break between the two.
        let ticket = try #require(pair.coordinator.journal.last?.ticket)
        pair.coordinator.committed(ticket)
        let messages = pair.coordinator.outgoing.filter { $0.route == pair.route(client) }
        pair.coordinator.outgoing.removeAll()
        #expect(messages.count == 2)
        _ = pair.takeInbox(client)
        pair.peers[client].received(frames: messages[0].frames, at: pair.now)
        #expect(pair.takeInbox(client).count == 1)
        pair.resume(client)
        pair.pass(.seconds(1), step: .milliseconds(10))
        var refusals: [Refusal] = []
        for case .received(.update(let update)) in pair.takeInbox(client) { refusals += update.refusals }
        #expect(refusals.map(\.key) == [GroupKey(2)])
    }

    @Test("lets a worker keep what it runs, and takes its report once")
    mutating func worker() throws {
        let client = pair.add(NodePair.client())
        let worker = pair.add(NodePair.worker(slots: 1))
        pair.run()
        _ = pair.takeInbox(client)
        _ = pair.takeInbox(worker)
        pair.peers[client].send(.openGroup(GroupSpec(key: GroupKey(1), name: "g")))
        let submission = TaskSubmission(
            group: GroupKey(1),
            first: 0,
            templates: [TaskTemplate(name: "t")],
            runs: [TaskRun(template: 0, lengths: [0])]
        )
        pair.peers[client].send(.submit(submission))
        pair.peers[client].send(.seal(GroupKey(1), .returned))
        pair.run()
        var refs: [AttemptRef] = []
        for case .received(.assign(let batch)) in pair.takeInbox(worker) { refs += batch.tasks.map(\.ref) }
        let ref = try #require(refs.first)
        #expect(refs.count == 1)
        pair.restart()
        pair.pass(.seconds(1))
        #expect(pair.takeInbox(worker).count == 1)
        // It ends while nobody is there to be told.
        var report = WorkerReport()
        report.started = [ref]
        report.finished = [FinishedAttempt(ref: ref, status: .ok, elapsed: .seconds(1))]
        pair.peers[worker].send(.report(report))
        let strange = AttemptRef(task: ref.task, attempt: ref.attempt + 1)
        pair.resume(
            worker,
            held: [HeldAttempt(ref: ref, state: .ended), HeldAttempt(ref: strange, state: .running)]
        )
        pair.resume(client)
        pair.pass(.seconds(1), step: .milliseconds(10))
        guard case .opened(let acceptance)? = pair.takeInbox(worker).first else {
            Issue.record("the worker has no session")
            return
        }
        #expect(acceptance.resumed)
        #expect(acceptance.unwanted == [strange])
        #expect(pair.disk.ends.values.joined().map(\.report.outcome) == [.ok])
        var outcomes: [TaskOutcome] = []
        let inbox = pair.takeInbox(client)
        for case .received(.update(let update)) in inbox { outcomes += update.reports.map(\.outcome) }
        #expect(outcomes == [.ok], "\(inbox)")
    }
}
