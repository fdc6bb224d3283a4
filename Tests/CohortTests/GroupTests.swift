internal import Cohort
internal import CohortCore
internal import Testing

/// Groups of a client against a real coordinator: values, errors, deadlines, cancels.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct GroupTests {
    @Test func valuesOfCallsAndCommands() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let (sum, text) = try await pool.withGroup("values") { group in
                let numbers = try (1...20).map { try group.spawn(Demo.echo, $0) }
                let command = try group.run(.shell("cat; echo $NAME >&2; printf %s \"$TRACEPARENT\" >&2").with("x"))
                let output = try await command.value
                #expect(output.exitCode == 0)
                #expect(output.stderr == "value\n")
                #expect(command.id == "1.21")
                return (try await gather(numbers).reduce(0, +), output.stdout)
            }
            #expect(sum == 210)
            #expect(text == "x")
        }
    }

    @Test func theFirstErrorCancelsTheRest() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("nightly") { group in
                    try group.spawn(Demo.sleep, 60, name: "slow")
                    try group.spawn(Demo.fail, "no luck", name: "bad")
                    // The body is stopped as well.
                    try await Task.sleep(for: .seconds(60))
                }
            }
            #expect(error.kind == .errors)
            #expect(error.leaves.map(\.task) == ["bad"])
            #expect(error.leaves.first?.type == "DemoFailure")
            #expect(error.leaves.first?.message == "no luck")
            #expect(error.description.contains("bad: DemoFailure: no luck"))
            let document = try #require(error.document)
            #expect(document.outcome == .errors)
            #expect(document.tasks.map(\.outcome) == [.cancelled, .error])
            #expect(document.tasks[1].error?.leaves == error.leaves)
            #expect(document.error?.count == 1)
        }
    }

    @Test func aBodyThatRaisesATasksErrorAgainAddsNoLeaf() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("again") { group in
                    let bad = try group.spawn(Demo.fail, "once", name: "bad")
                    _ = try await bad.value
                }
            }
            #expect(error.leaves.map(\.task) == ["bad"])
        }
    }

    @Test func errorsOfBodiesAreLeavesByTheirTypes() async throws {
        struct Broken: Error {}
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            func leaf(_ body: @escaping @Sendable (Group) async throws -> Void) async throws -> ErrorNode.Leaf? {
                let error = try await thrown(GroupError.self) { try await pool.withGroup("g", GroupOptions(), body) }
                return error.leaves.first
            }
            let broken = try await leaf { _ in throw Broken() }
            #expect(broken?.task == "body")
            #expect(broken?.type.rawValue.hasSuffix("Broken") == true)
            let named = try await leaf { _ in throw TaskError(type: "ValueError", message: "odd") }
            #expect(named?.type == "ValueError")
            #expect(named?.message == "odd")
            let waited = try await leaf { _ in throw WaitTimeout() }
            #expect(waited?.type == .waitTimeout)
        }
    }

    @Test func policiesContinueAndFirst() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("all", GroupOptions(policy: .continue)) { group in
                    try group.spawn(Demo.fail, "one", name: "one")
                    try group.spawn(Demo.fail, "two", name: "two")
                    return try await group.spawn(Demo.echo, 5).value
                }
            }
            #expect(Set(error.leaves.map(\.message)) == ["one", "two"])
            #expect(error.document?.tally.ok == 1)

            let first = try await pool.firstSuccess("first") { group in
                [
                    try group.spawn(Demo.sleep, 60),
                    try group.spawn(Demo.sleep, 0.01),
                ]
            }
            #expect(first == 0.01)

            let nobody = try await thrown(GroupError.self) {
                try await pool.firstSuccess("nobody") { group in
                    [try group.spawn(Demo.fail, "a"), try group.spawn(Demo.fail, "b")]
                }
            }
            #expect(nobody.leaves.count == 2)
        }
    }

    @Test func aDeadlineFiresAndCanBeMoved() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            let late = try await thrown(GroupError.self) {
                try await pool.withGroup("late", GroupOptions(deadline: .seconds(60))) { group in
                    try group.spawn(Demo.sleep, 60)
                    try await group.setDeadline(.milliseconds(20))
                    try await Task.sleep(for: .seconds(60))
                }
            }
            #expect(late.kind == .timeout, "\(late)")
            #expect(late.deadlineOf == "late")
            #expect(late.filter(types: .groupTimeout) != nil)

        }
    }

    @Test func aDeadlineThatIsTakenAwayDoesNotFire() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            var errors: [GroupError] = []
            for seconds in [0.5, 4, 20] {
                do throws(GroupError) {
                    let options = GroupOptions(deadline: .seconds(seconds))
                    let value = try await pool.withGroup("extended", options) { group in
                        try await group.setDeadline(nil)
                        return try await group.spawn(Demo.sleep, seconds * 1.5).value
                    }
                    #expect(value == seconds * 1.5)
                    return
                } catch {
                    // It may have fired before it was taken away, but not each time.
                    errors.append(error)
                }
            }
            Issue.record("each has fired: \(errors)")
        }
    }

    @Test func aDeadlineThatHasFiredCannotBeMoved() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("fired", GroupOptions(deadline: .zero)) { group in
                    try await eventually("a stop") { group.isStopping }
                    let refusal = try await thrown(DeadlineRefused.self) { try await group.setDeadline(.seconds(9)) }
                    #expect(refusal.code == .shuttingDown)
                }
            }
            #expect(error.kind == .timeout, "\(error)")
        }
    }

    @Test func cancelsTellWhetherTheyCameInTime() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("cancelled") { group in
                    let done = try group.spawn(Demo.echo, 1)
                    _ = try await done.value
                    #expect(await done.cancel() == false)
                    let slow = try group.spawn(Demo.sleep, 60, name: "slow")
                    #expect(await slow.cancel(reason: "not wanted") == true)
                    let gone = try await thrown(TaskCancelled.self) { try await slow.value }
                    #expect(gone == TaskCancelled(task: "slow", reason: "not wanted"))
                    let other = try group.spawn(Demo.sleep, 60)
                    #expect(await group.cancel(reason: "enough") == true)
                    #expect(group.isStopping)
                    let refusal = try await thrown(SpawnRefused.self) { try group.spawn(Demo.echo, 2) }
                    #expect(refusal == SpawnRefused(code: .shuttingDown, message: "shutting down"))
                    #expect(await other.end.outcome == .cancelled)
                    try Task.checkCancellation()
                }
            }
            #expect(error.kind == .cancelled)
            #expect(error.cancelled)
            #expect(error.cancelReason == "enough")
        }
    }

    @Test func aGroupThatHasEndedTakesNothing() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            let group = try await pool.withGroup("done") { $0 }
            #expect(group.document?.outcome == .ok)
            #expect(await group.cancel() == false)
            let refusal = try await thrown(SpawnRefused.self) { try group.spawn(Demo.echo, 1) }
            #expect(refusal.code == .finished)
            let deadline = try await thrown(DeadlineRefused.self) { try await group.setDeadline(nil) }
            #expect(deadline.code == .finished)
        }
    }

    @Test func aBodyThatTheStopMeetsAtASpawnEndsCancelled() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("stopped") { group in
                    await group.cancel()
                    try group.spawn(Demo.echo, 1)
                }
            }
            #expect(error.kind == .cancelled)
        }
    }

    @Test func whatCannotBeOpenedIsRefused() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("none", GroupOptions(limit: 0)) { group in
                    let task = try group.spawn(Demo.echo, 1)
                    _ = try await task.value
                }
            }
            #expect(error.kind == .refused)
            #expect(error.message.contains("limit"))
        }
    }

    @Test func aGroupThatLacksTasksDoesNotEndWell() async throws {
        var limits = Limits()
        limits.unfinishedTasks = 5
        let cluster = try TestCluster(limits: limits)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("too many", GroupOptions(policy: .continue)) { group in
                    let tasks = try (0..<10).map { try group.spawn(Demo.echo, $0) }
                    _ = await gatherEnds(tasks)
                }
            }
            #expect(error.kind == .refused)
            #expect(error.message.contains("5 unfinished tasks"))
        }
    }

    @Test func norDoesOneWhoseBodyWaitsForNothing() async throws {
        var limits = Limits()
        limits.unfinishedTasks = 5
        let cluster = try TestCluster(limits: limits)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("too many") { group in
                    for number in 0..<10 { try group.spawn(Demo.echo, number) }
                }
            }
            #expect(error.kind == .refused)
        }
    }

    @Test func aDeadlineInThePastFiresAtOnce() async throws {
        let cluster = try TestCluster(slots: 1)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("over", GroupOptions(deadline: .seconds(60))) { group in
                    let task = try group.spawn(Demo.sleep, 60)
                    try await group.setDeadline(.seconds(-5))
                    return try await task.value
                }
            }
            #expect(error.kind == .timeout, "\(error)")
            #expect(error.document?.tasks.map(\.outcome) == [.cancelled])
        }
    }

    @Test func whatCannotTravelIsRefusedAtOnce() async throws {
        let cluster = try TestCluster()
        try await cluster.withPool { pool in
            try await pool.withGroup("odd") { group in
                let number = try await thrown(SpawnRefused.self) { try group.spawn(Demo.sleep, .nan) }
                #expect(number.code == .invalid)
                #expect(number.message.contains("demo.sleep"))
                let empty = try await thrown(SpawnRefused.self) { try group.run(.arguments([])) }
                #expect(empty.code == .invalid)
                let large = String(repeating: "x", count: 17 << 20)
                let text = try await thrown(SpawnRefused.self) { try group.spawn(Demo.echoText, large) }
                #expect(text.message.contains("pass a file"))
            }
        }
    }

    @Test func workersAreListed() async throws {
        let cluster = try TestCluster(slots: 3)
        try await cluster.withPool { pool in
            try await eventually("the worker") { try await !pool.workers().isEmpty }
            let worker = try #require(try await pool.workers().first)
            #expect(worker.name == "worker")
            #expect(worker.slots == 3)
        }
    }

    @Test func nobodyThere() async throws {
        let error = try await thrown(PoolError.self) {
            try await Pool.connect(to: "ipc:///tmp/cohort-test-nobody", patience: .milliseconds(50))
        }
        #expect(error.kind == .unreachable)
        #expect(error.description.contains("/tmp/cohort-test-nobody"))
        let nonsense = try await thrown(PoolError.self) { try await Pool.connect(to: "nonsense") }
        #expect(nonsense.kind == .unreachable)
        #expect(nonsense.description.contains("nonsense"))
    }
}

extension Command {
    func with(_ input: String) -> Command {
        var command = self
        command.standardInput = Array(input.utf8)
        command.environment = [("NAME", "value")]
        return command
    }
}
