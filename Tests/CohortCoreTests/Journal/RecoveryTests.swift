internal import CohortCore
internal import Testing

/// A coordinator that dies, and one that goes on with its journal.
@Suite struct RecoveryTests {
    @Test func aDetachedGroupGoesOn() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1, payloads: ["a", "b", "c"])
        script.seal(client, 1)
        script.start("g1/0")
        script.finish("g1/0", value: "x")
        script.start("g1/1")
        let held = script.held("g1/1").ref
        script.settle()
        script.restart()
        // Nobody has come back, so nothing is given out and nothing is lost.
        script.expectNothing()
        script.worker(token: 7, held: [HeldAttempt(ref: held, state: .running)])
        script.expect("w2 welcome back")
        script.finishAs("g1/1", at: SessionID(1_002), value: "y")
        script.expect("w2 assign g1/2 'c'")
        script.finish("g1/2")
        script.settle()
        let watcher = script.client()
        script.send(.watched(watcher, .name("group-1")))
        #expect(
            script.take(containing: "ended") == ["c2 ended g1/0 ok 'x'", "c2 ended g1/1 ok 'y'", "c2 ended g1/2 ok"]
        )
    }

    @Test func whatWasNeverStartedIsQueuedInTheOrderOfSpawning() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 1, payloads: ["1"])
        script.submit(client, 2, payloads: ["2"])
        script.submit(client, 1, payloads: ["3"])
        script.restart()
        script.client(token: 1)
        script.settle()
        script.worker(slots: 3)
        script.expect("w1 assign g1/0 '1'", "w1 assign g2/0 '2'", "w1 assign g1/1 '3'")
    }

    @Test func attemptNumbersDoNotComeTwice() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(slots: 2, token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1, count: 2)
        script.seal(client, 1)
        let first = script.held("g1/0").ref
        script.finish("g1/0")
        script.settle()
        script.restart()
        let worker = script.worker(slots: 2, token: 7)
        // It never got task 1, so that comes again under a new number.
        script.expect("w2 welcome back", "w2 assign g1/1 #2")
        script.send(CoreScript.finished(.init(worker: worker, ref: first)))
        script.expectNothing()
        // A new task does not get the reference of one that has ended.
        let other = script.client()
        script.open(other, 1)
        script.submit(other, 1)
        #expect(script.held("g2/0").ref != first)
    }

    @Test func anAttachedGroupWaitsForItsClient() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.worker(token: 7)
        script.start("g1/0")
        let held = script.held("g1/0").ref
        script.settle()
        script.restart()
        script.worker(token: 7, held: [HeldAttempt(ref: held, state: .running)])
        script.finishAs("g1/0", at: SessionID(1_002), value: "v")
        // The next one does not start while nobody is there who would stop it by leaving.
        script.expect("w2 welcome back")
        let back = script.client(token: 1)
        script.expect(
            "c2 welcome back",
            "w2 assign g1/1",
            "c2 opened g1",
            "c2 ended g1/0 ok 'v'"
        )
        script.finish("g1/1")
        script.expect("c2 ended g1/1 ok")
        script.seal(back, 1)
        script.expect("w2 forget 1", "c2 closed g1 ok")
    }

    @Test func anAttachedGroupEndsWithTheLeaseOfItsClient() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        let held = script.held("g1/0").ref
        script.settle()
        script.restart()
        script.worker(token: 7, held: [HeldAttempt(ref: held, state: .running)])
        script.advance(by: .milliseconds(9_999))
        script.expect("w2 welcome back")
        script.advance(by: .milliseconds(1))
        script.expect("w2 cancel g1/0 ownerLost grace 0.25")
    }

    @Test func aClientThatCannotComeBackIsGone() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.start("g1/0")
        let held = script.held("g1/0").ref
        script.settle()
        script.restart()
        script.worker(token: 7, held: [HeldAttempt(ref: held, state: .running)])
        script.expect("w2 welcome back", "w2 cancel g1/0 ownerLost grace 0.25")
        script.finishAs("g1/0", at: SessionID(1_002), .cancelled)
        script.expect("w2 forget 1")
        #expect(script.journal.groups.isEmpty && script.journal.ends.isEmpty && script.journal.closings.isEmpty)
    }

    @Test func aShieldedTaskEndsWithItsClientThoughItsGroupWasCancelledBefore() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1, grace: .milliseconds(200))
        script.submit(client, 1, TaskTemplate(name: "task", shield: true))
        script.seal(client, 1)
        script.start("g1/0")
        script.cancel(client, 1)
        let held = script.held("g1/0").ref
        script.settle()
        script.restart()
        script.worker(token: 7, held: [HeldAttempt(ref: held, state: .running)])
        script.expect("w2 welcome back", "w2 cancel g1/0 ownerLost grace 0.2")
    }

    @Test func whatHasLostItsClientMayCleanUp() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        script.send(.sessionEnded(client, .goodbye))
        let cleanup = script.held("g1/0")
        script.settle()
        script.restart()
        script.worker(token: 7, held: [HeldAttempt(ref: cleanup.ref, state: .running)])
        // With the grace of its own group still, not that of a client that is lost.
        script.expect("w2 welcome back", "w2 cancel g1/0 ownerLost")
    }

    @Test func cancelsAreSentAgain() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(slots: 2, token: 7)
        script.open(client, 1, detached: true, acceptsSiblings: false)
        script.submit(client, 1, count: 2)
        script.seal(client, 1)
        script.start("g1/0", "g1/1")
        script.cancelTask(client, 1, 0)
        script.acknowledgeCancel("g1/0")
        let held = ["g1/0", "g1/1"].map { HeldAttempt(ref: script.held($0).ref, state: .running) }
        script.settle()
        script.restart()
        script.worker(slots: 2, token: 7, held: held)
        script.expect("w2 welcome back", "w2 cancel g1/0 requested")
    }

    @Test func deadlinesTimeoutsAndRetriesFallDueAsTheyWould() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.worker(slots: 3, token: 7)
        script.open(client, 1, policy: .continue, timeout: .seconds(8), detached: true)
        script.submit(client, 1, TaskTemplate(name: "slow", timeout: .seconds(4)))
        script.submit(client, 1, TaskTemplate(name: "again", retries: 1, backoff: .seconds(5)))
        script.submit(client, 1)
        script.seal(client, 1)
        script.start("g1/0", "g1/1", "g1/2")
        script.finish("g1/1", .failed, error: "A")
        let held = ["g1/0", "g1/2"].map { HeldAttempt(ref: script.held($0).ref, state: .running) }
        script.settle()
        script.restart(after: .seconds(3))
        script.worker(slots: 3, token: 7, held: held)
        script.expect("w2 welcome back")
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w2 cancel g1/0 taskTimeout")
        script.report(from: SessionID(1_002)) { $0.cancelsSeen = [held[0].ref] }
        script.advance(by: .seconds(1))
        script.expect("w2 assign g1/1 #2")
        script.finishAs("g1/0", at: SessionID(1_002), .cancelled)
        script.advance(by: .seconds(3))
        script.expect("w2 cancel g1/1 deadline", "w2 cancel g1/2 deadline")
    }

    @Test func waitingTasksGoOnWaiting() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let host = script.client(token: 2)
        script.worker(slots: 1, token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1)
        script.start("g1/0")
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.wait("g1/0")
        let held = ["g1/0", "g2/0"].map { script.held($0).ref }
        script.settle()
        script.restart()
        script.client(token: 1)
        let back = script.client(token: 2)
        script.worker(
            slots: 1,
            token: 7,
            held: [HeldAttempt(ref: held[0], state: .wanting), HeldAttempt(ref: held[1], state: .ended)]
        )
        script.expect(
            "c3 welcome back",
            "c3 opened g1",
            "c4 welcome back",
            "c4 opened g2",
            "w2 welcome back",
            "w2 proceed g1/0"
        )
        script.finishAs("g2/0", at: SessionID(1_002))
        script.seal(back, 1)
        script.expect("c4 ended g2/0 ok", "w2 forget 1", "c4 closed g2 ok")
    }

    @Test func requestsThatAreSentAgainHaveTheirEffectOnce() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1)
        let submission = script.submission(client, 1, count: 1)
        script.send(submission)
        script.seal(client, 1)
        script.finish("g1/0", value: "v")
        script.settle()
        script.restart()
        script.worker(token: 7)
        let back = script.client(token: 1)
        script.expect(
            "w2 welcome back",
            "c2 welcome back",
            "c2 opened g1",
            "c2 ended g1/0 ok 'v'",
            "c2 closed g1 ok"
        )
        guard case .tasksSubmitted(_, let tasks) = submission else { return }
        script.send(
            .groupOpened(back, GroupSpec(key: GroupKey(1), name: "group-1")),
            .tasksSubmitted(back, tasks),
            .groupSealed(back, GroupKey(1), .returned)
        )
        // Nothing but its number: it has closed, and does not run again.
        script.expect("c2 opened g1")
        script.open(back, 2)
        script.expect("c2 opened g2")
    }

    @Test func tasksThatTasksHaveAddedKeepTheirNumbers() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let client = script.client(token: 1)
        let host = script.client(token: 2)
        script.worker(slots: 4, token: 7)
        script.open(client, 1, acceptsSiblings: true)
        script.submit(client, 1)
        script.start("g1/0")
        script.send(.siblingsJoined(host, GroupKey(5), script.held("g1/0").ref))
        script.submit(host, 5, TaskTemplate(name: "added"), count: 2)
        script.submit(client, 1)
        script.finish("g1/1", value: "v")
        let held = ["g1/0", "g1/2", "g1/3"].map { HeldAttempt(ref: script.held($0).ref, state: .running) }
        script.settle()
        script.restart()
        script.worker(slots: 4, token: 7, held: held)
        script.client(token: 1)
        let back = script.client(token: 2)
        script.expect(
            "w2 welcome back",
            "c3 welcome back",
            "c3 opened g1",
            "c3 name g1/1 added",
            "c3 name g1/2 added",
            "c3 accepted key 1: 1 from 0",
            "c3 accepted key 1: 1 from 3",
            "c3 ended g1/1 ok 'v'",
            "c4 welcome back",
            "c4 opened g1",
            "c4 accepted key 5: 2 from 1",
            "c4 ended g1/1 ok 'v'"
        )
        script.finishAs("g1/2", at: SessionID(1_002))
        script.expect("c3 ended g1/2 ok", "c4 ended g1/2 ok")
        script.send(.siblingsJoined(back, GroupKey(5), held[0].ref))
        script.expect("c4 opened g1")
    }

    @Test func aTreeThatHasClosedIsStillKnown() {
        var limits = Limits()
        limits.retainedFor = .seconds(60)
        var script = CoreScript(limits: limits, keepsJournal: true)
        let client = script.client()
        script.worker()
        script.open(client, 1, detached: true)
        script.submit(client, 1)
        script.seal(client, 1)
        script.finish("g1/0")
        script.restart(after: .seconds(30))
        #expect(script.core.snapshot(at: script.now)?.groups.map(\.outcome) == [.ok])
        script.advance(by: .seconds(30))
        #expect(script.core.snapshot(at: script.now)?.groups.isEmpty == true)
        #expect(script.journal.groups.isEmpty && script.journal.ends.isEmpty && script.journal.closings.isEmpty)
    }

    @Test func aSmallerLimitHoldsForWhatWasKeptBefore() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        for key: UInt32 in 1...3 {
            script.open(client, key, detached: true)
            script.seal(client, key)
        }
        var limits = Limits()
        limits.retainedGroups = 1
        var journal = script.journal
        var core = CoordinatorCore(recovering: journal, limits: limits, at: script.now)
        var actions: [CoordinatorAction] = []
        core.flush(at: script.now, into: &actions)
        for case .record(let batch) in actions { journal.apply(batch) }
        #expect(core.snapshot(at: script.now)?.groups.map(\.group) == [GroupID(3)])
        #expect(journal.groups.keys.sorted() == [GroupID(3)])
    }

    @Test func whatAnAttachedTreeHasComeToIsToldToOthersToo() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.open(client, 1)
        script.seal(client, 1)
        script.settle()
        let watcher = script.client()
        script.send(.watched(watcher, .id(GroupID(1))))
        script.expect("c2 group g1 ok", "c2 closed g1 ok", "c2 caught up g1")
    }

    @Test func aDeadWorkerIsBlamedThoughItHasNoSession() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(slots: 2, token: 7)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, count: 2)
        script.start("g1/0")
        let begun = script.held("g1/0").ref
        script.settle()
        script.restart()
        script.client(token: 1)
        script.settle()
        script.send(.workerDied(PeerToken(7), WorkerDeath(signal: 9, begun: [begun])))
        script.expect("s0 lost: 1 running, 1 returned", "c2 ended g1/0 lost WorkerLost")
        script.worker()
        script.expect("w2 assign g1/1 #2")
    }

    @Test func everyLifeNumbersWorkersAndGroupsOn() {
        var script = CoreScript(keepsJournal: true)
        script.worker(token: 7)
        let client = script.client(token: 1)
        script.open(client, 1)
        script.settle()
        for life in 2...4 {
            script.restart()
            script.worker(token: 7)
            let client = script.client(token: 1)
            script.settle()
            script.open(client, UInt32(life))
            script.expect("c\(life) opened g\(life)")
        }
        #expect(script.core.snapshot(at: script.now)?.workers.map(\.number) == [1])
    }
}
