internal import CohortCore
internal import Testing

/// Watching detached trees: replay, following, keeping up, forgetting; and snapshots.
@Suite struct WatchTests {
    @Test func aWatcherIsToldWhatHasBeenAndWhatComes() {
        var script = detached()
        script.finish("g1/0", value: "a")
        script.finish("g2/0", .failed, error: "A")
        script.seal(SessionID(1), 1)
        script.settle()
        let watcher = script.client()
        script.send(.watched(watcher, .name("group-1")))
        script.expect(
            "c2 group g1",
            "c2 group g2 errors",
            "c2 name g1/0 one",
            "c2 name g2/0 two",
            "c2 ended g1/0 ok 'a'",
            "c2 ended g2/0 error A",
            "c2 closed g2 errors (siblingFailed)",
            "c2 caught up g1"
        )
        script.finish("g1/1")
        script.expect(
            "w1 forget 1",
            "c1 closed g1 errors (siblingFailed)",
            "c2 name g1/1 one",
            "c2 ended g1/1 ok after cancel (siblingFailed)",
            "c2 closed g1 errors (siblingFailed)"
        )
        // Afterwards as well, and for others.
        let late = script.client()
        script.send(.watched(late, .id(GroupID(1))))
        let lines = script.trace.lines
        #expect(lines.first == "c3 group g1 errors")
        #expect(lines.last == "c3 caught up g1")
        #expect(lines.filter { $0.contains("ended") }.count == 3)
        #expect(lines.filter { $0.contains("closed") }.count == 2)
    }

    @Test func theOwnerMayWatchAndIsToldOnce() {
        var script = detached()
        script.send(.watched(SessionID(1), .key(GroupKey(1))), .watched(SessionID(1), .key(GroupKey(2))))
        script.expect("c1 group g1", "c1 group g2", "c1 caught up g1")
        script.finish("g2/0")
        script.expect("w1 forget 1", "c1 name g2/0 two", "c1 ended g2/0 ok", "c1 closed g2 ok")
    }

    @Test func aWatcherThatAsksAgainIsToldHowThingsStandAndNothingTwice() {
        var script = detached()
        let watcher = script.client()
        script.finish("g2/0", value: "a")
        script.settle()
        script.send(.watched(watcher, .id(GroupID(1))))
        script.settle()
        script.send(.watched(watcher, .id(GroupID(1))), .watched(watcher, .name("group-1")))
        script.expect("c2 group g1")
    }

    @Test func anAttachedTreeIsWatchedByItsGroups() {
        var script = CoreScript()
        let owner = script.client()
        let watcher = script.client()
        script.worker()
        script.open(owner, 1)
        script.submit(owner, 1)
        script.seal(owner, 1)
        script.settle()
        script.send(.watched(watcher, .id(GroupID(1))), .watched(owner, .id(GroupID(1))))
        script.expect("c2 group g1", "c2 caught up g1", "c1 group g1", "c1 caught up g1")
        script.finish("g1/0")
        #expect(script.take(containing: "closed") == ["c1 closed g1 ok", "c2 closed g1 ok"])
    }

    /// How many tasks of groups inside had ended before it watched it learns at the latest when the tree closes.
    @Test(arguments: [false, true])
    func aWatcherIsToldOfTasksInGroupsThatHadClosed(afterARestart: Bool) {
        var script = CoreScript(keepsJournal: true)
        var owner = script.client(token: 1)
        script.worker(slots: 4, token: 7)
        script.open(owner, 1, policy: .continue)
        script.open(owner, 2, in: 1, policy: .continue)
        script.open(owner, 3, in: 2)
        script.open(owner, 4, in: 1, isScope: true)
        script.submit(owner, 2, count: 2)
        script.submit(owner, 3)
        script.submit(owner, 4)
        for key: UInt32 in [4, 3, 2] { script.seal(owner, key) }
        for task in ["g2/0", "g3/0", "g4/0"] { script.finish(task) }
        script.finish("g2/1", .failed)
        if afterARestart {
            script.restart()
            owner = script.client(token: 1)
        }
        let watcher = script.client(token: 2)
        script.settle()
        script.send(.watched(watcher, .id(GroupID(1))))
        #expect(updates(to: watcher, in: script).flatMap(\.groups).map(\.counts.ok) == [2])
        script.settle()
        script.seal(owner, 1)
        let report = updates(to: watcher, in: script).flatMap(\.closed).first
        #expect(report?.counts == TaskCounts())
        #expect(report?.below.ok == 2)
        #expect(report?.below.error == 1)
    }

    private func updates(to client: SessionID, in script: CoreScript) -> [ClientUpdate] {
        script.actions.compactMap { action in
            if case .update(client, let update) = action { update } else { nil }
        }
    }

    @Test func whatNobodyKnowsCannotBeWatched() {
        var script = CoreScript()
        let client = script.client()
        script.send(
            .watched(client, .name("nothing")),
            .watched(client, .id(GroupID(3))),
            .watched(client, .key(GroupKey(1)))
        )
        script.expect("c1 refused unknownGroup", "c1 refused unknownGroup", "c1 refused unknownGroup")
    }

    @Test func aNameMeansTheOnlyOpenGroup() {
        var script = CoreScript()
        let client = script.client()
        func open(_ key: UInt32) {
            script.send(.groupOpened(client, GroupSpec(key: GroupKey(key), name: "nightly", detached: true)))
        }
        open(1)
        open(2)
        open(3)
        script.seal(client, 3)
        script.settle()
        let watcher = script.client()
        // Whichever it took, the other one might be meant.
        script.send(
            .watched(watcher, .name("nightly")),
            .groupCancelled(watcher, .name("nightly"), grace: nil, reason: ""),
            .deadlineChanged(watcher, .name("nightly"), .seconds(3))
        )
        script.expect("c2 refused invalid", "c2 refused invalid", "c2 refused invalid")
        script.seal(client, 2)
        script.settle()
        script.send(.watched(watcher, .name("nightly")))
        script.expect("c2 group g1", "c2 caught up g1")
        script.seal(client, 1)
        let late = script.client()
        script.settle()
        script.send(.watched(late, .name("nightly")))
        script.expect("c3 group g1 ok", "c3 closed g1 ok", "c3 caught up g1")
    }

    @Test func aSlowWatcherIsFedOnlyAsFastAsItConsumes() {
        var limits = Limits()
        limits.unconsumedBytes = 200
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker(slots: 9)
        script.open(client, 1, detached: true)
        script.submit(client, 1, count: 9)
        script.seal(client, 1)
        for index in 0..<9 { script.finish("g1/\(index)", value: "12345678") }
        script.settle()
        let watcher = script.client()
        script.send(.watched(watcher, .id(GroupID(1))))
        // Each weighs 64 and its value: the third goes past the mark.
        #expect(script.take(containing: "ended").count == 3)
        script.send(.consumed(watcher, weight: 15, outputs: []))
        script.expectNothing()
        script.send(.consumed(watcher, weight: 1, outputs: []))
        script.expect("c2 name g1/3 task", "c2 ended g1/3 ok '12345678'")
        script.send(.consumed(watcher, weight: .max, outputs: []))
        #expect(script.take(containing: "ended").count == 3)
        script.send(.consumed(watcher, weight: .max, outputs: []))
        #expect(script.trace.lines.filter { $0.contains("ended") }.count == 2)
        #expect(script.trace.lines.suffix(2) == ["c2 closed g1 ok", "c2 caught up g1"])
    }

    @Test func oneSlowWatcherDoesNotHoldUpAnother() {
        var limits = Limits()
        limits.unconsumedBytes = 10
        var script = CoreScript(limits: limits)
        let client = script.client()
        let slow = script.client()
        let fast = script.client()
        script.worker(slots: 3)
        script.open(client, 1, detached: true)
        script.submit(client, 1, count: 3)
        script.send(.watched(slow, .id(GroupID(1))), .watched(fast, .id(GroupID(1))))
        script.settle()
        for index in 0..<3 {
            script.finish("g1/\(index)")
            script.send(.consumed(fast, weight: 64, outputs: []))
        }
        let ended = script.take(containing: "ended")
        #expect(ended == ["c2 ended g1/0 ok", "c3 ended g1/0 ok", "c3 ended g1/1 ok", "c3 ended g1/2 ok"])
    }

    @Test func aWatcherThatLeavesIsForgotten() {
        var script = detached()
        let watcher = script.client()
        script.send(.watched(watcher, .id(GroupID(1))))
        script.lose(watcher)
        script.settle()
        let next = script.client()
        script.finish("g1/0")
        script.expectNothing()
        script.lose(next)
        script.expect("c3 close leaseExpired")
    }

    // MARK: Keeping

    @Test func onlySoManyReportsAreKeptButAllFailures() {
        var limits = Limits()
        limits.retainedReports = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker(slots: 9)
        script.open(client, 1, policy: .continue, detached: true)
        script.submit(client, 1, count: 6)
        script.seal(client, 1)
        for index in 0..<4 { script.finish("g1/\(index)") }
        script.finish("g1/4", .failed, error: "A")
        script.finish("g1/5", .cancelled)
        script.settle()
        script.send(.watched(client, .id(GroupID(1))))
        let lines = script.take(containing: " g1")
        #expect(
            lines.filter { $0.contains("ended") } == ["c1 ended g1/0 ok", "c1 ended g1/1 ok", "c1 ended g1/4 error A"]
        )
        #expect(lines.filter { $0.contains("closed") } == ["c1 closed g1 errors omitted 3"])
    }

    @Test func onlySoManyClosedTreesAreKept() {
        var limits = Limits()
        limits.retainedGroups = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        for key: UInt32 in 1...3 {
            script.open(client, key, detached: true)
            if key == 1 { script.send(.watched(client, .id(GroupID(1)))) }
            script.seal(client, key)
        }
        script.settle()
        script.send(.watched(client, .id(GroupID(1))), .watched(client, .id(GroupID(2))))
        script.expect("c1 group g2 ok", "c1 closed g2 ok", "c1 refused unknownGroup", "c1 caught up g2")
        // The place of the one that was dropped serves another.
        script.open(client, 4)
        script.seal(client, 4)
        script.expect("c1 opened g4", "c1 closed g4 ok")
    }

    @Test func aTreeIsKeptUntilItsWatchersHaveReadIt() {
        var limits = Limits()
        limits.retainedGroups = 0
        limits.unconsumedBytes = 10
        var script = CoreScript(limits: limits)
        let client = script.client()
        let slow = script.client()
        script.worker(slots: 2)
        script.open(client, 1, detached: true)
        script.submit(client, 1, count: 2)
        script.seal(client, 1)
        script.send(.watched(slow, .id(GroupID(1))))
        script.settle()
        script.finish("g1/0")
        script.finish("g1/1")
        script.expect("c2 name g1/0 task", "c2 ended g1/0 ok", "w1 forget 1", "c1 closed g1 ok")
        script.send(.consumed(slow, weight: 64, outputs: []))
        script.expect("c2 name g1/1 task", "c2 ended g1/1 ok")
        script.send(.consumed(slow, weight: 64, outputs: []))
        script.expect("c2 closed g1 ok")
        script.send(.watched(slow, .id(GroupID(1))))
        script.expect("c2 refused unknownGroup")
    }

    @Test func treesThatCloseTogetherAreBothTold() {
        var limits = Limits()
        limits.retainedGroups = 1
        var script = CoreScript(limits: limits)
        let client = script.client()
        let watcher = script.client()
        script.open(client, 1, detached: true)
        script.open(client, 2, detached: true)
        script.send(.watched(watcher, .id(GroupID(1))), .watched(watcher, .id(GroupID(2))))
        script.settle()
        script.send(.groupSealed(client, GroupKey(1), .returned), .groupSealed(client, GroupKey(2), .returned))
        #expect(script.take(containing: "c2 ") == ["c2 closed g1 ok", "c2 closed g2 ok"])
        #expect(script.core.snapshot(at: script.now)?.groups.map(\.group) == [GroupID(2)])
    }

    // MARK: Snapshots

    @Test func aSnapshotCountsTheWholeTree() throws {
        var script = detached()
        let client = SessionID(1)
        script.finish("g2/0")
        script.start("g1/0")
        script.submit(client, 1, TaskTemplate(name: "more", function: "missing"), count: 3)
        let snapshot = try snapshot(&script, client)
        let group = try #require(snapshot.groups.first)
        #expect(snapshot.groups.count == 1)
        #expect(group.counts.ok == 1)
        #expect(group.counts.running == 2)
        #expect(group.counts.queued == 3)
        #expect(group.waiting == "no worker offers missing")
        #expect(snapshot.clients == 1)
        let worker = try #require(snapshot.workers.first)
        #expect(worker.running == 2)
        #expect(worker.slots == 3)
    }

    @Test func aSnapshotOfAnAttachedTreeCountsClosedGroupsToo() throws {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.open(client, 3, in: 2)
        script.submit(client, 3, count: 2)
        for key: UInt32 in [3, 2] { script.seal(client, key) }
        script.finish("g3/0")
        script.finish("g3/1")
        let snapshot = try snapshot(&script, client)
        #expect(snapshot.groups.map(\.counts.ok) == [2])
    }

    @Test func aSnapshotSaysWhyTasksWait() throws {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1, limit: 1)
        script.submit(client, 1, count: 3)
        #expect(try snapshot(&script, client).groups.map(\.waiting) == ["no worker is connected"])
        script.worker(runsCommands: false)
        #expect(try snapshot(&script, client).groups.map(\.waiting) == ["no worker runs commands"])
        script.worker(slots: 2)
        #expect(try snapshot(&script, client).groups.map(\.waiting) == ["group group-1 is at its limit of 1"])
    }

    private func snapshot(_ script: inout CoreScript, _ client: SessionID) throws -> Snapshot {
        script.settle()
        script.send(.queried(client))
        for case .answer(client, let snapshot) in script.actions { return snapshot }
        throw Missing()
    }

    private struct Missing: Error {}

    /// A detached tree: group 1 with two tasks, open; group 2 in it with one, sealed; all tasks at a worker.
    private func detached() -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 1, TaskTemplate(name: "one"), count: 2)
        script.submit(client, 2, TaskTemplate(name: "two"))
        script.seal(client, 2)
        script.settle()
        return script
    }
}
