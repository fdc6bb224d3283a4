internal import Cohort
internal import Testing

/// Many tasks and many groups at once.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct LoadTests {
    @Test func tenThousandTasks() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let sum = try await pool.withGroup("many") { group in
                try await gather((0..<10_000).map { try group.spawn(Demo.echo, $0) }).reduce(0, +)
            }
            #expect(sum == 49_995_000)
        }
    }

    @Test func oneFailureAmongTenThousandTasks() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("many") { group in
                    for number in 0..<10_000 {
                        if number == 5_000 {
                            try group.spawn(Demo.fail, "no", name: "the one")
                        } else {
                            try group.spawn(Demo.echo, number)
                        }
                    }
                }
            }
            #expect(error.kind == .errors)
            #expect(error.leaves.map(\.task) == ["the one"])
            let tasks = try #require(error.document).tasks
            #expect(tasks.count == 10_000)
            #expect(tasks.filter { $0.outcome == .error }.count == 1)
            #expect(tasks.allSatisfy { [.ok, .error, .cancelled].contains($0.outcome) })
        }
    }

    @Test func aThousandFailuresAreAllInTheTree() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let error = try await thrown(GroupError.self) {
                try await pool.withGroup("bad", GroupOptions(policy: .continue)) { group in
                    for number in 0..<1_000 { try group.spawn(Demo.fail, "no \(number)", name: "task \(number)") }
                }
            }
            #expect(error.leaves.count == 1_000)
            #expect(Set(error.leaves.map(\.task)).count == 1_000)
            #expect(Set(error.leaves.map(\.message)) == Set((0..<1_000).map { "no \($0)" }))
        }
    }

    @Test func manyGroupsAtOnce() async throws {
        let cluster = try TestCluster(slots: 2)
        try await cluster.withPool { pool in
            let outcomes = await withTaskGroup(of: Bool.self) { tasks in
                for number in 0..<200 {
                    tasks.addTask {
                        do {
                            let value = try await pool.withGroup("group \(number)") { group in
                                try group.spawn(Demo.echo, number)
                                if number % 2 == 1 { try group.spawn(Demo.fail, "odd") }
                                return try await group.withGroup("inner") { inner in
                                    try await inner.spawn(Demo.echo, number).value
                                }
                            }
                            return number % 2 == 0 && value == number
                        } catch let error as GroupError {
                            // The stop may come before the body spawns into the inner group, or after.
                            let rest = error.split(types: "DemoFailure", .spawnRefused).rest
                            return number % 2 == 1 && error.kind == .errors && rest == nil
                        } catch {
                            return false
                        }
                    }
                }
                return await tasks.reduce(into: [Bool]()) { $0.append($1) }
            }
            #expect(outcomes.count == 200)
            #expect(!outcomes.contains(false))
        }
    }
}
