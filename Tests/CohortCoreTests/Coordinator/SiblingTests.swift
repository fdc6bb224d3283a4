internal import CohortCore
internal import Testing

/// Tasks that a running task adds to its own group.
@Suite struct SiblingTests {
    private let key = GroupKey(7)

    @Test func bothTheOwnerAndTheSpawnerAreTold() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.expect("c2 opened g1")
        script.submit(host, 7, TaskTemplate(name: "head"), count: 2)
        script.expect(
            "w1 assign g1/1",
            "w1 assign g1/2",
            "c2 accepted key 7: 2 from 1",
            "c1 name g1/1 head",
            "c1 name g1/2 head"
        )
        script.start("g1/1")
        script.expect("c1 started g1/1", "c2 started g1/1")
        script.finish("g1/1", value: "x")
        script.expect("c1 ended g1/1 ok 'x'", "c2 ended g1/1 ok 'x'")
    }

    /// A group of its own and one that it adds to on behalf of a task: the journal has one row for a key.
    @Test func aKeyIsUsedForOneThing() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(token: 7)
        script.open(client, 1, acceptsSiblings: true)
        script.submit(client, 1)
        script.start("g1/0")
        script.send(.siblingsJoined(client, key, script.held("g1/0").ref))
        script.settle()
        script.open(client, 7)
        script.expect("c1 refused invalid")
        script.restart()
    }

    @Test func theOwnerCountsItsOwnTasks() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7, TaskTemplate(name: "head"), count: 2)
        script.settle()
        script.submit(SessionID(1), 1)
        script.expect("w1 assign g1/3", "c1 accepted key 1: 1 from 3")
        script.finish("g1/3", value: "x")
        script.expect("c1 ended g1/3 ok 'x'")
    }

    @Test func theGroupWaitsForThem() {
        var (script, host) = running()
        script.seal(SessionID(1), 1)
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.settle()
        script.finish("g1/0")
        script.expect("c1 ended g1/0 ok")
        script.finish("g1/1")
        script.expect("w1 forget 1", "c1 ended g1/1 ok", "c1 closed g1 ok", "c2 ended g1/1 ok")
    }

    @Test func aGroupThatStopsTakesNone() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.cancel(SessionID(1), 1)
        script.settle()
        script.submit(host, 7)
        script.expect("c2 refused shuttingDown")
    }

    /// One process runs one task after the other, each of which adds the next: a crawl.
    @Test(arguments: [false, true])
    func keysOfTasksThatAreOverAreFreeAgain(keepsJournal: Bool) {
        var limits = Limits()
        limits.openGroupsPerSession = 3
        var script = CoreScript(limits: limits, keepsJournal: keepsJournal)
        let client = script.client(token: 1)
        let host = script.client(token: 2)
        script.worker(token: 7)
        script.open(client, 1, acceptsSiblings: true)
        script.submit(client, 1)
        for step in 0..<20 {
            script.start("g1/\(step)")
            script.send(.siblingsJoined(host, GroupKey(UInt32(step + 7)), script.held("g1/\(step)").ref))
            script.settle()
            #expect(script.take(containing: "refused") == [])
            script.submit(host, UInt32(step + 7))
            script.finish("g1/\(step)")
            script.settle()
        }
        if keepsJournal { script.restart() }
    }

    /// Far from the limit, what is over is dropped as well, and not told again to a process that comes back.
    @Test func keysAreTidiedUpNowAndThen() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let host = script.client(token: 2)
        script.worker(token: 7)
        script.open(client, 1, acceptsSiblings: true)
        script.submit(client, 1)
        for step in 0..<200 {
            script.start("g1/\(step)")
            script.send(.siblingsJoined(host, GroupKey(UInt32(step + 7)), script.held("g1/\(step)").ref))
            script.submit(host, UInt32(step + 7))
            script.finish("g1/\(step)")
            script.settle()
        }
        _ = script.take(containing: "opened")
        script.client(token: 2)
        let told = script.take(containing: "opened").count
        #expect((1...80).contains(told), "\(told) of 200 keys are kept")
    }

    /// What has been added can be cancelled by its key as long as it has not ended.
    @Test func keysOfTasksThatHaveAddedWhatRunsAreKept() {
        var limits = Limits()
        limits.openGroupsPerSession = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        let host = script.client()
        script.worker(slots: 4)
        script.open(client, 1, acceptsSiblings: true)
        script.submit(client, 1, count: 3)
        for (index, number) in [UInt32(7), 8].enumerated() {
            script.start("g1/\(index)")
            script.send(.siblingsJoined(host, GroupKey(number), script.held("g1/\(index)").ref))
            script.submit(host, number)
            script.finish("g1/\(index)")
        }
        script.start("g1/2")
        script.settle()
        script.send(.siblingsJoined(host, GroupKey(9), script.held("g1/2").ref))
        script.expect("c2 refused limit")
        script.send(.taskCancelled(host, GroupKey(7), index: 3, reason: ""))
        script.settle()
        script.send(.siblingsJoined(host, GroupKey(9), script.held("g1/2").ref))
        #expect(script.take(containing: "refused") == ["c2 refused limit"])
        script.finish("g1/3", .cancelled)
        script.settle()
        script.send(.siblingsJoined(host, GroupKey(9), script.held("g1/2").ref))
        script.expect("c2 opened g1")
    }

    @Test func aTaskThatHasEndedAddsNone() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.finish("g1/0")
        script.settle()
        script.submit(host, 7)
        script.expect("c2 refused finished")
    }

    @Test func onlyWhereTheOwnerAllowsIt() {
        var (script, host) = running(accepts: false)
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.expect("c2 refused invalid")
        script.submit(host, 7)
        script.expect("c2 refused unknownGroup")
    }

    @Test func theSpawnerMayCancelThem() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.start("g1/1")
        script.settle()
        script.send(.taskCancelled(host, key, index: 1, reason: "", token: 5))
        script.expect("w1 cancel g1/1 requested", "c2 answer 5: accepted")
        script.finish("g1/1", .cancelled)
        script.settle()
        script.send(.taskCancelled(host, key, index: 1, reason: "", token: 6))
        script.expect("c2 answer 6: too late")
    }

    @Test func theSpawnerMayCancelThemWhenItsTaskHasEnded() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.start("g1/1")
        script.finish("g1/0")
        script.settle()
        script.send(.taskCancelled(host, key, index: 1, reason: "", token: 5))
        script.expect("w1 cancel g1/1 requested", "c2 answer 5: accepted")
    }

    @Test func theOwnersTasksAndTheirsDoNotMeetInADetachedGroupEither() {
        var (script, host) = running(detached: true)
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.settle()
        script.submit(SessionID(1), 1)
        #expect(script.take(containing: "assign") == ["w1 assign g1/2"])
    }

    @Test func keysAreFreeAgainWhenTheGroupHasClosed() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.send(.siblingsJoined(host, GroupKey(8), script.held("g1/0").ref))
        script.expect("c2 opened g1", "c2 opened g1", "c2 opened g1")
        script.seal(SessionID(1), 1)
        script.finish("g1/0")
        script.settle()
        script.submit(host, 7)
        script.expect("c2 refused unknownGroup")
    }

    @Test func tasksOfOneKindShareATemplate() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        for _ in 0..<3 { script.submit(host, 7, TaskTemplate(name: "head")) }
        script.finish("g1/0")
        for index in 1...3 { script.finish("g1/\(index)") }
        script.settle()
        script.seal(SessionID(1), 1)
        script.expect("w1 forget 2", "c1 closed g1 ok")
    }

    @Test func theLossOfTheSpawnerLeavesThemAlone() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.start("g1/1")
        script.lose(host)
        script.settle()
        script.finish("g1/1")
        script.expect("c1 ended g1/1 ok")
    }

    @Test func aDetachedGroupTellsTheSpawnerToo() {
        var (script, host) = running(detached: true)
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7)
        script.settle()
        script.finish("g1/1")
        script.expect("c2 ended g1/1 ok")
    }

    @Test func aFailureOfASiblingStopsAll() {
        var (script, host) = running()
        script.send(.siblingsJoined(host, key, script.held("g1/0").ref))
        script.submit(host, 7, count: 2)
        script.start("g1/1", "g1/2")
        script.settle()
        script.finish("g1/1", .failed, error: "A")
        script.expect(
            "w1 cancel g1/0 siblingFailed",
            "w1 cancel g1/2 siblingFailed",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/1 error A",
            "c2 ended g1/1 error A"
        )
    }

    /// Task g1/0 runs at a worker of four slots; the second client is the process that runs it.
    private func running(accepts: Bool = true, detached: Bool = false) -> (CoreScript, SessionID) {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 4)
        script.open(client, 1, detached: detached, acceptsSiblings: accepts)
        script.submit(client, 1)
        script.start("g1/0")
        script.settle()
        return (script, host)
    }
}
