internal import CohortCore
internal import Testing

/// Workers that go: who is blamed, what comes back (promises 2 and 8).
@Suite struct LostWorkerTests {
    @Test func onlyWhatRanIsLost() {
        var script = holding(policy: .continue)
        script.kill(SessionID(1_001), begun: "g1/0")
        script.expect(
            "w1 lost: 1 running, 2 returned",
            "w1 close died(killed by signal 9)",
            "w2 assign g1/1 #2",
            "w2 assign g1/2 #2",
            "c1 ended g1/0 lost WorkerLost"
        )
    }

    @Test func theReportNamesTheWorkerAndHowItDied() throws {
        let ends: [(SessionEnd, String, Int32?, Int32?)] = [
            (.died(WorkerDeath(signal: 9)), "worker worker-1 was killed by signal 9", nil, 9),
            (
                .died(WorkerDeath(exitCode: 3)), "worker worker-1 exited with status 3 while the task was running", 3,
                nil
            ),
            (.leaseExpired, "worker worker-1 was not heard of for 4 s", nil, nil),
            (.unreachable, "worker worker-1 was not heard of for 4 s, for its connection broke off", nil, nil),
            (.goodbye, "worker worker-1 left while the task was running", nil, nil),
        ]
        for (end, message, exitCode, signal) in ends {
            var script = holding(policy: .continue)
            script.jump(by: .seconds(4))
            script.lose(SessionID(1_001), end)
            let update = script.actions.compactMap { action -> ClientUpdate? in
                if case .update(_, let update) = action { update } else { nil }
            }
            let report = try #require(update.first?.reports.first)
            let detail = try #require(update.first?.details.first)
            #expect(report.elapsed == .seconds(4))
            #expect(report.worker == 1)
            #expect(detail.message == message)
            #expect(detail.exitCode == exitCode)
            #expect(detail.signal == signal)
        }
    }

    @Test func theLossStopsTheGroupBeforeAnythingIsGivenOut() {
        var script = holding(policy: .cancel)
        script.kill(SessionID(1_001), begun: "g1/0")
        script.expect(
            "w1 lost: 1 running, 2 returned",
            "w1 close died(killed by signal 9)",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 lost WorkerLost",
            "c1 ended g1/1 cancelled unstarted (siblingFailed)",
            "c1 ended g1/2 cancelled unstarted (siblingFailed)",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func whatRanIsTriedAgainIfThatIsAllowed() {
        var script = holding(policy: .cancel, retries: 1)
        script.kill(SessionID(1_001), begun: "g1/0")
        script.expect(
            "w1 lost: 1 running, 2 returned",
            "w1 close died(killed by signal 9)",
            "w2 assign g1/0 #2",
            "w2 assign g1/1 #2",
            "w2 assign g1/2 #2"
        )
        script.finish("g1/0")
        script.expect("c1 ended g1/0 ok attempts 2")
        script.finish("g1/1", .failed, error: "A")
        script.expect("w2 assign g1/1 #3")
        script.finish("g1/1")
        // Having been assigned to the worker that was lost cost it nothing.
        script.expect("c1 ended g1/1 ok attempts 2")
    }

    @Test func whatWasCancelledAndOnlyAssignedEndsWithItsWorker() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.seal(client, 1)
        script.cancel(client, 1)
        script.settle()
        script.lose(worker, .goodbye)
        script.expect(
            "w1 lost: 0 running, 2 returned",
            "w1 close goodbye",
            "c1 ended g1/1 cancelled unstarted (requested)",
            "c1 ended g1/0 cancelled unstarted (requested)",
            "c1 closed g1 cancelled cancelled (requested)"
        )
    }

    @Test func whatWasCancelledAndRanIsLost() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker()
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "task", retries: 9))
        script.seal(client, 1)
        script.start("g1/0")
        script.cancel(client, 1)
        script.settle()
        script.lose(worker)
        script.expect(
            "w1 lost: 1 running, 0 returned",
            "w1 close leaseExpired",
            "c1 ended g1/0 lost WorkerLost (requested)",
            "c1 closed g1 errors cancelled (requested)"
        )
    }

    @Test func anIdleWorkerGoesQuietly() {
        var script = CoreScript()
        let worker = script.worker()
        script.lose(worker, .goodbye)
        script.expect("w1 close goodbye")
        script.lose(worker, .leaseExpired)
        script.expectNothing()
    }

    @Test func aLostWorkersMessagesAndPlaceAreNobodyElses() {
        var script = holding(policy: .continue)
        let old = script.held("g1/0")
        let returned = script.held("g1/1")
        script.lose(SessionID(1_001))
        script.settle()
        // It takes the place of the lost one.
        let next = script.worker(slots: 3)
        script.send(CoreScript.finished(old))
        script.send(CoreScript.finished(.init(worker: next, ref: old.ref)))
        script.send(CoreScript.finished(.init(worker: next, ref: returned.ref)))
        script.expectNothing()
    }

    // MARK: Handed back

    @Test func returnedTasksKeepTheOrderOfSpawning() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 4)
        script.open(client, 1)
        script.submit(client, 1, count: 6)
        script.settle()
        script.giveBack("g1/1", "g1/2", "g1/3")
        script.expect("w1 assign g1/1 #2", "w1 assign g1/2 #2", "w1 assign g1/3 #2")
        script.giveBack("g1/3", "g1/1")
        script.expect("w1 assign g1/1 #3", "w1 assign g1/3 #3")
        script.finish("g1/0")
        script.expect("w1 assign g1/4", "c1 ended g1/0 ok")
    }

    @Test func aReturnedTaskComesBeforeLaterOnesOfOtherGroups() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.submit(client, 1)
        script.submit(client, 2)
        script.submit(client, 1)
        script.submit(client, 2)
        script.settle()
        script.giveBack("g1/1", "g2/0")
        script.expect("w1 assign g2/0 #2", "w1 assign g1/1 #2")
        script.giveBack("g1/0")
        script.expect("w1 assign g1/0 #2")
        script.finish("g1/0")
        script.expect("w1 assign g2/1", "c1 ended g1/0 ok")
    }

    @Test func tasksOfSeveralLostWorkersKeepTheOrderOfSpawning() {
        var script = CoreScript()
        let client = script.client()
        let one = script.worker(slots: 2)
        let two = script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1, count: 6)
        script.settle()
        script.send(.sessionEnded(two, .goodbye), .sessionEnded(one, .goodbye))
        script.settle()
        script.worker(slots: 6)
        let order = script.take(containing: "assign").map { $0.prefix(14) }
        #expect(order == (0..<6).map { "w3 assign g1/\($0)" })
    }

    @Test(arguments: [UInt64](1...20))
    func whateverTheOrderOfComingBackTheOrderOfSpawningHolds(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(slots: 20)
        script.open(client, 1, policy: .continue)
        let retried = TaskTemplate(name: "task", retries: 9, backoff: .milliseconds(1))
        script.submit(client, 1, retried, count: 30)
        // Some are handed back, some fail and come back a little later, while nobody takes any.
        script.send(.workerDraining(worker))
        for index in Array(0..<20).shuffled(using: &generator) {
            if generator.chance(50) {
                script.giveBack("g1/\(index)")
            } else {
                script.finish("g1/\(index)", .failed, error: "A")
            }
            if generator.chance(20) { script.advance(by: .milliseconds(1)) }
        }
        script.advance(by: .milliseconds(1))
        script.settle()
        script.worker(slots: 30)
        let order = script.take(containing: "assign").map { $0.split(separator: " ")[2] }
        #expect(order == (0..<30).map { "g1/\($0)" }, "seed \(seed)")
    }

    @Test func aDrainingWorkerGetsNothingAndHandsBack() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(slots: 2)
        script.open(client, 1)
        script.submit(client, 1, count: 3)
        script.start("g1/0")
        script.settle()
        script.send(.workerDraining(worker))
        script.giveBack("g1/1")
        script.finish("g1/0")
        script.expect("c1 ended g1/0 ok")
        script.worker()
        script.expect("w2 assign g1/1 #2")
    }

    /// A sealed group with three tasks at worker 1, the first one running; worker 2 is free.
    private func holding(policy: FailurePolicy, retries: UInt32 = 0) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 3)
        script.open(client, 1, policy: policy)
        script.submit(client, 1, TaskTemplate(name: "task", retries: retries), count: 3)
        script.seal(client, 1)
        script.start("g1/0")
        script.worker(slots: 3)
        script.settle()
        return script
    }
}
