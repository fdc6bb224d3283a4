internal import CohortCore
internal import Testing

/// Groups that running tasks open: owned by the task, stopped with it, and closed before it ends.
@Suite struct NestedGroupTests {
    @Test func aTasksGroupIsItsOwnAffair() {
        var (script, host) = running()
        script.open(host, 1, by: "g1/0")
        script.expect("c2 opened g2")
        script.submit(host, 1)
        script.expect("w1 assign g2/0")
        script.finish("g2/0", .failed, error: "A")
        script.seal(host, 1)
        // The task has handled it: the group around it knows of nothing.
        script.expect(
            "c2 stopping g2 siblingFailed",
            "c2 ended g2/0 error A",
            "w1 forget 1",
            "c2 closed g2 errors (siblingFailed)"
        )
        script.finish("g1/0")
        script.expect("w1 forget 1", "c1 ended g1/0 ok", "c1 closed g1 ok")
    }

    @Test func aGroupMayBeOpenedBeforeTheStartIsReported() {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1)
        script.settle()
        script.open(host, 1, by: "g1/0")
        script.expect("c1 started g1/0", "c2 opened g2")
        script.start("g1/0")
        script.expectNothing()
    }

    @Test func onlyARunningTaskCanOpenOne() {
        var (script, host) = running()
        script.finish("g1/0")
        script.settle()
        script.open(host, 1, by: "g1/0")
        script.expect("c2 refused finished")
    }

    @Test func cancelOfTheTaskStopsItsGroupsAtOnce() {
        var (script, host) = running()
        script.open(host, 1, by: "g1/0")
        script.open(host, 2, in: 1)
        script.submit(host, 2)
        script.start("g3/0")
        script.settle()
        script.cancelTask(SessionID(1), 1, 0)
        script.expect(
            "w1 cancel g1/0 requested",
            "w1 cancel g3/0 requested",
            "c2 stopping g2 requested",
            "c2 stopping g3 requested"
        )
    }

    @Test func aStopReachesGroupsOfTasksAtEveryDepth() {
        var (script, host) = running()
        let inner = script.client()
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.open(inner, 1, by: "g2/0")
        script.submit(inner, 1)
        script.settle()
        script.cancel(SessionID(1), 1)
        script.expect(
            "w1 cancel g1/0 requested",
            "w1 cancel g2/0 requested",
            "w1 cancel g3/0 requested",
            "c1 stopping g1 requested",
            "c2 stopping g2 requested",
            "c3 stopping g3 requested"
        )
    }

    @Test func theGroupsOfAShieldedTaskAreShielded() {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 4)
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "kept", shield: true))
        script.start("g1/0")
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.settle()
        script.cancel(client, 1)
        script.expect("c1 stopping g1 requested")
    }

    @Test func anEndOfTheTaskLeavesNothingBehind() {
        var (script, host) = running()
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.finish("g1/0", .lost, error: "WorkerLost")
        script.expect("w1 cancel g2/0 ownerLost grace 0.0", "c2 stopping g2 ownerLost")
        // Only now, when all that it has left is gone, does the task end.
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 forget 2",
            "c2 ended g2/0 cancelled (ownerLost)",
            "c2 closed g2 cancelled cancelled (ownerLost)",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 lost WorkerLost",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aRetryWaitsForWhatTheLastAttemptHasLeft() {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "again", retries: 1))
        script.start("g1/0")
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 cancel g2/0 ownerLost", "c2 stopping g2 ownerLost")
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 assign g1/0 #2",
            "w1 forget 1",
            "c2 ended g2/0 cancelled (ownerLost)",
            "c2 closed g2 cancelled cancelled (ownerLost)"
        )
    }

    @Test func theLossOfTheTasksSessionStopsItsGroups() {
        var (script, host) = running()
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.lose(host)
        script.expect("c2 close leaseExpired", "w1 cancel g2/0 ownerLost grace 0.25")
        script.finish("g1/0", .failed, error: "A")
        script.expectNothing()
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 forget 2",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 error A",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aBodysGroupCountsForNothingAroundIt() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.open(client, 2, in: 1, isScope: true)
        script.submit(client, 2)
        script.seal(client, 2)
        script.settle()
        script.finish("g2/0", .failed, error: "A")
        script.seal(client, 1)
        script.expect(
            "w1 forget 1",
            "c1 stopping g2 siblingFailed",
            "c1 ended g2/0 error A",
            "c1 closed g2 errors (siblingFailed)",
            "c1 closed g1 ok"
        )
    }

    @Test func aGroupOpenedInACleanupIsNotStoppedByTheRequestThatStartedIt() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.cancel(client, 1)
        script.settle()
        script.open(client, 2, in: 1, isScope: true)
        script.submit(client, 2)
        script.expect("c1 opened g2", "w1 assign g2/0")
        // Nor by a second one like it; only by one that ends the grace.
        script.cancel(client, 1)
        script.expectNothing()
        script.cancel(client, 1, grace: .zero)
        script.expect("w1 cancel g2/0 requested grace 0.0", "c1 stopping g2 requested")
    }

    @Test func aBodyThatEndsCancelledByTheDeadlineMakesATimeout() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, timeout: .seconds(1))
        script.advance(by: .seconds(1))
        script.settle()
        script.seal(client, 1, .cancelled)
        script.expect("c1 closed g1 timeout timed out deadline of group-1 (deadline)")
    }

    @Test func whatACancelledTaskHasOpenedInItsCleanupHasNoGraceBeyondItsOwn() {
        var (script, host) = running()
        script.cancelTask(SessionID(1), 1, 0)
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.finish("g1/0", .cancelled)
        script.expect("w1 cancel g2/0 ownerLost grace 0.0", "c2 stopping g2 ownerLost")
    }

    @Test func theGraceOfATasksGroupIsNoLongerThanItsOwn() {
        var (script, host) = running()
        script.open(host, 1, grace: .seconds(60), by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.cancelTask(SessionID(1), 1, 0)
        script.expect("w1 cancel g1/0 requested", "w1 cancel g2/0 requested", "c2 stopping g2 requested")
    }

    @Test func aKillReachesWhatIsOpenedInACleanup() {
        var (script, host) = running()
        script.cancel(SessionID(1), 1)
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.settle()
        script.cancel(SessionID(1), 1, grace: .zero)
        script.expect(
            "w1 cancel g1/0 requested grace 0.0",
            "w1 cancel g2/0 requested grace 0.0",
            "c2 stopping g2 requested"
        )
    }

    @Test func aValueFromBeforeARequestIsNotOneFromAfterIt() {
        var (script, host) = running()
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.start("g2/0")
        script.finish("g1/0", value: "x")
        script.cancel(SessionID(1), 1)
        script.settle()
        script.finish("g2/0", .cancelled)
        #expect(script.take(containing: "ended g1/0") == ["c1 ended g1/0 ok 'x'"])
    }

    @Test func nobodyElseCanKeepATaskFromBeingHandedBack() {
        var script = CoreScript()
        let client = script.client()
        let stranger = script.client()
        script.worker(slots: 1)
        script.open(client, 1)
        script.submit(client, 1)
        script.open(stranger, 1, by: "g1/0")
        script.settle()
        script.giveBack("g1/0")
        script.expect("w1 assign g1/0 #2", "c2 stopping g2 ownerLost", "c2 closed g2 ok cancelled (ownerLost)")
    }

    @Test func manyGroupsOfOneTaskCloseInAnyOrder() {
        var (script, host) = running()
        for key in UInt32(1)...5 { script.open(host, key, by: "g1/0") }
        script.settle()
        for key in [UInt32(3), 1, 5, 2, 4] { script.seal(host, key) }
        script.expect("c2 closed g4 ok", "c2 closed g2 ok", "c2 closed g6 ok", "c2 closed g3 ok", "c2 closed g5 ok")
    }

    /// Task g1/0 runs at a worker of four slots; the second client is the process that runs it.
    private func running() -> (CoreScript, SessionID) {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 4)
        script.open(client, 1)
        script.submit(client, 1)
        script.seal(client, 1)
        script.start("g1/0")
        script.settle()
        return (script, host)
    }
}
