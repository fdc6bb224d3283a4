internal import CohortCore
internal import Testing

/// The failure policies and the limit (R12), shields (R7), groups in groups.
@Suite struct PolicyTests {
    private func script(
        _ policy: FailurePolicy = .cancel,
        slots: UInt32 = 8,
        tasks: Int = 3
    ) -> (CoreScript, client: SessionID) {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: slots)
        script.open(client, 1, policy: policy)
        script.submit(client, 1, count: tasks)
        script.seal(client, 1)
        script.settle()
        return (script, client)
    }

    // MARK: cancel

    @Test func theFirstFailureCancelsTheRest() {
        var (script, _) = script(slots: 2)
        script.start("g1/1")
        script.expect("c1 started g1/1")
        script.finish("g1/1", .failed, error: "CommandFailed")
        script.expect(
            "w1 cancel g1/0 siblingFailed",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/1 error CommandFailed",
            "c1 ended g1/2 cancelled unstarted (siblingFailed)"
        )
        script.finish("g1/0", .cancelled, started: false)
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 cancelled unstarted (siblingFailed)",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aSecondFailureIsTold() {
        var (script, _) = script()
        script.start("g1/0", "g1/1", "g1/2")
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        script.finish("g1/1", .failed, error: "B")
        script.finish("g1/2", value: "late")
        script.expect(
            "c1 ended g1/1 error B (siblingFailed)",
            "w1 forget 1",
            "c1 ended g1/2 ok 'late' after cancel (siblingFailed)",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aTaskThatEndsCancelledIsNoFailure() {
        var (script, _) = script(tasks: 2)
        script.finish("g1/0", .cancelled)
        script.expect("c1 ended g1/0 cancelled")
        script.finish("g1/1")
        script.expect("w1 forget 1", "c1 ended g1/1 ok", "c1 closed g1 ok")
    }

    // MARK: continue

    @Test func continueRunsAllAndReportsAll() {
        var (script, _) = script(.continue, slots: 1)
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 assign g1/1", "c1 ended g1/0 error A")
        script.finish("g1/1")
        script.finish("g1/2", .lost, error: "WorkerLost")
        script.expect(
            "w1 assign g1/2",
            "c1 ended g1/1 ok",
            "w1 forget 1",
            "c1 ended g1/2 lost WorkerLost",
            "c1 closed g1 errors"
        )
    }

    // MARK: first

    @Test func theFirstSuccessWins() {
        var (script, _) = script(.first, slots: 2)
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 assign g1/2", "c1 ended g1/0 error A")
        script.start("g1/1", "g1/2")
        script.settle()
        script.finish("g1/1", value: "B")
        script.expect("w1 cancel g1/2 siblingWon", "c1 stopping g1 siblingWon", "c1 ended g1/1 ok 'B'")
        // A loser that fails in its cleanup is told, and is no leaf.
        script.finish("g1/2", .failed, error: "C")
        script.expect("w1 forget 1", "c1 ended g1/2 error C (siblingWon)", "c1 closed g1 ok (siblingWon)")
    }

    @Test func aLateSuccessIsNoSecondWinner() {
        var (script, _) = script(.first, tasks: 2)
        script.start("g1/0", "g1/1")
        script.finish("g1/0")
        script.settle()
        script.finish("g1/1")
        script.expect(
            "w1 forget 1",
            "c1 ended g1/1 ok after cancel (siblingWon)",
            "c1 closed g1 ok (siblingWon)"
        )
    }

    @Test func withoutAWinnerEveryFailureCounts() {
        var (script, _) = script(.first, tasks: 2)
        script.finish("g1/0", .failed, error: "A")
        script.finish("g1/1", .failed, error: "B")
        script.expect(
            "c1 ended g1/0 error A",
            "w1 forget 1",
            "c1 ended g1/1 error B",
            "c1 closed g1 errors"
        )
    }

    @Test func aValueReturnedAfterAStopWinsNothing() {
        var (script, client) = script(.first, tasks: 2)
        script.finish("g1/0", .failed, error: "A")
        script.start("g1/1")
        script.cancel(client, 1)
        script.settle()
        script.finish("g1/1", value: "late")
        script.expect(
            "w1 forget 1",
            "c1 ended g1/1 ok 'late' after cancel (requested)",
            "c1 closed g1 errors cancelled (requested)"
        )
    }

    @Test func aBodyThatFailsAfterTheWinIsAnError() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, policy: .first)
        script.submit(client, 1)
        script.finish("g1/0")
        script.settle()
        script.seal(client, 1, .failed(AttemptDetail()))
        script.expect("w1 forget 1", "c1 closed g1 errors (siblingWon)")
    }

    @Test func aChildGroupCanWin() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, policy: .first)
        script.open(client, 2, in: 1)
        script.submit(client, 1)
        script.submit(client, 2)
        script.seal(client, 1)
        script.seal(client, 2)
        script.start("g1/0")
        script.settle()
        script.finish("g2/0")
        script.expect(
            "w1 cancel g1/0 siblingWon",
            "w1 forget 1",
            "c1 stopping g1 siblingWon",
            "c1 ended g2/0 ok",
            "c1 closed g2 ok"
        )
    }

    // MARK: limit

    @Test func aLimitHoldsBackItsOwnTasksOnly() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 4)
        script.open(client, 1, policy: .continue)
        script.open(client, 2, in: 1, policy: .continue, limit: 2)
        script.settle()
        script.send(script.submission(client, 2, count: 4), script.submission(client, 1, count: 2))
        script.expect("w1 assign g2/0", "w1 assign g2/1", "w1 assign g1/0", "w1 assign g1/1")
        script.finish("g1/0")
        script.expect("c1 ended g1/0 ok")
        script.finish("g2/1")
        script.expect("w1 assign g2/2", "c1 ended g2/1 ok")
        script.finish("g2/0", .failed, error: "A")
        script.expect("w1 assign g2/3", "c1 ended g2/0 error A")
    }

    @Test func aLimitHoldsWithPrefetchToo() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, limit: 3)
        script.submit(client, 1, count: 40)
        for index in 0..<39 {
            script.settle()
            script.finish("g1/\(index)", elapsed: .milliseconds(0))
        }
        script.expect("c1 ended g1/38 ok")
    }

    // MARK: shield

    @Test(arguments: ["failure", "cancel", "deadline"])
    func aShieldedTaskIsLeftAloneAndWaitedFor(cause: String) {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, timeout: cause == "deadline" ? .seconds(3) : nil)
        script.submit(client, 1, TaskTemplate(name: "save", shield: true), count: 2)
        script.submit(client, 1)
        script.seal(client, 1)
        script.start("g1/0")
        script.settle()
        switch cause {
        case "failure":
            script.finish("g1/1", .failed, error: "A")
            script.expect(
                "c1 stopping g1 siblingFailed",
                "c1 ended g1/1 error A",
                "c1 ended g1/2 cancelled unstarted (siblingFailed)"
            )
        case "cancel":
            script.cancel(client, 1)
            script.expect("c1 stopping g1 requested", "c1 ended g1/2 cancelled unstarted (requested)")
            script.finish("g1/1")
            script.expect("c1 ended g1/1 ok")
        default:
            script.advance(by: .seconds(3))
            script.expect("c1 stopping g1 deadline", "c1 ended g1/2 cancelled unstarted (deadline)")
            script.finish("g1/1")
            script.expect("c1 ended g1/1 ok")
        }
        script.finish("g1/0", value: "saved")
        let outcome =
            switch cause {
            case "failure": "errors (siblingFailed)"
            case "cancel": "cancelled cancelled (requested)"
            default: "timeout timed out deadline of group-1 (deadline)"
            }
        script.expect("w1 forget 1", "c1 ended g1/0 ok 'saved'", "c1 closed g1 \(outcome)")
    }

    @Test func aShieldedTaskThatWaitsForASlotStillRuns() {
        var (script, client) = script(slots: 1, tasks: 1)
        script.open(client, 2)
        script.submit(client, 2, TaskTemplate(name: "save", shield: true))
        script.cancel(client, 2)
        script.settle()
        script.finish("g1/0")
        script.expect("w1 assign g2/0", "w1 forget 1", "c1 ended g1/0 ok", "c1 closed g1 ok")
    }

    @Test func aShieldedTaskEndsByItsTimeoutAndByName() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, TaskTemplate(name: "save", timeout: .seconds(1), shield: true), count: 2)
        script.start("g1/0", "g1/1")
        script.settle()
        script.cancelTask(client, 1, 0)
        script.expect("w1 cancel g1/0 requested")
        script.acknowledgeCancel("g1/0")
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        // The first one cleans up already: a second request is ignored, and only the end of the grace ends that.
        script.expect("w1 cancel g1/1 taskTimeout")
        script.finish("g1/1", .cancelled)
        script.expect("c1 ended g1/1 timeout TaskTimeout (taskTimeout)")
    }

    @Test func aShieldedGroupIsLeftAloneAndWaitedFor() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1)
        script.open(client, 2, in: 1, shield: true)
        script.open(client, 3, in: 2)
        for key: UInt32 in 1...3 { script.submit(client, key) }
        for key: UInt32 in 1...3 { script.seal(client, key) }
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.expect("c1 stopping g1 siblingFailed", "c1 ended g1/0 error A")
        script.finish("g2/0")
        script.expect("c1 ended g2/0 ok")
        script.finish("g3/0")
        script.expect(
            "w1 forget 3",
            "c1 ended g3/0 ok",
            "c1 closed g3 ok",
            "c1 closed g2 ok",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    // MARK: Groups in groups

    @Test func anErrorInsideIsTheOuterGroupsFailure() {
        var (script, client) = nested()
        script.seal(client, 1)
        script.start("g1/0")
        script.settle()
        script.finish("g2/0", .failed, error: "A")
        script.expect(
            "w1 cancel g1/0 siblingFailed",
            "w1 forget 1",
            "c1 stopping g2 siblingFailed",
            "c1 stopping g1 siblingFailed",
            "c1 ended g2/0 error A",
            "c1 closed g2 errors (siblingFailed)"
        )
        script.finish("g1/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 cancelled (siblingFailed)",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aTimeoutInsideIsTheOuterGroupsFailure() {
        var (script, _) = nested(timeout: .seconds(1))
        script.start("g2/0")
        script.settle()
        script.advance(by: .seconds(1))
        script.expect("w1 cancel g2/0 deadline", "c1 stopping g2 deadline")
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 cancel g1/0 siblingFailed",
            "w1 forget 1",
            "c1 stopping g1 siblingFailed",
            "c1 ended g2/0 cancelled (deadline)",
            "c1 closed g2 timeout timed out deadline of group-2 (deadline)"
        )
    }

    @Test func aCancelInsideIsNoFailure() {
        var (script, client) = nested()
        script.cancel(client, 2)
        script.expect("w1 cancel g2/0 requested", "c1 stopping g2 requested")
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g2/0 cancelled (requested)",
            "c1 closed g2 cancelled cancelled (requested)"
        )
        script.finish("g1/0")
        script.seal(client, 1)
        script.expect("c1 ended g1/0 ok", "w1 forget 1", "c1 closed g1 ok")
    }

    /// Group 2 in group 1, a task each, both assigned; group 2 sealed.
    private func nested(timeout: TimeSpan? = nil) -> (CoreScript, client: SessionID) {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.open(client, 2, in: 1, timeout: timeout)
        script.submit(client, 1)
        script.submit(client, 2)
        script.seal(client, 2)
        script.settle()
        return (script, client)
    }
}
