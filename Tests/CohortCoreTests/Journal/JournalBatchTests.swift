internal import CohortCore
internal import Testing

/// What a coordinator tells its journal.
@Suite struct JournalBatchTests {
    @Test func withoutAJournalNothingIsTold() {
        var script = CoreScript()
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1)
        script.finish("g1/0")
        #expect(batches(&script).isEmpty)
    }

    @Test func oneBatchComesBeforeEverythingElseOfItsFlush() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1)
        script.settle()
        script.send(script.submission(client, 1, count: 3), .groupSealed(client, GroupKey(1), .returned))
        guard case .record(let batch) = script.actions.first else {
            Issue.record("no record comes first: \(script.actions)")
            return
        }
        #expect(batches(&script).count == 1)
        #expect(batch.submissions.map(\.first) == [0])
        #expect(batch.tasks.map(\.state) == [.assigned])
        #expect(batch.groups.map(\.sealed) == [true])
    }

    @Test func whatHasNotChangedIsNotTold() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let worker = script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        script.settle()
        script.send(.heard(worker), .heard(client), .queried(client), .watched(client, .key(GroupKey(1))))
        script.advance(by: .seconds(5))
        #expect(batches(&script).isEmpty)
    }

    @Test func whatComesAndGoesBetweenTwoFlushesLeavesNoRows() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client()
        script.settle()
        script.send(
            .groupOpened(client, GroupSpec(key: GroupKey(1), name: "brief")),
            .tasksSubmitted(
                client,
                TaskSubmission(
                    group: GroupKey(1),
                    first: 0,
                    templates: [TaskTemplate(name: "never", timeout: .zero)],
                    runs: [TaskRun(template: 0, lengths: [0])]
                )
            ),
            .groupSealed(client, GroupKey(1), .returned)
        )
        #expect(script.trace.lines.contains("c1 closed g1 errors (siblingFailed)"))
        #expect(script.journal.groups.isEmpty && script.journal.submissions.isEmpty && script.journal.tasks.isEmpty)
        #expect(script.journal.ends.isEmpty && script.journal.closings.isEmpty)
    }

    @Test func ofAClosedGroupOnlyWhatIsToldLaterIsKept() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker()
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 1, payloads: ["a"])
        script.submit(client, 2, payloads: ["b"])
        script.seal(client, 2)
        script.finish("g1/0")
        script.finish("g2/0", value: "v")
        #expect(script.journal.groups.keys.sorted() == [GroupID(1)])
        #expect(script.journal.submissions.keys.sorted() == [GroupID(1)])
        #expect(script.journal.tasks.isEmpty)
        script.seal(client, 1)
        #expect(script.journal.submissions.isEmpty)
        #expect(script.journal.ends[GroupID(1)]?.map(\.sequence) == [0, 1])
        #expect(script.journal.closings[GroupID(1)]?.map(\.report.group) == [GroupID(2), GroupID(1)])
    }

    @Test func aClientsClosedTreesGoWithIt() {
        var limits = Limits()
        limits.retainedForClient = 2
        var script = CoreScript(limits: limits, keepsJournal: true)
        let client = script.client(token: 1)
        for key: UInt32 in 1...4 {
            script.open(client, key)
            script.seal(client, key)
        }
        #expect(script.journal.groups.keys.sorted() == [GroupID(3), GroupID(4)])
        #expect(script.journal.clients[PeerToken(1)]?.keys == [1...4])
        script.lose(client, .goodbye)
        #expect(script.journal.groups.isEmpty && script.journal.closings.isEmpty && script.journal.clients.isEmpty)
    }

    /// What it has been told may have been lost with the coordinator: it must be told again until it has it.
    @Test func aClosedTreeIsKeptUntilItsOwnerHasItsEnd() {
        var limits = Limits()
        limits.retainedForClient = 0
        var script = CoreScript(limits: limits, keepsJournal: true)
        script.delivers = false
        var client = script.client(token: 1)
        for key: UInt32 in 1...2 {
            script.open(client, key)
            script.seal(client, key)
        }
        script.settle()
        script.restart()
        script.delivers = true
        client = script.client(token: 1)
        #expect(script.take(containing: "closed") == ["c2 closed g1 ok", "c2 closed g2 ok"])
        #expect(script.journal.groups.isEmpty && script.journal.closings.isEmpty)
        script.restart()
        script.client(token: 1)
        script.expect("c3 welcome back")
    }

    @Test func aClosedTreeIsKeptAsFarAsItsOwnerLacksIt() {
        var limits = Limits()
        limits.retainedForClient = 0
        var script = CoreScript(limits: limits, keepsJournal: true)
        script.delivers = false
        let client = script.client(token: 1)
        for key: UInt32 in 1...3 {
            script.open(client, key)
            script.seal(client, key)
        }
        // Each group has been opened and closed with an update of its own.
        script.send(.updatesReceived(client, 3))
        #expect(script.journal.groups.keys.sorted() == [GroupID(2), GroupID(3)])
        script.send(.updatesReceived(client, 4))
        #expect(script.journal.groups.keys.sorted() == [GroupID(3)])
        // It cannot have more than it was sent.
        script.send(.updatesReceived(client, 5))
        #expect(script.journal.groups.keys.sorted() == [GroupID(3)])
        script.send(.updatesReceived(client, .max))
        #expect(script.journal.groups.isEmpty)
    }

    /// It goes along with the next batch: a coordinator that has lost it tells what has been told once more.
    @Test func whatHasComeToAClientMakesNoBatch() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let client = script.client(token: 1)
        script.worker(slots: 2, token: 7)
        script.open(client, 1)
        script.submit(client, 1, count: 3)
        script.finish("g1/0")
        script.finish("g1/1")
        script.settle()
        script.send(.updatesReceived(client, .max))
        #expect(batches(&script).isEmpty)
        #expect(script.journal.groups[GroupID(1)]?.receivedUpTo == 0)
        script.send(.heard(client))
        #expect(batches(&script).isEmpty)
        script.finish("g1/2")
        #expect(batches(&script).count == 1)
        #expect(script.journal.groups[GroupID(1)]?.receivedUpTo == 2)
    }

    /// It may be long, and the task's row is written with each step of the next attempt.
    @Test func howAnAttemptHasFailedIsWrittenOnce() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "task", retries: 1))
        script.settle()
        script.start("g1/0")
        script.finish("g1/0", .failed, error: "no")
        script.start("g1/0")
        let (written, steps) = (batches(&script).map(\.failures.count), batches(&script).map(\.tasks.count))
        #expect(written.reduce(0, +) == 1)
        #expect(steps.reduce(0, +) > 2)
        #expect(script.journal.failures[GroupID(1)]?[0]?.detail.type == "no")
        script.finish("g1/0")
        #expect(script.journal.failures.isEmpty)
    }

    @Test func aBatchMayBeAppliedTwice() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(slots: 2, token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1, count: 3)
        script.seal(client, 1)
        script.finish("g1/0")
        script.finish("g1/1")
        script.finish("g1/2")
        var once = JournalState()
        var twice = JournalState()
        for batch in batches(&script) {
            once.apply(batch)
            twice.apply(batch)
            twice.apply(batch)
            #expect(once == twice)
        }
        #expect(once == script.journal)
    }

    @Test func templatesComeWithTheirFirstTask() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.open(client, 1)
        script.settle()
        var submission = TaskSubmission(
            group: GroupKey(1),
            first: 0,
            templates: [TaskTemplate(name: "task")],
            runs: []
        )
        script.send(.tasksSubmitted(client, submission))
        script.expect("c1 refused invalid")
        // Nothing of it is known, before the coordinator dies as after that.
        script.restart()
        let back = script.client(token: 1)
        script.settle()
        submission.runs = [TaskRun(template: 0, lengths: [0])]
        script.send(.tasksSubmitted(back, submission))
        script.worker()
        script.expect("w1 assign g1/0")
    }

    @Test func namesOfWorkersAreKeptAsLongAsInMemory() {
        var limits = Limits()
        limits.departedWorkers = 1
        var script = CoreScript(limits: limits, keepsJournal: true)
        for _ in 1...3 { script.lose(script.worker(), .goodbye) }
        #expect(script.journal.workers.keys.sorted() == [3])
        #expect(script.journal.workers[3]?.departed == true)
    }

    private func batches(_ script: inout CoreScript) -> [JournalBatch] {
        script.actions.compactMap { action in
            if case .record(let batch) = action { batch } else { nil }
        }
    }
}
