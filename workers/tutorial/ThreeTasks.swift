internal import Cohort
internal import CohortWorker

/// E1: three tasks side by side. Leaving the group waits for all of them.
enum ThreeTasks: Example {
    static let name = "three-tasks"
    private static let hello = RemoteFunction<Int, Int>("three-tasks.hello")

    static func register(in worker: inout Worker) throws {
        try worker.register(hello) { number, _ in
            print("Hello from task \(number)")
            try await Task.sleep(for: seconds(1))
            return number
        }
    }

    static func run(_ pool: Pool) async throws {
        let tasks = try await pool.withGroup("three tasks") { group in
            try (1...3).map { try group.spawn(hello, $0, name: "task \($0)") }
        }
        await printOutput(of: tasks)
        print("Done")
    }
}

/// E2: values. A handle gives its task's value, inside the group and after it.
enum NineValues: Example {
    static let name = "nine-values"
    static let slots = 9
    private static let hundredfold = RemoteFunction<Int, Int>("nine-values.hundredfold")

    static func register(in worker: inout Worker) throws {
        try worker.register(hundredfold) { number, _ in
            try await Task.sleep(for: seconds(1))
            return number * 100
        }
    }

    static func run(_ pool: Pool) async throws {
        let tasks = try await pool.withGroup("nine values") { group in
            try (1...9).map { try group.spawn(hundredfold, $0) }
        }
        for task in tasks { print(try await task.value) }
    }
}
