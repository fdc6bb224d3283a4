internal import CohortCore
internal import Testing

/// Requests from outside: what they reach, that they arrive, what remains of them.
@Suite struct CancelTests {
    @Test func aCancelReachesTasksInEveryState() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1, policy: .continue)
        let retried = TaskTemplate(name: "flaky", retries: 1, backoff: .seconds(9))
        script.submit(client, 1, retried)
        script.finish("g1/0", .failed, error: "A")
        script.submit(client, 1, count: 4)
        script.start("g1/1")
        script.seal(client, 1)
        script.settle()
        // 0 waits for its retry, 1 runs, 2 and 3 are assigned, 4 is queued.
        script.cancel(client, 1)
        script.expect(
            "w1 cancel g1/1 requested",
            "w1 cancel g1/2 requested",
            "w1 cancel g1/3 requested",
            "c1 stopping g1 requested",
            "c1 ended g1/0 error A (requested)",
            "c1 ended g1/4 cancelled unstarted (requested)"
        )
        script.finish("g1/1", .cancelled)
        script.finish("g1/2", .cancelled, started: false)
        script.giveBack("g1/3")
        script.expect(
            "c1 ended g1/1 cancelled (requested)",
            "c1 ended g1/2 cancelled unstarted (requested)",
            "w1 forget 2",
            "c1 ended g1/3 cancelled unstarted (requested)",
            "c1 closed g1 errors cancelled (requested)"
        )
    }

    @Test func whenAllReturnTheGroupIsOkAndFlagged() {
        var script = started()
        script.cancel(SessionID(1), 1)
        script.settle()
        script.finish("g1/0", value: "a")
        script.finish("g1/1")
        script.expect(
            "c1 ended g1/0 ok 'a' after cancel (requested)",
            "w1 forget 1",
            "c1 ended g1/1 ok after cancel (requested)",
            "c1 closed g1 ok cancelled (requested)"
        )
    }

    @Test func whenOneEndsCancelledTheGroupIsCancelled() {
        var script = started()
        script.cancel(SessionID(1), 1)
        script.settle()
        script.finish("g1/0")
        script.finish("g1/1", .cancelled)
        script.expect(
            "c1 ended g1/0 ok after cancel (requested)",
            "w1 forget 1",
            "c1 ended g1/1 cancelled (requested)",
            "c1 closed g1 cancelled cancelled (requested)"
        )
    }

    @Test func errorsOutrankACancel() {
        var script = started()
        script.cancel(SessionID(1), 1)
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.finish("g1/1", .cancelled)
        script.expect(
            "c1 ended g1/0 error A (requested)",
            "w1 forget 1",
            "c1 ended g1/1 cancelled (requested)",
            "c1 closed g1 errors cancelled (requested)"
        )
    }

    @Test func aCancelAfterAFailureLeavesItsMark() {
        var script = started()
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        script.cancel(SessionID(1), 1)
        script.expectNothing()
        script.finish("g1/1", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g1/1 cancelled (siblingFailed)",
            "c1 closed g1 errors cancelled (siblingFailed)"
        )
    }

    @Test func aCancelGoesDownThroughAllGroups() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        for key: UInt32 in 1...3 { script.open(client, key, in: key == 1 ? nil : key - 1) }
        script.submit(client, 3, count: 2)
        for key: UInt32 in 1...3 { script.seal(client, key) }
        script.settle()
        script.cancel(client, 1)
        script.expect(
            "w1 cancel g3/0 requested",
            "w1 cancel g3/1 requested",
            "c1 stopping g1 requested",
            "c1 stopping g2 requested",
            "c1 stopping g3 requested"
        )
        script.finish("g3/0", .cancelled)
        script.settle()
        script.finish("g3/1")
        script.expect(
            "w1 forget 1",
            "c1 ended g3/1 ok after cancel (requested)",
            "c1 closed g3 cancelled cancelled (requested)",
            "c1 closed g2 cancelled cancelled (requested)",
            "c1 closed g1 cancelled cancelled (requested)"
        )
    }

    @Test func nothingIsLeftOfAQueuedGroupAfterACancel() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.submit(client, 2, count: 3)
        script.seal(client, 2)
        script.seal(client, 1)
        script.cancel(client, 1)
        let closed = script.take(containing: "closed")
        #expect(
            closed == [
                "c1 closed g2 cancelled cancelled (requested)", "c1 closed g1 cancelled cancelled (requested)",
            ]
        )
        script.worker()
        script.expectNothing()
    }

    // MARK: By name

    @Test func aTaskIsCancelledByName() {
        var script = started(tasks: 3)
        let client = SessionID(1)
        script.cancelTask(client, 1, 2)
        script.expect("c1 ended g1/2 cancelled unstarted (requested)")
        script.cancelTask(client, 1, 0)
        script.expect("w1 cancel g1/0 requested")
        // Ended, unknown, or of no group.
        script.cancelTask(client, 1, 2)
        script.cancelTask(client, 1, 77)
        script.expectNothing()
        script.cancelTask(client, 9, 0)
        script.expect("c1 refused unknownGroup")
        script.finish("g1/0", .cancelled)
        script.finish("g1/1")
        script.expect(
            "c1 ended g1/0 cancelled (requested)",
            "w1 forget 1",
            "c1 ended g1/1 ok",
            "c1 closed g1 ok"
        )
    }

    @Test func theLastTaskCancelledByNameClosesItsGroup() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.submit(client, 1)
        script.seal(client, 1)
        script.settle()
        script.cancelTask(client, 1, 0)
        script.expect("c1 ended g1/0 cancelled unstarted (requested)", "c1 closed g1 ok")
    }

    // MARK: Arriving

    @Test func aCancelIsRepeatedUntilItIsAcknowledged() {
        var script = started()
        script.cancel(SessionID(1), 1)
        script.expect("w1 cancel g1/0 requested", "w1 cancel g1/1 requested", "c1 stopping g1 requested")
        script.acknowledgeCancel("g1/1")
        script.expectNothing()
        script.advance(by: .seconds(2))
        script.expect("w1 cancel g1/0 requested", "w1 cancel g1/0 requested")
        script.acknowledgeCancel("g1/0")
        script.advance(by: .seconds(5))
        script.expectNothing()
    }

    @Test func aCancelIsNotRepeatedForWhatHasEnded() {
        var script = started()
        script.cancel(SessionID(1), 1)
        script.finish("g1/0", .cancelled)
        script.finish("g1/1", .cancelled)
        script.settle()
        script.advance(by: .seconds(5))
        script.expectNothing()
    }

    @Test func aSecondCancelMayOnlyShortenTheGrace() {
        var script = started()
        script.cancel(SessionID(1), 1, grace: .seconds(3))
        script.expect(
            "w1 cancel g1/0 requested grace 3.0",
            "w1 cancel g1/1 requested grace 3.0",
            "c1 stopping g1 requested"
        )
        script.cancel(SessionID(1), 1)
        script.expectNothing()
        script.cancel(SessionID(1), 1, grace: .zero)
        script.expect("w1 cancel g1/0 requested grace 0.0", "w1 cancel g1/1 requested grace 0.0")
    }

    @Test func theGraceIsInherited() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, grace: .seconds(2))
        script.open(client, 2, in: 1)
        script.open(client, 3, in: 1, grace: .seconds(7))
        script.submit(client, 2)
        script.submit(client, 3)
        script.settle()
        script.cancel(client, 1)
        let cancels = script.take(containing: "cancel g")
        #expect(cancels.sorted() == ["w1 cancel g2/0 requested grace 2.0", "w1 cancel g3/0 requested grace 7.0"])
    }

    // MARK: Targets

    @Test func anyClientMayCancelByNumberOrName() {
        var script = started()
        let other = script.client()
        script.send(.groupCancelled(other, .name("nothing"), grace: nil, reason: ""))
        script.expect("c2 refused unknownGroup")
        script.send(.groupCancelled(other, .id(GroupID(7)), grace: nil, reason: ""))
        script.expect("c2 refused unknownGroup")
        script.send(.groupCancelled(other, .name("group-1"), grace: nil, reason: ""))
        script.expect("w1 cancel g1/0 requested", "w1 cancel g1/1 requested", "c1 stopping g1 requested")
        script.finish("g1/0", .cancelled)
        script.finish("g1/1", .cancelled)
        script.settle()
        script.send(.groupCancelled(other, .id(GroupID(1)), grace: nil, reason: ""))
        script.expect("c2 refused unknownGroup")
    }

    @Test func aFinishedDetachedGroupCannotBeCancelled() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1, detached: true)
        script.seal(client, 1)
        script.settle()
        script.send(.groupCancelled(client, .id(GroupID(1)), grace: nil, reason: ""))
        script.expect("c1 refused finished")
    }

    /// A sealed group of running tasks, two of them started at a worker with two slots.
    private func started(tasks: Int = 2) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1, count: tasks)
        script.seal(client, 1)
        script.start("g1/0", "g1/1")
        script.settle()
        return script
    }
}
