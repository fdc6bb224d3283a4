internal import Cohort
internal import Testing

/// Waiting for tasks in all its forms; no wait changes what becomes of a task.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct WaitingTests {
    @Test func gatherKeepsTheOrderAndThrowsTheFirstError() async throws {
        let cluster = try TestCluster(slots: 3)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("gather", GroupOptions(policy: .continue)) { group in
                    let mixed = [try group.spawn(Demo.sleep, 0.05), try group.spawn(Demo.sleep, 0)]
                    #expect(try await gather(mixed) == [0.05, 0])
                    #expect(try await gather([TaskHandle<Int>]()).isEmpty)

                    let slow = try group.spawn(Demo.sleep, 0.1, name: "slow")
                    let bad = try group.spawn(Demo.sleep, -1, name: "bad")
                    let failure = try await thrown(TaskFailure.self) { try await gather([slow, bad]) }
                    #expect(failure.task == "bad")
                    #expect(failure.result.outcome == .error)
                    // The others go on.
                    #expect(try await slow.value == 0.1)

                    let ends = await gatherEnds([slow, bad])
                    #expect(ends.map(\.outcome) == [.ok, .error])
                    #expect(ends.map(\.value) == [0.1, nil])
                    #expect(ends[1].error?.leaves.first?.task == "bad")
                    #expect(ends[0].description == "slow: ok: 0.1")
                    #expect(ends[1].description.hasPrefix("bad: error: "))
                }
            }
            #expect(error.leaves.map(\.task) == ["bad"])
        }
    }

    @Test func waitTellsWhoIsDone() async throws {
        let cluster = try TestCluster(slots: 3)
        try await cluster.withPool { pool in
            try await pool.withGroup("wait") { group in
                let slow = try group.spawn(Demo.sleep, 60, name: "slow")
                let quick = try group.spawn(Demo.echo, 1, name: "quick")
                let (done, pending) = try await wait(for: [slow, quick], until: .firstCompleted)
                #expect(done.map(\.name) == ["quick"])
                #expect(pending.map(\.name) == ["slow"])

                let none = try await wait(for: [slow], timeout: .milliseconds(10))
                #expect(none.done.isEmpty)
                #expect(slow.state != .ended)

                await slow.cancel()
                // A cancelled task is none that has failed: this waits for all.
                let all = try await wait(for: [slow, quick], until: .firstFailed)
                #expect(all.pending.isEmpty)
                #expect(await slow.result.outcome == .cancelled)
            }
        }
    }

    @Test func asCompletedYieldsInTheOrderOfEnds() async throws {
        let cluster = try TestCluster(slots: 3)
        try await cluster.withPool { pool in
            try await pool.withGroup("order") { group in
                let gates = try (0..<2).map { _ in try TaskGate() }
                let tasks = [
                    try group.run(gates[1].command("last")), try group.run(.shell("echo first")),
                    try group.run(gates[0].command("then")),
                ]
                var seen: [String] = []
                for try await task in asCompleted(tasks) {
                    if seen.count < gates.count { gates[seen.count].open() }
                    seen.append(try await task.value.stdout)
                }
                #expect(seen == ["first\n", "then\n", "last\n"])

                let slow = try group.run(.shell("sleep 60"))
                var count = 0
                _ = try await thrown(WaitTimeout.self) {
                    for try await _ in asCompleted(tasks + [slow], timeout: .milliseconds(30)) { count += 1 }
                }
                #expect(count == 3)
                #expect(slow.state != .ended)
                _ = try await thrown(WaitTimeout.self) { try await slow.value(timeout: .milliseconds(10)) }
                await slow.cancel()
            }
        }
    }

    @Test func aCancelledWaiterLeavesTheTaskAlone() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            let value = try await pool.withGroup("fates") { group in
                let gate = try TaskGate()
                let task = try group.run(gate.command("done"))
                let waiter = Task { try await task.value }
                let patient = Task { await task.end.value }
                waiter.cancel()
                patient.cancel()
                _ = try await thrown(CancellationError.self) { try await waiter.value }
                gate.open()
                #expect(await patient.value?.stdout == "done\n")
                // What has ended can be read by a cancelled task as well.
                let late = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await task.value.stdout
                }
                return try await late.value
            }
            #expect(value == "done\n")
        }
    }

    @Test func aTimeoutKeepsTheLateValue() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("late", GroupOptions(grace: .seconds(60))) { group in
                    let task = try group.spawn(Demo.stubborn, 2, TaskOptions(timeout: .milliseconds(50)))
                    let end = await task.end
                    #expect(end.outcome == .timeout)
                    #expect(end.value == 2)
                    #expect(end.error?.leaves.first?.type == .taskTimeout)
                }
            }
            #expect(error.leaves.map(\.type) == [.taskTimeout])
        }
    }

    @Test func aValueOfAnotherTypeIsAnErrorOfItsReader() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            try await pool.withGroup("types") { group in
                let wrong = try group.spawn(RemoteFunction<Int, String>("demo.echo"), 5)
                let error = try await thrown(TaskError.self) { try await wrong.value }
                #expect(error.type == .invalidResult)
                let end = await wrong.end
                #expect(end.outcome == .error)
                #expect(end.result.outcome == .ok)
            }
        }
    }

    @Test func waitsGiveUpTheSlotWhileTheyBlock() async throws {
        let cluster = try TestCluster(slots: 2)
        let session = try await GroupSession(endpoint: cluster.endpoint, name: "slots", patience: .seconds(60))
        let slots = CountingSlots()
        try await session.withGroup("slots", slots: slots) { group in
            let gate = try TaskGate()
            let task = try group.run(gate.command("done"))
            async let opened: Void = {
                try await eventually("a wait") { slots.isWaiting }
                gate.open()
            }()
            _ = try await task.value
            try await opened
            #expect(slots.waits == 1)
            // Nothing to wait for.
            _ = try await task.value
            _ = await task.end
            _ = try await gather([task])
            #expect(slots.waits == 1)
            try group.spawn(Demo.sleep, 0.05)
        }
        // The end of the group.
        #expect(slots.waits == 2)
        #expect(slots.isWaiting == false)
        await session.close()
    }
}
