internal import CohortCore
internal import Testing

/// R11: a task that waits for groups of its own gives up its slot and gets one back, before anything that has not begun.
@Suite struct SuspendedTaskTests {
    @Test func theSlotOfAWaitingTaskIsUsedByOthers() {
        var (script, host) = parent(slots: 1)
        script.submit(host, 1)
        script.expectNothing()
        script.wait("g1/0")
        script.expect("w1 assign g2/0")
        script.finish("g2/0")
        script.want("g1/0")
        script.expect("c2 ended g2/0 ok", "w1 proceed g1/0")
    }

    @Test func fiftyLevelsOnOneSlot() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1)
        script.open(client, 1)
        script.submit(client, 1)
        var hosts: [SessionID] = []
        for level in 1..<50 {
            script.start("g\(level)/0")
            hosts.append(script.client())
            script.open(hosts[level - 1], 1, by: "g\(level)/0")
            script.submit(hosts[level - 1], 1)
            script.seal(hosts[level - 1], 1)
            script.settle()
            script.wait("g\(level)/0")
            #expect(script.take(containing: "assign") == ["w1 assign g\(level + 1)/0"])
        }
        for level in stride(from: 50, to: 1, by: -1) {
            script.finish("g\(level)/0")
            script.want("g\(level - 1)/0")
            #expect(script.take(containing: "proceed") == ["w1 proceed g\(level - 1)/0"])
        }
        script.finish("g1/0")
        script.seal(client, 1)
        #expect(script.take(containing: "closed") == ["c1 closed g1 ok"])
    }

    @Test func aTaskThatHasWaitedComesBeforeThoseThatHaveNotBegun() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1)
        script.open(client, 1, limit: 1)
        script.submit(client, 1, count: 3)
        script.start("g1/0")
        script.settle()
        script.wait("g1/0")
        script.expect("w1 assign g1/1")
        // The limit holds for tasks that go on as well.
        script.want("g1/0")
        script.expectNothing()
        script.finish("g1/1")
        script.expect("w1 proceed g1/0", "c1 ended g1/1 ok")
        script.finish("g1/0")
        script.expect("w1 assign g1/2", "c1 ended g1/0 ok")
    }

    @Test func whileOneGoesOnBesideTheOthersNothingNewBegins() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1)
        script.open(client, 1)
        script.submit(client, 1, count: 3)
        script.start("g1/0")
        script.wait("g1/0")
        script.start("g1/1")
        script.settle()
        // Its worker gives it the next slot that is free; until then two are held of one.
        script.want("g1/0")
        script.expect("w1 proceed g1/0")
        script.finish("g1/1")
        script.expect("c1 ended g1/1 ok")
        script.finish("g1/0")
        script.expect("w1 assign g1/2", "c1 ended g1/0 ok")
    }

    @Test func aCancelledTaskNeedNotWaitForTheLimit() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, limit: 1)
        script.submit(client, 1, count: 2)
        script.start("g1/0")
        script.wait("g1/0")
        script.start("g1/1")
        script.want("g1/0")
        script.settle()
        script.cancel(client, 1)
        script.expect(
            "w1 cancel g1/0 requested",
            "w1 cancel g1/1 requested",
            "w1 proceed g1/0",
            "c1 stopping g1 requested"
        )
    }

    @Test func aWaitingTaskIsLostWithItsWorker() {
        var (script, host) = parent(slots: 1)
        script.submit(host, 1)
        script.wait("g1/0")
        script.start("g2/0")
        script.settle()
        script.lose(SessionID(1_001), .died(WorkerDeath(signal: 9)))
        let ends = script.take(containing: "ended")
        #expect(ends == ["c2 ended g2/0 lost WorkerLost (ownerLost)", "c1 ended g1/0 lost WorkerLost"])
    }

    @Test func itsOwnTimeoutGoesOnWhileItWaits() {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: 1)
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "slow", timeout: .seconds(2)))
        script.start("g1/0")
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.wait("g1/0")
        script.start("g2/0")
        script.settle()
        script.advance(by: .seconds(2))
        script.expect(
            "w1 cancel g1/0 taskTimeout",
            "w1 cancel g2/0 taskTimeout",
            "c2 stopping g2 taskTimeout"
        )
    }

    @Test func waitingCountsAsRunningInStatus() {
        var (script, host) = parent(slots: 1)
        script.submit(host, 1)
        script.wait("g1/0")
        script.settle()
        let counts = script.core.snapshot(at: script.now)?.groups.first?.counts
        #expect(counts?.running == 2)
        #expect(counts?.queued == 0)
    }

    @Test func aWorkerWithManyWaitingTasksGetsOnlyWhatTheyWaitFor() {
        var limits = Limits()
        limits.suspendedPerWorker = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        let host = script.client()
        script.worker(slots: 1)
        script.open(client, 1)
        script.submit(client, 1, count: 4)
        script.start("g1/0")
        script.wait("g1/0")
        script.start("g1/1")
        script.settle()
        // Two wait now: the third is not begun though the slot is free, until one of them has gone on.
        script.wait("g1/1")
        script.expectNothing()
        script.open(host, 1, by: "g1/0")
        script.submit(host, 1)
        script.expect("c2 opened g2", "w1 assign g2/0")
        script.seal(host, 1)
        script.finish("g2/0")
        script.want("g1/0")
        script.finish("g1/0")
        let slots = script.trace.lines.filter { $0.hasPrefix("w1 proceed") || $0.hasPrefix("w1 assign") }
        #expect(slots == ["w1 proceed g1/0", "w1 assign g1/2"])
    }

    @Test func aDrainingWorkerStillGetsWhatItsWaitingTasksNeed() {
        var (script, host) = parent(slots: 1)
        script.submit(SessionID(1), 1)
        script.wait("g1/0")
        script.settle()
        script.send(.workerDraining(SessionID(1_001)))
        script.giveBack("g1/1")
        script.settle()
        script.submit(host, 1)
        script.expect("w1 assign g2/0")
        script.seal(host, 1)
        script.finish("g2/0")
        script.want("g1/0")
        script.finish("g1/0")
        script.expect(
            "w1 forget 1",
            "c2 ended g2/0 ok",
            "c2 closed g2 ok",
            "w1 proceed g1/0",
            "c1 ended g1/0 ok"
        )
    }

    @Test func aTaskThatCleansUpBeyondTheLimitMakesRoomForNobody() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 4)
        script.open(client, 1, limit: 1)
        script.submit(client, 1, count: 3)
        script.start("g1/0")
        script.wait("g1/0")
        script.start("g1/1")
        script.wait("g1/1")
        script.start("g1/2")
        script.want("g1/0")
        script.want("g1/1")
        script.settle()
        script.cancelTask(client, 1, 0)
        script.expect("w1 cancel g1/0 requested", "w1 proceed g1/0")
        script.finish("g1/0", .cancelled)
        script.expect("c1 ended g1/0 cancelled (requested)")
        script.finish("g1/2")
        script.expect("w1 proceed g1/1", "c1 ended g1/2 ok")
    }

    @Test func staleReportsOfSlotsMeanNothing() {
        var (script, _) = parent(slots: 1)
        script.want("g1/0")
        script.expectNothing()
        script.finish("g1/0")
        script.settle()
        script.wait("g1/0")
        script.want("g1/0")
        script.expectNothing()
    }

    /// Task g1/0 runs and has opened group 2; the second client is the process that runs it.
    private func parent(slots: UInt32) -> (CoreScript, SessionID) {
        var script = CoreScript()
        let client = script.client()
        let host = script.client()
        script.worker(slots: slots)
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        script.open(host, 1, by: "g1/0")
        script.settle()
        return (script, host)
    }
}
