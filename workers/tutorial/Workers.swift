internal import Cohort
internal import CohortWorker

/// E5: values in the order of the arguments, whoever is first.
enum Workers: Example {
    static let name = "workers"
    private static let work = RemoteFunction<Job, String>("workers.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return "Worker \(job.name) done in \(Int(job.seconds))s"
        }
    }

    static func run(_ pool: Pool) async throws {
        let results = try await pool.withGroup("workers") { group in
            let jobs = [Job(name: "A", seconds: 2), Job(name: "B", seconds: 1), Job(name: "C", seconds: 3)]
            return try await gather(jobs.map { try group.spawn(work, $0, name: $0.name) })
        }
        print(results)
    }
}

/// E6: errors are told apart by their types, as `except*` does.
enum WorkerFails: Example {
    static let name = "worker-fails"
    private static let work = RemoteFunction<Job, String>("worker-fails.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            if job.name == "B" {
                throw TaskError(type: .valueError, message: "B failed after \(Int(job.seconds))s")
            }
            return job.name
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("workers") { group in
                try group.spawn(work, Job(name: "A", seconds: 2))
                try group.spawn(work, Job(name: "B", seconds: 1))
                try group.spawn(work, Job(name: "C", seconds: 3))
            }
        } catch {
            let (wrong, rest) = error.split(types: .valueError)
            for leaf in wrong?.leaves ?? [] { print("Caught: \(leaf.message)") }
            if let rest { throw rest }
        }
    }
}

/// E7: a limit for a part of what a task does, which the task deals with itself: a group with a deadline around it.
enum WorkerTimeouts: Example {
    static let name = "worker-timeouts"
    private static let work = RemoteFunction<LimitedJob, String>("worker-timeouts.work")

    private struct LimitedJob: Codable, Sendable {
        var name: String
        var seconds: Double
        var limit: Double
    }

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { job, context in
            do {
                // `async with asyncio.timeout(limit)`. The group has no tasks: the deadline is for its body as well.
                try await context.withGroup("limited", GroupOptions(deadline: seconds(job.limit))) { _ in
                    try await Task.sleep(for: seconds(job.seconds))
                }
                return "\(job.name) completed"
            } catch let error as GroupError where error.kind == .timeout {
                return "\(job.name) timed out"
            }
        }
    }

    static func run(_ pool: Pool) async throws {
        let results = try await pool.withGroup("workers") { group in
            let jobs = [
                LimitedJob(name: "A", seconds: 5, limit: 2),
                LimitedJob(name: "B", seconds: 1, limit: 3),
                LimitedJob(name: "C", seconds: 3, limit: 10),
            ]
            return try await gather(jobs.map { try group.spawn(work, $0, name: $0.name) })
        }
        for result in results { print(result) }
    }
}
