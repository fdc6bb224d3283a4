internal import CohortCore
internal import Testing

/// Who gets the next slot.
@Suite struct ScheduleTests {
    @Test func slotsGoOutInTheOrderOfSpawningAcrossGroups() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.open(client, 3, in: 2)
        for key: UInt32 in [2, 1, 3, 3, 1, 2] { script.submit(client, key) }
        script.settle()
        script.worker(slots: 4)
        script.expect("w1 assign g2/0", "w1 assign g1/0", "w1 assign g3/0", "w1 assign g3/1")
        script.finish("g3/0")
        script.finish("g2/0")
        script.expect("w1 assign g1/1", "c1 ended g3/0 ok", "w1 assign g2/1", "c1 ended g2/0 ok")
    }

    @Test func theOrderHoldsAmongRequirements() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        for function in ["f", "", "g", "f", ""] {
            script.submit(client, 1, TaskTemplate(name: "task", function: function))
        }
        script.settle()
        script.worker(slots: 3, functions: ["f"])
        script.expect("w1 assign g1/0", "w1 assign g1/1", "w1 assign g1/3")
        script.worker(slots: 3, runsCommands: false, functions: ["g", "h"])
        script.expect("w2 assign g1/2")
        script.worker(slots: 3, runsCommands: false)
        script.expectNothing()
        script.finish("g1/0")
        script.expect("w1 assign g1/4", "c1 ended g1/0 ok")
    }

    @Test func treesTakeTurns() {
        var script = CoreScript()
        let one = script.client()
        let two = script.client()
        script.open(one, 1)
        script.open(two, 1)
        script.submit(one, 1, count: 9)
        script.submit(two, 1, count: 3)
        script.settle()
        script.worker(slots: 5)
        script.expect("w1 assign g1/0", "w1 assign g2/0", "w1 assign g1/1", "w1 assign g2/1", "w1 assign g1/2")
        script.finish("g1/0")
        script.finish("g1/1")
        #expect(script.take(containing: "assign") == ["w1 assign g2/2", "w1 assign g1/3"])
    }

    @Test func theIdlestWorkerIsServedFirst() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1)
        script.worker(slots: 3)
        script.worker(slots: 2)
        script.open(client, 1)
        script.settle()
        script.submit(client, 1, count: 5)
        let given = script.trace.lines.sorted { $0.suffix(4) < $1.suffix(4) }
        #expect(
            given == [
                "w2 assign g1/0", "w2 assign g1/1", "w3 assign g1/2", "w1 assign g1/3", "w2 assign g1/4",
            ]
        )
    }

    @Test func aWorkerThatCannotServeDoesNotStandInTheWay() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 50, runsCommands: false, functions: ["f"])
        script.worker(slots: 1)
        script.open(client, 1)
        script.settle()
        script.submit(client, 1, count: 2)
        script.expect("w2 assign g1/0")
        script.submit(client, 1, TaskTemplate(name: "call", function: "f"))
        script.expect("w1 assign g1/2")
    }

    @Test func workersHaveNoMoreSlotsThanTheLimit() {
        var limits = Limits()
        limits.slotsPerWorker = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker(slots: .max)
        script.open(client, 1)
        script.settle()
        script.submit(client, 1, count: 5)
        script.expect("w1 assign g1/0", "w1 assign g1/1")
    }

    // MARK: Sending ahead

    @Test func longTasksAreNotSentAhead() {
        var script = busy(count: 20)
        for index in 0..<10 {
            script.finish("g1/\(index)", elapsed: .milliseconds(10))
            #expect(script.take(containing: "assign").count == 1)
        }
    }

    @Test func shortTasksAreSentAheadMoreAndMore() {
        var script = busy(count: 2_000)
        var given: [Int] = []
        for index in 0..<6 {
            script.finish("g1/\(index)", elapsed: TimeSpan(nanoseconds: 10_000))
            given.append(script.take(containing: "assign").count)
        }
        // Beyond its one slot it may hold 1, 2, 4, … at most doubling with each that has ended.
        #expect(given == [2, 2, 3, 5, 9, 17])
    }

    @Test func noMoreIsSentAheadThanCanStartWithinTheHorizon() {
        // 2 ms each, a horizon of 10 ms: one runs, four wait.
        var script = busy(count: 100)
        for index in 0..<50 { script.finish("g1/\(index)", elapsed: .milliseconds(2)) }
        #expect(script.core.held(byWorker: 1) == 5)
    }

    @Test func noMoreIsSentAheadThanTheWorkerWants() {
        var script = busy(count: 100, credit: 3)
        for index in 0..<50 { script.finish("g1/\(index)", elapsed: .zero) }
        #expect(script.core.held(byWorker: 1) == 3)
    }

    @Test func whatComesBackEndsTheSendingAhead() {
        var script = busy(count: 100)
        for index in 0..<5 { script.finish("g1/\(index)", elapsed: .zero) }
        script.settle()
        #expect(script.core.held(byWorker: 1) == 17)
        script.giveBack("g1/19", "g1/20", "g1/21")
        script.expectNothing()
        // Only a free slot gets a task now; the next success lets it begin again.
        script.giveBack("g1/5")
        script.expectNothing()
        script.finish("g1/6", elapsed: .seconds(60))
        script.expect("c1 ended g1/6 ok")
    }

    @Test func endsThatNeverBeganProveNothing() {
        var script = busy(count: 100)
        let client = SessionID(1)
        for index in 0..<20 {
            script.cancelTask(client, 1, UInt32(index))
            script.finish("g1/\(index)", .cancelled, started: false, elapsed: .zero)
        }
        #expect(script.core.held(byWorker: 1) == 1)
    }

    @Test func oneSlowTaskEndsTheSendingAhead() {
        var script = busy(count: 100)
        for index in 0..<5 { script.finish("g1/\(index)", elapsed: TimeSpan(nanoseconds: 1_000)) }
        script.settle()
        script.finish("g1/5", elapsed: .seconds(10))
        script.expect("c1 ended g1/5 ok")
    }

    @Test func aFreeSlotElsewhereComesBeforeSendingAhead() {
        var script = busy(count: 4)
        script.worker(slots: 1)
        script.settle()
        script.finish("g1/0", elapsed: .zero)
        script.expect("w1 assign g1/2", "w1 assign g1/3", "c1 ended g1/0 ok")
    }

    /// Tasks at a worker with one slot.
    private func busy(count: Int, credit: UInt32 = .max) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1, credit: credit)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, count: count)
        script.settle()
        return script
    }
}
