internal import Cohort
internal import CohortWorker

/// E8: tasks that open groups of their own. A task that waits for its group lends its slot to others meanwhile, so that any
/// number of slots will do: here two parents and their four children share one.
enum NestedGroups: Example {
    static let name = "nested-groups"
    static let slots = 1
    private static let parent = RemoteFunction<String, [String]>("nested-groups.parent")
    private static let child = RemoteFunction<Job, String>("nested-groups.child")

    static func register(in worker: inout Worker) throws {
        try worker.register(parent) { name, context in
            try await context.withGroup("below \(name)") { group in
                let first = try group.spawn(child, Job(name: "\(name)1", seconds: 0.5))
                let second = try group.spawn(child, Job(name: "\(name)2", seconds: 1))
                return try await gather([first, second])
            }
        }
        try worker.register(child) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return "\(job.name) has slept"
        }
    }

    static func run(_ pool: Pool) async throws {
        let (x, y) = try await pool.withGroup("nested") { group in
            let x = try group.spawn(parent, "X")
            let y = try group.spawn(parent, "Y")
            return (try await x.value, try await y.value)
        }
        for line in x + y { print(line) }
    }
}

/// E24: a function calls another one by way of a task and returns its value.
enum NestedCall: Example {
    static let name = "nested-call"
    private static let outer = RemoteFunction<Int, Int>("nested-call.outer")
    private static let inner = RemoteFunction<Int, Int>("nested-call.inner")

    static func register(in worker: inout Worker) throws {
        try worker.register(inner) { number, _ in number * 2 }
        try worker.register(outer) { number, context in
            try await context.withGroup("doubling") { try await $0.spawn(inner, number).value }
        }
    }

    static func run(_ pool: Pool) async throws {
        print(try await pool.withGroup("nested") { try await $0.spawn(outer, 21).value })
    }
}

/// A task adds tasks to the group that it belongs to itself, and the group waits for those too: a tree is walked without
/// anybody knowing its size beforehand.
enum Siblings: Example {
    static let name = "siblings"
    private static let visit = RemoteFunction<String, String>("siblings.visit")

    static func register(in worker: inout Worker) throws {
        try worker.register(visit) { path, context in
            if path.count < 3 {
                for branch in ["a", "b"] {
                    _ = try await context.spawnSibling(visit, path + branch, name: path + branch)
                }
            }
            return path
        }
    }

    static func run(_ pool: Pool) async throws {
        let group = try await pool.withGroup("walk", GroupOptions(acceptsSiblings: true)) { group in
            try group.spawn(visit, "/", name: "/")
            return group
        }
        let visited = group.document?.tasks.map(\.name) ?? []
        print(visited.sorted().joined(separator: " "))
    }
}
