internal import CohortCore
internal import Testing

/// Heartbeats, leases, connections that break.
@Suite struct SessionTests {
    @Test func everyPeerGetsAHeartbeat() {
        var script = CoreScript()
        script.trace.keepsHeartbeats = true
        let client = script.client()
        script.worker()
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("c1 heartbeat", "w1 heartbeat")
        script.lose(client, .goodbye)
        script.advance(by: .seconds(1))
        script.expect("c1 close goodbye", "w1 heartbeat")
    }

    @Test func withoutPeersTheClockMayRest() {
        var script = CoreScript()
        #expect(script.core.nextDeadline == nil)
        let client = script.client()
        script.lose(client, .goodbye)
        script.advance(by: .seconds(1))
        #expect(script.core.nextDeadline == nil)
        script.settle()
        script.client()
        #expect(script.core.nextDeadline == script.now.advanced(by: .seconds(1)))
    }

    @Test func silenceEndsASession() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        script.settle()
        script.advance(by: .milliseconds(9_999), silent: [worker])
        script.expectNothing()
        script.advance(by: .milliseconds(1), silent: [worker])
        script.expect(
            "w1 lost: 1 running, 0 returned",
            "w1 close leaseExpired",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 lost WorkerLost"
        )
        script.advance(by: .seconds(10), silent: [client])
        script.expect("c1 close leaseExpired")
    }

    @Test func aBrokenConnectionEndsASessionSooner() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker()
        script.send(.unreachable(worker), .unreachable(client))
        script.advance(by: .milliseconds(500), silent: [worker, client])
        // Sending to it fails again and again; the time counts from the first failure.
        script.send(.unreachable(worker), .unreachable(client))
        script.expectNothing()
        script.advance(by: .milliseconds(500), silent: [worker, client])
        script.expect("c1 close unreachable", "w1 close unreachable")
    }

    @Test func silenceIsNoticedWhenItFallsDue() {
        var limits = Limits()
        limits.unreachable = .milliseconds(700)
        var script = CoreScript(limits: limits)
        let client = script.client()
        let worker = script.worker()
        script.advance(by: .milliseconds(450))
        script.send(.unreachable(client))
        script.advance(by: .milliseconds(699), silent: [client])
        script.expectNothing()
        script.advance(by: .milliseconds(1), silent: [client])
        script.expect("c1 close unreachable")
        script.send(.heard(worker))
        script.advance(by: .milliseconds(9_999), silent: [worker])
        script.expectNothing()
        script.advance(by: .milliseconds(1), silent: [worker])
        script.expect("w1 close leaseExpired")
    }

    /// Promise 5, with a second for the connection's end to be believed.
    @Test func whatALostClientLeavesIsGoneWithinTwoSeconds() {
        var limits = Limits()
        limits.unreachable = .seconds(1)
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker(slots: 4)
        script.open(client, 1, grace: .seconds(30))
        script.open(client, 2, in: 1, grace: .seconds(30), shield: true)
        script.submit(client, 1)
        script.submit(client, 2)
        script.submit(client, 2, TaskTemplate(name: "shielded", shield: true))
        script.start("g1/0", "g2/0", "g2/1")
        // One of them is being cancelled already, with all the time in the world.
        script.cancelTask(client, 2, 0)
        script.acknowledgeCancel("g2/0")
        script.settle()
        script.send(.connectionLost, .unreachable(client))
        script.advance(by: .seconds(1), silent: [client])
        script.expect(
            "c1 close unreachable",
            "w1 cancel g1/0 ownerLost grace 0.25",
            "w1 cancel g2/0 ownerLost grace 0.25",
            "w1 cancel g2/1 ownerLost grace 0.25"
        )
    }

    @Test func aClientThatSaysGoodbyeLeavesItsTasksTheirGrace() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.settle()
        script.lose(client, .goodbye)
        script.expect("c1 close goodbye", "w1 cancel g1/0 ownerLost")
    }

    @Test func aBrokenConnectionMakesEverybodyShow() {
        var script = CoreScript()
        script.trace.keepsHeartbeats = true
        script.client()
        script.worker()
        script.send(.connectionLost)
        script.expect("c1 heartbeat", "w1 heartbeat")
    }

    @Test func whoeverStoodStillItselfHasHeardNobody() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        // The coordinator is stopped for a minute; what its peers have sent meanwhile comes a moment later.
        script.jump(by: .seconds(60))
        script.send(.timeReached)
        script.expectNothing()
        script.advance(by: .seconds(11), silent: [client])
        script.expect("c1 close leaseExpired")
    }

    @Test func aConnectionThatComesBackIsForgiven() {
        var script = CoreScript()
        let worker = script.worker()
        script.send(.unreachable(worker))
        script.advance(by: .seconds(1))
        script.advance(by: .seconds(5))
        script.expectNothing()
    }

    @Test func eventsOfUnknownSessionsAreNobodysBusiness() {
        var script = CoreScript()
        let nobody = SessionID(77)
        var report = WorkerReport()
        report.started = [AttemptRef(task: TaskKey(raw: .max), attempt: .max)]
        script.send(
            .heard(nobody),
            .unreachable(nobody),
            .sessionEnded(nobody, .goodbye),
            .workerDraining(nobody),
            .workerReported(nobody, report),
            .groupOpened(nobody, GroupSpec(key: GroupKey(1), name: "g")),
            .tasksSubmitted(nobody, TaskSubmission(group: GroupKey(1), first: 0, runs: [])),
            .groupSealed(nobody, GroupKey(1), .returned),
            .groupCancelled(nobody, .name("g"), grace: nil, reason: ""),
            .taskCancelled(nobody, GroupKey(1), index: 0, reason: ""),
            .deadlineChanged(nobody, .id(GroupID(1)), nil),
            .consumed(nobody, weight: 1, outputs: []),
            .watched(nobody, .name("g")),
            .queried(nobody)
        )
        script.expectNothing()
    }

    @Test func theSameEventsGiveTheSameActions() {
        func run() -> ([CoordinatorAction], CoordinatorCore) {
            var script = CoreScript()
            let client = script.client()
            let workers = (0..<5).map { _ in script.worker(slots: 2) }
            for key: UInt32 in 1...20 {
                script.open(client, key, in: key > 3 ? key / 3 : nil)
                script.submit(client, key, count: 3)
            }
            script.lose(workers[2])
            script.advance(by: .seconds(3))
            script.lose(client)
            return (script.actions, script.core)
        }
        let (first, core) = run()
        let (second, again) = run()
        #expect(first == second)
        #expect(core == again)
    }
}
