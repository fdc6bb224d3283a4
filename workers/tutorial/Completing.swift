internal import Cohort
internal import CohortWorker

/// E11: tasks that have ended come in the order in which they did, after their group as well.
enum AsCompletedAfterTheGroup: Example {
    static let name = "as-completed-after-the-group"
    private static let work = RemoteFunction<Int, String>("as-completed-after-the-group.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { number, _ in
            try await Task.sleep(for: seconds(Double(3 - number)))
            return "Worker \(number) done in \(3 - number)s"
        }
    }

    static func run(_ pool: Pool) async throws {
        let tasks = try await pool.withGroup("workers") { group in
            try (0..<3).map { try group.spawn(work, $0) }
        }
        for try await task in asCompleted(tasks) { print(try await task.value) }
    }
}

/// E32: tasks are taken as they end.
enum AsTheyEnd: Example {
    static let name = "as-completed"
    private static let work = RemoteFunction<Job, String>("as-completed.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return "\(job.name) end"
        }
    }

    static func run(_ pool: Pool) async throws {
        print("start")
        try await pool.withGroup("three") { group in
            let jobs = [Job(name: "01", seconds: 5), Job(name: "02", seconds: 3), Job(name: "03", seconds: 4)]
            let tasks = try jobs.map { try group.spawn(work, $0, name: $0.name) }
            for try await task in asCompleted(tasks) { print(try await task.value) }
        }
        print("end")
    }
}

/// Fan-out without a queue: results are read as they come, and a reader that is slow slows down the tasks, not itself.
enum Stream: Example {
    static let name = "completions"
    private static let square = RemoteFunction<Int, Int>("completions.square")

    static func register(in worker: inout Worker) throws {
        try worker.register(square) { number, _ in number * number }
    }

    static func run(_ pool: Pool) async throws {
        let total = try await pool.withGroup("squares") { group in
            for number in 1...100 { try group.spawn(square, number) }
            var total = 0
            for try await result in group.completions(buffering: 16) {
                if case .int(let value) = result.value { total += value }
            }
            return total
        }
        print(total)
    }
}
