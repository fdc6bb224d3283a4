internal import CohortCore
internal import Testing

/// Peers that begin a new session while the coordinator lives on.
@Suite struct ReturnTests {
    @Test func aWorkerKeepsWhatItHas() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 5, token: 7)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, count: 5)
        script.start("g1/0", "g1/1")
        let refs = (0..<5).map { script.held("g1/\($0)").ref }
        script.settle()
        let back = script.worker(
            slots: 5,
            token: 7,
            held: [
                HeldAttempt(ref: refs[0], state: .running),
                HeldAttempt(ref: refs[1], state: .ended),
                HeldAttempt(ref: refs[2], state: .unstarted),
                // It has begun since.
                HeldAttempt(ref: refs[3], state: .running),
            ]
        )
        script.expect(
            "w1 close unreachable",
            "w2 welcome back",
            "w2 assign g1/4 #2",
            "c1 started g1/3"
        )
        script.send(CoreScript.finished(.init(worker: back, ref: refs[1])))
        script.expect("c1 ended g1/1 ok")
        // The old session is nobody's any more.
        script.finishAs("g1/0", at: SessionID(1_001))
        script.expectNothing()
        script.finishAs("g1/0", at: back)
        script.expect("c1 ended g1/0 ok")
    }

    @Test func whatAWorkerMayHaveBegunBeforeItForgotAllIsNotGivenOutAgain() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 1, token: 7)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1)
        script.settle()
        script.worker(slots: 1, token: 7, request: SessionRequest(number: 2))
        script.expect(
            "w1 close unreachable",
            "w2 lost: 1 running, 0 returned",
            "c1 ended g1/0 lost WorkerLost"
        )
    }

    /// A greeting from before the coordinator's death comes to the next one: of what was given to the worker in that same
    /// session it says nothing. To give it again as the same attempt is right whether the worker has it or not.
    @Test func aGreetingSaysNothingOfWhatWasGivenInItsOwnSession() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let request = SessionRequest(number: 1)
        script.worker(slots: 2, token: 7, request: request)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, count: 2)
        script.cancelTask(client, 1, 1)
        let refs = ["g1/0", "g1/1"].map { script.held($0).ref }
        script.restart()
        script.settle()
        script.worker(slots: 2, token: 7, request: request)
        #expect(refs == ["g1/0", "g1/1"].map { script.held($0).ref })
        script.expect("w2 cancel g1/1 requested", "w2 assign g1/0", "w2 assign g1/1")
        // It had them, and says so in the greeting that follows.
        let held = refs.map { HeldAttempt(ref: $0, state: .running) }
        script.worker(slots: 2, token: 7, held: held, request: SessionRequest(number: 2, previous: 1))
        script.expect("w2 close unreachable", "w3 welcome back", "w3 cancel g1/1 requested")
    }

    @Test func whatAWorkerHasOfAnotherCoordinatorMeansNothing() {
        var script = CoreScript()
        let client = script.client()
        script.worker(token: 7, request: SessionRequest(number: 2, previous: 1, lineage: 5))
        script.open(client, 1)
        script.submit(client, 1)
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        script.settle()
        // The answer to its first greeting was lost: it still thinks of the other one.
        script.worker(token: 7, held: [held], request: SessionRequest(number: 3, previous: 1, lineage: 5))
        script.expect("w1 close unreachable", "w2 assign g1/0 #2")
    }

    @Test func aGreetingThatComesLateIsOutdated() {
        var script = CoreScript()
        script.worker(token: 7, request: SessionRequest(number: 3))
        let token = PeerToken(7)
        func isOutdated(_ number: UInt32) -> Bool {
            script.core.isOutdated(SessionRequest(number: number), of: token)
        }
        #expect((1...4).map { isOutdated($0) } == [true, true, false, false])
        // Nor is it a new worker when the one that sent it has gone.
        script.advance(by: .seconds(20), silent: [SessionID(1_001)])
        #expect((1...4).map { isOutdated($0) } == [true, true, false, false])
        let session = script.worker(token: 7, request: SessionRequest(number: 4))
        script.send(.sessionEnded(session, .goodbye))
        #expect((1...6).map { isOutdated($0) } == [true, true, true, true, false, false])
        #expect(!script.core.isOutdated(SessionRequest(), of: .none))
    }

    /// The coordinator has given up a session, and its greeting comes once more: from a client that waits for the answer, or
    /// from one that had it and does not know that all is lost.
    @Test(arguments: [false, true])
    func aSessionThatWasGivenUpGoesOnOnlyIfItIsHeardIn(isHeard: Bool) {
        var script = CoreScript(keepsJournal: true)
        let first = script.client(token: 7)
        script.open(first, 1)
        script.advance(by: .seconds(20), silent: [first])
        script.settle()
        let second = SessionID(50)
        script.send(.clientJoined(second, PeerToken(7), SessionRequest(number: 1)))
        if isHeard { script.send(.heard(second)) }
        script.settle()
        script.send(.clientJoined(SessionID(51), PeerToken(7), SessionRequest(number: 2, previous: 1)))
        #expect(script.actions.contains(.welcome(SessionID(51), resumed: isHeard, unwanted: [])))
    }

    /// A worker goes on with a task that it has begun in such a session: attempts have numbers of their own.
    @Test func whatWasBegunInASessionThatWasGivenUpGoesOn() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let request = SessionRequest(number: 3)
        let first = script.worker(token: 7, request: request)
        script.advance(by: .seconds(20), silent: [first])
        // The answer to its greeting was lost. It has this one, and begins what it is given, but is not heard before the
        // coordinator dies.
        script.worker(token: 7, request: request)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1)
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        script.restart()
        script.client(token: 1)
        script.settle()
        script.worker(token: 7, held: [held], request: SessionRequest(number: 4, previous: 3))
        script.expect("w3 welcome back", "c2 started g1/0")
    }

    /// It has had a session at another coordinator in between, and ended there what it had here.
    @Test func whatWasBegunBeforeASessionElsewhereIsNotBegunAgain() {
        var script = CoreScript()
        let client = script.client()
        script.worker(token: 7, request: SessionRequest(number: 7))
        script.open(client, 1, policy: .continue)
        script.submit(client, 1)
        script.settle()
        script.worker(token: 7, request: SessionRequest(number: 9, previous: 8, lineage: 5))
        #expect(script.take(containing: "g1/0") == ["c1 ended g1/0 lost WorkerLost"])
    }

    @Test func anObituaryThatOvertakesTheGreetingIsRemembered() {
        var script = CoreScript()
        script.send(.workerDied(PeerToken(7), WorkerDeath(signal: 9)))
        #expect(script.core.isOutdated(SessionRequest(number: 1), of: PeerToken(7)))
        #expect(!script.core.isOutdated(SessionRequest(number: 1), of: PeerToken(8)))
    }

    /// It has another offer now. What it was given before stays its own.
    @Test func aWorkerMayComeBackWithLessThanItHas() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.worker(slots: 2, functions: ["f"], token: 7)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, TaskTemplate(name: "f", function: "f"))
        script.submit(client, 1)
        script.start("g1/0", "g1/1")
        let held = ["g1/0", "g1/1"].map { HeldAttempt(ref: script.held($0).ref, state: .running) }
        script.worker(slots: 0, runsCommands: false, token: 7, held: held)
        script.restart()
        let back = script.worker(slots: 0, runsCommands: false, token: 7, held: held)
        script.client(token: 1)
        script.settle()
        script.finishAs("g1/0", at: back)
        script.finishAs("g1/1", at: back)
        #expect(script.take(containing: "ended") == ["c2 ended g1/0 ok", "c2 ended g1/1 ok"])
    }

    @Test func withAJournalDetachedWorkOutlastsABrokenConnection() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let worker = script.worker(slots: 2, token: 7)
        script.open(client, 1, detached: true)
        script.submit(client, 1)
        script.start("g1/0")
        let ref = script.held("g1/0").ref
        script.settle()
        script.send(.unreachable(worker))
        script.advance(by: .seconds(5), silent: [worker])
        // It is given nothing that it would not get.
        script.submit(client, 1)
        script.expectNothing()
        script.worker(slots: 2, token: 7, held: [HeldAttempt(ref: ref, state: .running)])
        script.expect("w1 close unreachable", "w2 welcome back", "w2 assign g1/1")
    }

    @Test func withAJournalAttachedWorkDoesNot() {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        let worker = script.worker(token: 7)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1)
        script.start("g1/0")
        script.settle()
        script.send(.unreachable(worker))
        script.advance(by: .seconds(2), silent: [worker])
        #expect(script.take(containing: "c1 ended") == ["c1 ended g1/0 lost WorkerLost"])
    }

    @Test func whatItShouldNotHaveIsUnwanted() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        let ref = script.held("g1/0").ref
        script.lose(worker)
        script.settle()
        script.worker(token: 7, held: [HeldAttempt(ref: ref, state: .running)])
        // The coordinator has given it up: it is a new worker now.
        script.expect("w2 welcome, unwanted g1/0")
    }

    @Test func whatHasRunAndIsMissingIsLost() {
        var script = CoreScript()
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        script.start("g1/0")
        script.settle()
        script.worker(token: 7)
        script.expect(
            "w1 close unreachable",
            "w2 welcome back",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 lost WorkerLost"
        )
    }

    @Test func itsTemplatesAreSentAgainAndForgottenInTheEnd() {
        var script = CoreScript()
        let client = script.client()
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.start("g1/0")
        let held = HeldAttempt(ref: script.held("g1/0").ref, state: .running)
        let back = script.worker(token: 7, held: [held])
        script.settle()
        script.finishAs("g1/0", at: back)
        let templates = script.actions.compactMap { action -> Int? in
            if case .assign(_, let batch) = action { batch.templates.count } else { nil }
        }
        #expect(templates == [1])
        script.finish("g1/1")
        script.seal(client, 1)
        #expect(script.take(containing: "forget") == ["w2 forget 1"])
    }

    @Test func cancelsAndSlotsAreToldAgain() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 2, token: 7)
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.start("g1/0", "g1/1")
        script.wait("g1/0")
        script.want("g1/0")
        script.cancelTask(client, 1, 1)
        script.acknowledgeCancel("g1/1")
        let held = [
            HeldAttempt(ref: script.held("g1/0").ref, state: .wanting),
            HeldAttempt(ref: script.held("g1/1").ref, state: .running),
        ]
        script.settle()
        script.worker(slots: 2, token: 7, held: held)
        script.expect("w1 close unreachable", "w2 welcome back", "w2 cancel g1/1 requested", "w2 proceed g1/0")
    }

    @Test func aWorkerThatDrainsGoesOnDraining() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(token: 7)
        script.send(.workerDraining(worker))
        script.worker(token: 7)
        script.open(client, 1)
        script.submit(client, 1)
        #expect(script.take(containing: "assign") == [])
    }

    @Test func withoutAJournalAClientBeginsAnew() {
        var script = CoreScript()
        let client = script.client(token: 1)
        script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.settle()
        let back = script.client(token: 1)
        script.expect("c1 close unreachable", "w1 cancel g1/0 ownerLost grace 0.25")
        script.open(back, 1)
        script.expect("c2 opened g2")
    }

    @Test func withAJournalItGoesOn() {
        var script = CoreScript(keepsJournal: true)
        script.delivers = false
        let client = script.client(token: 1)
        script.worker()
        script.open(client, 1)
        script.submit(client, 1, count: 2)
        script.finish("g1/0", value: "v")
        script.settle()
        let back = script.client(token: 1)
        script.expect("c1 close unreachable", "c2 welcome back", "c2 opened g1", "c2 ended g1/0 ok 'v'")
        script.finish("g1/1")
        script.expect("c2 ended g1/1 ok")
        script.send(.groupSealed(client, GroupKey(1), .returned))
        script.expectNothing()
        script.seal(back, 1)
        script.expect("w1 forget 1", "c2 closed g1 ok")
    }

    @Test func aStrangersTokenIsNobodys() {
        var script = CoreScript()
        script.client()
        script.client()
        script.worker()
        script.worker()
        script.expectNothing()
    }
}
