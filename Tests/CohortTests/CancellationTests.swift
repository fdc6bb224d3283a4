internal import Cohort
internal import FoundationEssentials
internal import Glibc
internal import Synchronization
internal import Testing

/// Cancellation of the calling program, nested scopes, cleanups and shields.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct CancellationTests {
    /// The must-show: nothing starts after the cancel, and nothing is left when the call returns.
    @Test func aCancelledCallerWaitsUntilAllHasEnded() async throws {
        let cluster = try TestCluster(slots: 4)
        let log = "/tmp/cohort-test-log-\(UInt64.random(in: 0 ... .max))"
        defer { unlink(log) }
        try await cluster.withPool { pool in
            let spawned = Mutex(false)
            let caller = Task {
                try await pool.withGroup("many") { group in
                    let tasks = try (0..<1_004).map { number in
                        try group.run(.shell("echo \(number) >> \(log); exec sleep 60"), name: "task \(number)")
                    }
                    spawned.withLock { $0 = true }
                    _ = try await gather(tasks)
                }
            }
            try await eventually("4 tasks that run") { spawned.withLock { $0 } && Self.lines(log) == 4 }
            caller.cancel()
            let error = try await thrown(GroupError.self) { try await caller.value }
            #expect(error.kind == .cancelled)
            let document = try #require(error.document)
            #expect(document.cancelled)
            #expect(document.tasks.count == 1_004)
            #expect(document.tasks.allSatisfy { $0.outcome == .cancelled })
            #expect(document.tasks.filter(\.started).count == 4)
            #expect(Self.lines(log) == 4)
        }
        // A worker that has nothing to do would have begun the next one by now.
        #expect(Self.lines(log) == 4)
    }

    private static func lines(_ path: String) -> Int {
        let text = try? String(contentsOfFile: path, encoding: .utf8)
        return text?.split(separator: "\n").count ?? 0
    }

    @Test func aShieldedTaskOutlivesTheCancel() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let caller = Task {
                try await pool.withGroup("shielded") { group in
                    let kept = try group.spawn(Demo.sleep, 0.2, name: "kept", TaskOptions(shield: true))
                    let lost = try group.spawn(Demo.sleep, 60, name: "lost")
                    withUnsafeCurrentTask { $0?.cancel() }
                    await group.cancel()
                    #expect(await kept.end.value == 0.2)
                    #expect(await lost.end.outcome == .cancelled)
                    return group
                }
            }
            let error = try await thrown(GroupError.self) { try await caller.value }
            #expect(error.kind == .cancelled)
            #expect(error.document?.tasks.map(\.outcome) == [.ok, .cancelled])
        }
    }

    @Test func anErrorCaughtInTheBodyLeavesTheOuterGroupOk() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let group = try await pool.withGroup("outer") { outer in
                let error = try await thrown(GroupError.self) {
                    try await outer.withGroup("inner") { inner in
                        try inner.spawn(Demo.fail, "caught", name: "bad")
                    }
                }
                #expect(error.kind == .errors)
                #expect(try await outer.spawn(Demo.echo, 7).value == 7)
                return outer
            }
            let document = try #require(group.document)
            #expect(document.outcome == .ok)
            #expect(document.groups.map(\.group) == ["inner"])
            #expect(document.groups.first?.outcome == .errors)
            #expect(document.groups.first?.version == nil)
            #expect(document.tally.total == 2)
        }
    }

    @Test func anErrorThatLeavesTheBodyIsABranchOfTheOuterTree() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("outer", GroupOptions(policy: .continue)) { outer in
                    _ = try await outer.spawn(Demo.fail, "outside", name: "outside").end
                    _ = try await outer.withGroup("inner") { inner in
                        try inner.spawn(Demo.fail, "inside", name: "inside")
                    }
                }
            }
            let tree = try #require(error.tree)
            guard case .group(let root) = tree, root.errors.count == 2, case .group(let inner) = root.errors[1] else {
                Issue.record("not the tree of two groups: \(error)")
                return
            }
            #expect(root.id == error.document?.id)
            #expect(inner.group == "inner")
            #expect(inner.id != nil)
            let (inside, rest) = error.split(task: "inside")
            #expect(inside?.leaves.map(\.task) == ["inside"])
            #expect(rest?.leaves.map(\.task) == ["outside"])
        }
    }

    @Test func theOuterDeadlineReachesTheInnerGroup() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("outer") { outer in
                    let inner = try await thrown(GroupError.self) {
                        try await outer.withGroup("inner") { inner in
                            // Not before the inner group is there, however slow the machine is.
                            try await outer.setDeadline(.milliseconds(100))
                            return try await inner.spawn(Demo.sleep, 60).value
                        }
                    }
                    #expect(inner.kind == .cancelled)
                    #expect(inner.deadlineOf == "outer")
                    throw inner
                }
            }
            #expect(error.kind == .timeout)
            #expect(error.deadlineOf == "outer")
        }
    }

    @Test func aScopeInACleanupRunsThoughTheGroupStops() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("stopped") { group in
                    do {
                        try group.spawn(Demo.fail, "why it stops", name: "bad")
                        _ = try await group.spawn(Demo.sleep, 60).value
                    } catch {
                        #expect(group.isStopping)
                        let cleaned = try await withCancellationShield {
                            try await group.withGroup("cleanup") { try await $0.spawn(Demo.echo, 3).value }
                        }
                        #expect(cleaned == 3)
                        throw error
                    }
                }
            }
            #expect(error.kind == .errors)
            #expect(error.leaves.map(\.task) == ["bad"])
            #expect(error.document?.groups.first?.outcome == .ok)
        }
    }

    @Test func aShieldedGroupIsNotReachedByTheCallersCancellation() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let caller = Task {
                try await pool.withGroup("outer") { outer in
                    try await outer.withGroup("kept", GroupOptions(shield: true)) { kept in
                        await outer.cancel()
                        return try await kept.spawn(Demo.sleep, 0.1).value
                    }
                }
            }
            let value = try await caller.value
            #expect(value == 0.1)
        }
    }

    @Test func aRequestThatIsPendingReachesANewGroupWhereItsBodyWaits() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let caller = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return try await pool.withGroup("pending") { group in
                    let task = try group.spawn(Demo.sleep, 60)
                    _ = try await thrown(CancellationError.self) { try await task.value }
                    throw CancellationError()
                }
            }
            let error = try await thrown(GroupError.self) { try await caller.value }
            #expect(error.kind == .cancelled)
            #expect(error.document?.tasks.map(\.outcome) == [.cancelled])
        }
    }

    @Test func aLostConnectionEndsEveryWait() async throws {
        let cluster = try TestCluster(slots: 1)
        let pool = try await Pool.connect(to: cluster.endpoint, name: "lost")
        let error = try await thrown(GroupError.self) {
            try await pool.withGroup("lost") { group in
                let task = try group.spawn(Demo.sleep, 60, name: "gone")
                let queued = try group.spawn(Demo.sleep, 60)
                try await eventually("a task that runs") { task.state == .running }
                async let end = task.end
                let waiter = Task { try await queued.value }
                cluster.stopCoordinator()
                let failure = try await thrown(PoolError.self) { try await waiter.value }
                let ended = await end
                #expect(ended.outcome == .lost)
                #expect(ended.result.started)
                #expect(ended.error?.leaves.first?.type == .connectionLost)
                #expect(failure.kind == .lost)
                #expect(await task.cancel() == false)
                let refusal = try await thrown(SpawnRefused.self) { try group.spawn(Demo.echo, 1) }
                #expect(refusal.code == .lost)
                try Task.checkCancellation()
            }
        }
        #expect(error.kind == .lost)
        #expect(error.message.contains(cluster.endpoint))
        _ = try await thrown(PoolError.self) { try await pool.workers() }
        let again = try await thrown(GroupError.self) { try await pool.withGroup("later") { _ in } }
        #expect(again.kind == .lost)
        await pool.close()
    }

    @Test func aClosedPoolEndsEveryWait() async throws {
        let cluster = try TestCluster(slots: 1)
        let pool = try await Pool.connect(to: cluster.endpoint)
        let error = try await thrown(GroupError.self) {
            try await pool.withGroup("closed") { group in
                let task = try group.spawn(Demo.sleep, 60)
                async let end = task.end
                await pool.close()
                #expect(await end.outcome == .lost)
            }
        }
        #expect(error.kind == .lost)
        try await cluster.withPool { other in
            try await eventually("the coordinator to end it") {
                try await other.workers().first.map { $0.running == 0 } ?? false
            }
        }
    }
}
