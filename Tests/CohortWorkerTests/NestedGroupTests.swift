internal import Cohort
internal import Glibc
internal import Testing

/// Tasks that open groups of their own, with a real coordinator and worker processes.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct NestedGroupTests {
    private static let nest = RemoteFunction<Int, Int>("fixture.nest")
    private static let inner = RemoteFunction<[String], [String]>("fixture.inner")
    private static let hydra = RemoteFunction<Int, Int>("fixture.hydra")
    private static let family = RemoteFunction<String, String>("fixture.family")

    @Test(arguments: [1, 3, 50])
    func nestingWorksAtOneSlot(depth: Int) async throws {
        try await TestCluster.run { cluster in
            let reached = try await cluster.pool.withGroup("deep") { try await $0.spawn(Self.nest, depth).value }
            #expect(reached == depth)
        }
    }

    @Test func manyTasksWithGroupsShareOneSlot() async throws {
        try await TestCluster.run { cluster in
            let results = try await cluster.pool.withGroup("wide") { group in
                let tasks = try (0..<10).map { try group.spawn(Self.inner, ["\($0)", "b"]) }
                return try await gather(tasks)
            }
            #expect(results == (0..<10).map { ["\($0)", "b"] })
        }
    }

    @Test func errorsBelowStandInThePlaceOfTheTask() async throws {
        try await TestCluster.run { cluster in
            let error = await #expect(throws: GroupError.self) {
                try await cluster.pool.withGroup("outer") { group in
                    _ = try group.spawn(Self.inner, ["fail 1", "good", "fail 2"], name: "opener")
                }
            }
            let outer = try #require(error?.tree)
            guard case .group(let root) = outer, case .group(let nested)? = root.errors.first else {
                Issue.record("no group below: \(outer)")
                return
            }
            #expect(root.errors.count == 1)
            #expect(nested.group == "inner" && nested.task == "opener")
            #expect(Set(nested.errors.flatMap(\.leaves).map(\.message)) == ["fail 1", "fail 2"])
            #expect(error?.leaves.map(\.task) == ["leaf fail 1", "leaf fail 2"])
        }
    }

    @Test func whatTheFunctionHandlesIsNoError() async throws {
        try await TestCluster.run { cluster in
            let text = try await cluster.pool.withGroup("outer") { group in
                try await group.spawn(RemoteFunction<[String], String>("fixture.handled"), ["fail x"]).value
            }
            #expect(text == "fail x")
        }
    }

    @Test func aCancelOfTheTaskReachesItsGroup() async throws {
        let files = TestDirectory()
        try await TestCluster.run(slots: 2) { cluster in
            try await cluster.pool.withGroup("outer") { group in
                let task = try group.spawn(Self.family, files.path)
                let names = ["parent", "call", "child", "grandchild"]
                var pids: [Int32] = []
                for name in names { pids.append(try await files.pid(name)) }
                #expect(await task.cancel(reason: "enough"))
                let outcome = await task.end.outcome
                #expect(outcome == .cancelled)
                // Call hosts live on; the processes of the command do not.
                try await end(of: Array(pids[2...]))
            }
        }
    }

    @Test func theDeathOfATaskStopsItsGroup() async throws {
        let files = TestDirectory()
        try await TestCluster.run(slots: 2) { cluster in
            let error = await #expect(throws: GroupError.self) {
                try await cluster.pool.withGroup("outer") { group in
                    let task = try group.spawn(Self.family, files.path, name: "opener")
                    let names = ["call", "child", "grandchild"]
                    for name in names { _ = try await files.pid(name) }
                    kill(try await files.pid("parent"), SIGKILL)
                    // Its end is told when all below it is gone.
                    let outcome = await task.end.outcome
                    #expect(outcome == .lost)
                    for name in ["child", "grandchild"] {
                        let pid = try await files.pid(name)
                        #expect(hasEnded(pid))
                    }
                }
            }
            #expect(error?.leaves.map(\.type) == [.workerLost])
            #expect(error?.leaves.first?.task == "opener")
        }
    }

    @Test func aGroupLeftOpenIsStopped() async throws {
        let files = TestDirectory()
        try await TestCluster.run(slots: 2) { cluster in
            let leak = RemoteFunction<String, Bool>("fixture.leak")
            let path = files.path("call")
            let value = try await cluster.pool.withGroup("outer") { try await $0.spawn(leak, path).value }
            #expect(value)
            // Its host goes on to serve.
            let depth = try await cluster.pool.withGroup("later") { try await $0.spawn(Self.nest, 2).value }
            #expect(depth == 2)
        }
    }

    @Test func siblingsJoinTheGroup() async throws {
        try await TestCluster.run { cluster in
            let options = GroupOptions(acceptsSiblings: true)
            let group = try await cluster.pool.withGroup("hydra", options) { group in
                _ = try group.spawn(Self.hydra, 4, name: "head 4")
                return group
            }
            let tasks = try #require(group.document).tasks
            #expect(tasks.count == 31)
            #expect(tasks.filter { $0.name == "head 0" }.count == 16)
        }
    }

    @Test func aSiblingCanBeAwaitedAtOneSlot() async throws {
        try await TestCluster.run { cluster in
            let sibling = RemoteFunction<String, String>("fixture.sibling")
            let texts = try await cluster.pool.withGroup("pair", GroupOptions(acceptsSiblings: true)) { group in
                let first = try await group.spawn(sibling, "hello").value
                // Its number in the group is not what it would be without the sibling.
                return [first, try await group.spawn(sibling, "again").value]
            }
            #expect(texts == ["hello", "again"])
        }
    }

    @Test func aGroupThatTakesNoSiblingsSaysSo() async throws {
        try await TestCluster.run { cluster in
            let error = await #expect(throws: GroupError.self) {
                try await cluster.pool.withGroup("closed") { _ = try $0.spawn(Self.hydra, 1) }
            }
            #expect(error?.leaves.map(\.type) == ["SpawnRefused"])
            #expect(error?.leaves.first?.message.contains("takes no tasks") == true)
        }
    }

    @Test func valuesTravelDown() async throws {
        try await TestCluster.run { cluster in
            let values = try await Propagated.with("request", "r-17") {
                try await cluster.pool.withGroup("traced") { group in
                    try await group.spawn(RemoteFunction<String, [String?]>("fixture.value"), "request").value
                }
            }
            #expect(values == ["r-17", "r-17"])
        }
    }

    @Test func functionsKnowTheirDeadlineAndAttempt() async throws {
        try await TestCluster.run { cluster in
            let deadline = RemoteFunction<[String]?, Double?>("fixture.deadline")
            let attempt = RemoteFunction<Int, Int>("fixture.attempt")
            try await cluster.pool.withGroup("g", GroupOptions(deadline: .seconds(1_000))) { group in
                let left = try #require(try await group.spawn(deadline, nil).value)
                #expect(left > 900 && left <= 1_000)
                let nearer = try #require(
                    try await group.spawn(deadline, nil, TaskOptions(timeout: .seconds(100))).value
                )
                #expect(nearer > 50 && nearer <= 100)
                #expect(try await group.spawn(attempt, 3, TaskOptions(retries: 4)).value == 3)
            }
        }
    }

    @Test func aCancelledTaskMayCleanUpWithAGroup() async throws {
        let files = TestDirectory()
        try await TestCluster.run { cluster in
            try await cluster.pool.withGroup("outer", GroupOptions(grace: .seconds(600))) { group in
                let task = try group.spawn(RemoteFunction<String, Bool>("fixture.cleanup"), files.path("started"))
                _ = try await files.pid("started")
                #expect(await task.cancel(reason: "enough"))
                #expect(await task.end.outcome == .cancelled)
                _ = try await files.pid("started.cleaned")
            }
        }
    }

    @Test func progressReachesTheHandle() async throws {
        try await TestCluster.run { cluster in
            try await cluster.pool.withGroup("g") { group in
                let task = try group.spawn(RemoteFunction<Int, Bool>("fixture.progress"), 10)
                #expect(try await task.value)
                let progress = try #require(task.progress)
                #expect(progress.fraction == 1 && progress.note == "step 10")
            }
        }
    }
}
