internal import CohortCore
internal import Testing

/// Clients that go, detached groups, the coordinator's own end.
@Suite struct ClientLostTests {
    @Test(arguments: [true, false])
    func anAttachedGroupEndsWithItsClient(isSealed: Bool) {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.submit(client, 1, count: 2)
        script.submit(client, 2)
        script.start("g1/0")
        if isSealed {
            script.seal(client, 1)
            script.seal(client, 2)
        }
        script.settle()
        script.lose(client)
        script.expect(
            "c1 close leaseExpired",
            "w1 cancel g1/0 ownerLost grace 0.25",
            "w1 cancel g1/1 ownerLost grace 0.25"
        )
        script.finish("g1/0", .cancelled)
        script.finish("g1/1", .cancelled, started: false)
        script.expect("w1 forget 1")
        #expect(openGroups(&script) == [])
    }

    @Test func nothingOfItIsToldToTheNextClient() {
        var script = CoreScript()
        let lost = script.client()
        let worker = script.worker()
        script.open(lost, 1)
        script.submit(lost, 1, TaskTemplate(name: "task", output: .stream))
        script.start("g1/0")
        script.lose(lost)
        script.settle()
        // It takes the place of the lost one.
        let next = script.client()
        let held = script.held("g1/0")
        script.report(from: worker) {
            $0.outputs = [OutputChunk(ref: held.ref, stream: .standardOutput, length: 3)]
            $0.payload = Array("abc".utf8)
        }
        script.expect("w1 grant g1/0 3")
        script.finish("g1/0", .cancelled)
        script.expect("w1 forget 1")
        script.open(next, 1)
        script.expect("c2 opened g2")
    }

    @Test func otherClientsGroupsGoOn() {
        var script = CoreScript()
        let lost = script.client()
        let other = script.client()
        script.worker(slots: 2)
        script.open(lost, 1)
        script.open(other, 1)
        script.submit(lost, 1)
        script.submit(other, 1)
        script.seal(other, 1)
        script.settle()
        script.lose(lost)
        script.expect("c1 close leaseExpired", "w1 cancel g1/0 ownerLost grace 0.25")
        script.finish("g2/0")
        script.expect("w1 forget 1", "c2 ended g2/0 ok", "c2 closed g2 ok")
    }

    // MARK: Detached

    @Test func aDetachedGroupOutlivesItsClient() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 1, count: 2)
        script.submit(client, 2)
        script.seal(client, 2)
        script.seal(client, 1)
        script.settle()
        script.lose(client, .goodbye)
        script.expect("c1 close goodbye")
        script.finish("g1/0")
        script.finish("g1/1")
        script.finish("g2/0", value: "v")
        script.expect("w1 assign g1/1", "w1 assign g2/0", "w1 forget 2")
        #expect(openGroups(&script) == ["group-1 ok"])
    }

    @Test func aDetachedGroupThatBrokeOffIsStopped() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 2)
        script.seal(client, 2)
        script.settle()
        script.lose(client)
        script.expect("c1 close leaseExpired", "w1 cancel g2/0 ownerLost")
        script.finish("g2/0", .cancelled)
        script.expect("w1 forget 1")
        #expect(openGroups(&script) == ["group-1 cancelled"])
    }

    @Test func anInnerGroupThatBrokeOffIsStoppedAlone() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1, detached: true)
        script.open(client, 2, in: 1)
        script.submit(client, 1)
        script.submit(client, 2)
        script.seal(client, 1)
        script.settle()
        script.lose(client)
        script.expect("c1 close leaseExpired", "w1 cancel g2/0 ownerLost")
        script.finish("g2/0", .cancelled)
        script.finish("g1/0")
        script.expect("w1 forget 1", "w1 forget 1")
        #expect(openGroups(&script) == ["group-1 ok"])
    }

    // MARK: Draining

    @Test func drainingStopsAllAndOpensNothing() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2)
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.open(client, 3, detached: true)
        script.submit(client, 2)
        script.submit(client, 3)
        script.settle()
        script.send(.drainRequested)
        script.expect(
            "w1 cancel g2/0 shutdown",
            "w1 cancel g3/0 shutdown",
            "c1 stopping g1 shutdown",
            "c1 stopping g2 shutdown",
            "c1 stopping g3 shutdown"
        )
        script.open(client, 4)
        script.submit(client, 1)
        script.expect("c1 refused draining", "c1 refused shuttingDown")
        script.finish("g2/0", .cancelled)
        script.settle()
        script.finish("g3/0", .cancelled)
        script.expect("w1 forget 1", "c1 closed g3 cancelled cancelled (shutdown)", "drained")
        script.send(.drainRequested)
        script.expectNothing()
    }

    @Test func drainingAnIdleCoordinatorEndsAtOnce() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.open(client, 2, in: 1, shield: true)
        script.settle()
        script.send(.drainRequested)
        script.expect(
            "c1 stopping g1 shutdown",
            "c1 closed g2 ok",
            "c1 closed g1 ok cancelled (shutdown)",
            "drained"
        )
    }

    private func openGroups(_ script: inout CoreScript) -> [String] {
        let client = script.client()
        script.send(.queried(client))
        defer { script.settle() }
        guard case .answer(_, let snapshot)? = script.actions.last else { return ["no answer"] }
        return snapshot.groups.map { "\($0.name) \($0.outcome.map { "\($0)" } ?? "open")" }
    }
}
