internal import Cohort
internal import CohortWorker

/// E3: the first failure cancels the rest. The group throws when all of it has ended, not before.
enum OneTaskFails: Example {
    static let name = "one-task-fails"
    private static let work = RemoteFunction<Int, Int>("one-task-fails.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { number, _ in
            if number == 2 {
                try await Task.sleep(for: seconds(0.5))
                throw TaskError(type: .valueError, message: "Something bad happened")
            }
            try await Task.sleep(for: seconds(10))
            return number
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("one fails") { group in
                for number in 1...3 { try group.spawn(work, number, name: "task \(number)") }
            }
        } catch {
            // Whatever has happened, the document tells of every task, in the order of spawning.
            for task in error.document?.tasks ?? [] { print("\(task.name): \(task.outcome)") }
            for leaf in error.leaves { print("\(leaf.task ?? "the body") failed: \(leaf.message)") }
        }
    }
}

/// E4: one task is cancelled by hand. That is no error: the others go on, and the group ends well.
enum OneTaskCancelled: Example {
    static let name = "one-task-cancelled"
    private static let hello = RemoteFunction<Int, Int>("one-task-cancelled.hello")

    static func register(in worker: inout Worker) throws {
        try worker.register(hello) { number, _ in
            try await Task.sleep(for: seconds(2))
            print("Hello from task \(number)")
            return number
        }
    }

    static func run(_ pool: Pool) async throws {
        let tasks = try await pool.withGroup("one is cancelled") { group in
            let tasks = try (1...3).map { try group.spawn(hello, $0, name: "task \($0)") }
            try await Task.sleep(for: seconds(0.5))
            await tasks[1].cancel()
            return tasks
        }
        await printOutput(of: tasks)
        for task in tasks { print("\(task.name): \(await task.result.outcome)") }
    }
}
