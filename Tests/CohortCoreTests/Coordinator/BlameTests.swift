internal import CohortCore
internal import Testing

/// Who is charged with the end of a worker, with what proof, and how often.
@Suite struct BlameTests {
    @Test func anExactRecordBlamesExactly() {
        var script = holding(4, isBegun: true)
        // Task 1 has begun too, but its worker could not tell any more.
        script.kill(SessionID(1_001), begun: "g1/0", "g1/1")
        script.expect(
            "w1 lost: 2 running, 2 returned",
            "w1 close died(killed by signal 9)",
            "w2 assign g1/2 #2",
            "w2 assign g1/3 #2",
            "c1 ended g1/0 lost WorkerLost",
            "c1 ended g1/1 lost WorkerLost"
        )
    }

    @Test func anEmptyRecordBlamesNobody() {
        var script = holding(2)
        script.kill(SessionID(1_001))
        script.expect(
            "w1 lost: 0 running, 2 returned",
            "w1 close died(killed by signal 9)",
            "w2 assign g1/0 #2",
            "w2 assign g1/1 #2"
        )
    }

    /// Nobody can tell whether they had begun, and to run them again might be once too often.
    @Test(arguments: [SessionEnd.leaseExpired, .unreachable, .died(WorkerDeath(signal: 9))])
    func withoutARecordAllThatWasHandedOverIsLost(end: SessionEnd) {
        var script = holding(2, isBegun: true)
        script.lose(SessionID(1_001), end)
        script.expect(
            "w1 lost: 2 running, 0 returned",
            "w1 close \(end)",
            "c1 ended g1/0 lost WorkerLost",
            "c1 ended g1/1 lost WorkerLost"
        )
    }

    @Test func whatIsInDoubtIsTriedAgainIfThatIsAllowed() {
        var script = holding(1, retries: 1)
        script.lose(SessionID(1_001))
        script.expect("w1 lost: 1 running, 0 returned", "w1 close leaseExpired", "w2 assign g1/0 #2")
        script.lose(SessionID(1_002))
        script.expect(
            "w2 lost: 1 running, 0 returned",
            "w2 close leaseExpired",
            "c1 ended g1/0 lost WorkerLost attempts 2"
        )
    }

    @Test func aWorkerThatSaysGoodbyeHasKilledWhatRan() {
        var script = holding(2, isBegun: true)
        script.lose(SessionID(1_001), .goodbye)
        script.expect(
            "w1 lost: 1 running, 1 returned",
            "w1 close goodbye",
            "w2 assign g1/1 #2",
            "c1 ended g1/0 lost WorkerLost"
        )
    }

    @Test func theMessageSaysWhatIsKnown() {
        var core = WorkerDeath(signal: 11)
        core.coreDumped = true
        var memory = WorkerDeath(signal: 9)
        memory.outOfMemory = true
        let ends: [(SessionEnd, String)] = [
            (.died(core), "worker worker-1 was killed by signal 11, core dumped"),
            (.died(memory), "worker worker-1 was killed by signal 9, out of memory"),
            (.died(WorkerDeath(exitCode: 3)), "worker worker-1 exited with status 3 while the task was running"),
            (.leaseExpired, "worker worker-1 was not heard of for 4 s"),
        ]
        for (end, message) in ends {
            var script = holding(1)
            script.start("g1/0")
            #expect(Self.detail(of: &script, end)?.message == message)
        }
        var script = holding(1)
        let doubt = Self.detail(of: &script, .leaseExpired)
        #expect(
            doubt?.message
                == "the task was handed to worker worker-1, which was not heard of for 4 s; whether it had begun is not known"
        )
        script = holding(1)
        let unproven = Self.detail(of: &script, .died(WorkerDeath(signal: 9)))
        #expect(
            unproven?.message
                == "the task was handed to worker worker-1, which was killed by signal 9; whether it had begun is not known"
        )
        // The signal is no proof against a task that may never have run.
        #expect(unproven?.signal == nil)
    }

    // MARK: The crash limit

    @Test(arguments: [false, true])
    func aTaskThatTakesDownWorkersIsNotTriedForEver(isRestarted: Bool) {
        var script = CoreScript(keepsJournal: true)
        let client = script.client(token: 1)
        script.open(client, 1, detached: true)
        script.submit(client, 1, TaskTemplate(name: "poison", retries: 100))
        script.seal(client, 1)
        for _ in 1...3 {
            let worker = script.worker()
            script.start("g1/0")
            script.kill(worker, begun: "g1/0")
            if isRestarted { script.restart() }
        }
        script.settle()
        let watcher = script.client()
        script.send(.watched(watcher, .name("group-1")))
        let update = script.actions.compactMap { action -> ClientUpdate? in
            if case .update(watcher, let update) = action { update } else { nil }
        }
        #expect(update.first?.reports.map(\.attempts) == [3])
        #expect(
            update.first?.details.first?.message
                == "worker worker-3 was killed by signal 9; it has taken down 3 workers and is not tried again"
        )
    }

    @Test func lossesWithoutProofDoNotCount() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "unlucky", retries: 100))
        for _ in 1...5 {
            let worker = script.worker()
            script.start("g1/0")
            script.lose(worker)
        }
        script.settle()
        script.worker()
        script.expect("w6 assign g1/0 #6")
    }

    @Test func aTasksRecordIsNoLargerThanItWas() {
        #expect(MemoryLayout<TaskRecord>.size <= 80)
    }

    private static func detail(of script: inout CoreScript, _ end: SessionEnd) -> AttemptDetail? {
        script.jump(by: .seconds(4))
        script.settle()
        script.lose(SessionID(1_001), end)
        let updates = script.actions.compactMap { action -> ClientUpdate? in
            if case .update(_, let update) = action { update } else { nil }
        }
        return updates.first?.details.first
    }

    /// A group with tasks at worker 1, of which the first one may be running; worker 2 is free.
    private func holding(_ count: Int, retries: UInt32 = 0, isBegun: Bool = false) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 4)
        script.open(client, 1, policy: .continue)
        script.submit(client, 1, TaskTemplate(name: "task", retries: retries), count: count)
        if isBegun { script.start("g1/0") }
        script.worker(slots: 4)
        script.settle()
        return script
    }
}
