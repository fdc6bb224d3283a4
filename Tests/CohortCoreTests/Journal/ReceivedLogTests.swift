internal import Testing

@testable internal import CohortCore

/// What is kept, with a journal, of trees that live long: only what may have to be told again.
@Suite struct ReceivedLogTests {
    private func running(_ script: inout CoreScript) -> SessionID {
        let client = script.client(token: 1)
        script.worker(slots: 4, token: 7)
        script.open(client, 1, policy: .continue, acceptsSiblings: true)
        script.submit(client, 1, payloads: ["a", "b", "c", "d"])
        return client
    }

    @Test func whatHasComeToTheOwnerIsNotKeptInMemory() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let client = running(&script)
        script.finish("g1/0", value: "0")
        script.finish("g1/1", .failed)
        #expect(script.core.groups[0].log.entries.count == 2)
        script.send(.updatesReceived(client, .max))
        #expect(script.core.groups[0].log.entries.isEmpty)
        script.finish("g1/2", .failed)
        script.finish("g1/3", value: "3")
        #expect(script.core.groups[0].log.entries.count == 2)
        script.send(.updatesReceived(client, .max))
        #expect(script.core.groups[0].log == script.core.groups[0].log.emptied)
        // The rows stay until the group has closed: they say which tasks have ended.
        #expect(script.journal.ends[GroupID(1)]?.count == 4)
    }

    /// A tree that is open for days, with a group inside for each request.
    @Test func groupsWhoseEndHasComeToTheOwnerAreNotKeptInMemory() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.client(token: 2)
        script.open(client, 1)
        for key: UInt32 in 2...9 {
            script.open(client, key, in: 1)
            script.seal(client, key)
        }
        #expect(script.core.groups[0].log.closed.isEmpty)
        script.delivers = false
        script.open(client, 10, in: 1)
        script.seal(client, 10)
        #expect(script.core.groups[0].log.closed.map(\.key) == [GroupKey(10)])
        script.restart()
        #expect(script.core.groups[0].log.closed.map(\.key) == [GroupKey(10)])
        script.delivers = true
        let back = script.client(token: 1)
        script.seal(back, 1)
        #expect(script.core.groups[0].log.closed.map(\.key) == [GroupKey(1)])
        script.restart()
        let watcher = script.client(token: 2)
        script.settle()
        script.send(.watched(watcher, .id(GroupID(1))))
        #expect(script.take(containing: "closed") == ["c4 closed g1 ok"])
    }

    @Test(arguments: [false, true])
    func onlyTheRestIsToldAgain(afterARestart: Bool) {
        var script = CoreScript(keepsJournal: true)
        let client = running(&script)
        script.finish("g1/0", value: "0")
        script.finish("g1/1", .failed)
        script.delivers = false
        script.finish("g1/2", .failed)
        script.finish("g1/3", value: "3")
        script.seal(client, 1)
        script.settle()
        if afterARestart { script.restart() }
        script.delivers = true
        script.client(token: 1)
        #expect(
            script.take(containing: "g1")
                == ["c2 opened g1", "c2 ended g1/2 error", "c2 ended g1/3 ok '3'", "c2 closed g1 errors"]
        )
    }

    @Test func whatASiblingLacksIsKeptForIt() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let owner = running(&script)
        let host = script.client(token: 2)
        script.send(.siblingsJoined(host, GroupKey(7), script.held("g1/0").ref))
        script.submit(host, 7, payloads: ["s"])
        script.finish("g1/1")
        script.finish("g1/4", value: "s")
        script.finish("g1/2")
        script.send(.updatesReceived(owner, .max))
        #expect(script.core.groups[0].log.entries.count == 2)
        script.send(.updatesReceived(host, .max))
        #expect(script.core.groups[0].log.entries.isEmpty)
    }

    /// The task that they were added for ends while the client that added them is away.
    @Test(arguments: [false, true])
    func endsOfTasksAddedForATaskThatHasEndedAreToldAgain(afterARestart: Bool) {
        var script = CoreScript(keepsJournal: true)
        let owner = running(&script)
        let host = script.client(token: 2)
        script.send(.siblingsJoined(host, GroupKey(7), script.held("g1/0").ref))
        script.submit(host, 7, payloads: ["s"])
        script.delivers = false
        script.finish("g1/1")
        script.finish("g1/4", value: "s")
        script.finish("g1/0")
        script.finish("g1/2")
        script.settle()
        if afterARestart { script.restart() }
        script.delivers = true
        let back = afterARestart ? script.client(token: 1) : owner
        script.settle()
        script.client(token: 2)
        #expect(script.take(containing: "ended g1/4").contains { $0.hasSuffix("ended g1/4 ok 's'") })
        // Nothing waits for it any more.
        script.send(.updatesReceived(back, .max))
        #expect(script.core.groups[0].log.entries.isEmpty)
    }

    /// The owner had not been told what the task is called when the coordinator died, and it never begins.
    @Test(arguments: [0, 1])
    func theOwnerLearnsTheNameOfWhatSomebodyHasAddedWhoIsGone(furtherRestarts: Int) {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let owner = script.client(token: 1)
        // Without a token nobody comes back.
        let host = script.client()
        script.worker(slots: 1, token: 7)
        script.open(owner, 1, acceptsSiblings: true)
        script.submit(owner, 1)
        script.start("g1/0")
        script.send(.siblingsJoined(host, GroupKey(7), script.held("g1/0").ref))
        script.submit(host, 7, TaskTemplate(name: "added"))
        script.settle()
        script.restart()
        let back = script.client(token: 1)
        script.cancelTask(back, 1, 1)
        for _ in 0..<furtherRestarts {
            script.settle()
            script.restart()
            script.client(token: 1)
        }
        let told = script.take(containing: "g1/1").map { $0.drop { $0 != " " } }
        #expect(told == [" name g1/1 added", " ended g1/1 cancelled unstarted (requested)"])
    }

    /// Of what the host of its task has added the owner had not been told. When it knows that its own task has ended, and of
    /// no other one, it takes the group to be at rest.
    @Test(arguments: [0, 1, 2])
    func theOwnerKnowsOfAllTasksBeforeItIsToldOfAnEnd(restarts: Int) {
        var script = CoreScript(keepsJournal: true)
        let owner = script.client(token: 1)
        script.worker(slots: 1, token: 7)
        script.open(owner, 1, acceptsSiblings: true)
        script.submit(owner, 1)
        script.start("g1/0")
        script.delivers = false
        let host = script.client(token: 2)
        script.send(.siblingsJoined(host, GroupKey(7), script.held("g1/0").ref))
        script.submit(host, 7, TaskTemplate(name: "added"), count: 2)
        // More than may be told at once; what has ended after that waits.
        script.finish("g1/0", value: String(repeating: "v", count: Int(script.core.limits.unconsumedBytes) + 1))
        script.finish("g1/1")
        for _ in 0..<restarts { script.restart() }
        script.settle()
        script.client(token: 1)
        var told: [ClientUpdate] = []
        for case .update(_, let update) in script.actions { told.append(update) }
        #expect(told.flatMap(\.names).map(\.index).sorted() == [1, 2])
        #expect(told.first?.names.count == 2)
        #expect(told.flatMap(\.reports).map(\.index) == [0])
    }

    @Test func aJoinIsARowOfItsOwnAndGoesWithItsGroup() {
        var script = CoreScript(keepsJournal: true)
        let owner = running(&script)
        let host = script.client(token: 2)
        script.settle()
        script.send(.siblingsJoined(host, GroupKey(7), script.held("g1/0").ref))
        var batches: [JournalBatch] = []
        for case .record(let batch) in script.actions { batches.append(batch) }
        #expect(batches.map(\.clients.count) == [0] && batches.map(\.joins.count) == [1])
        script.submit(host, 7, payloads: ["s"])
        script.finish("g1/0")
        script.restart()
        let back = script.client(token: 2)
        script.settle()
        // It may still cancel what it has added.
        script.send(.taskCancelled(back, GroupKey(7), index: 4, reason: "", token: 5))
        #expect(script.take(containing: "answer") == ["c3 answer 5: accepted"])
        script.lose(back, .goodbye)
        #expect(script.journal.joins.count == 1)
        script.lose(owner, .goodbye)
    }
}

extension TreeLog {
    /// With no entry, and nothing that only entries need but the last name.
    fileprivate var emptied: TreeLog {
        var log = self
        while log.first < log.count { _ = log.dropFirst(ofHead: GroupID(1)) }
        return log
    }
}
