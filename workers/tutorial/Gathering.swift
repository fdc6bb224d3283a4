internal import Cohort
internal import CohortWorker

/// E16: structured values of several tasks.
enum Gather: Example {
    static let name = "gather"
    private static let fetch = RemoteFunction<Job, Page>("gather.fetch")

    private struct Page: Codable, Sendable {
        var source: String
        var data: String
    }

    static func register(in worker: inout Worker) throws {
        try worker.register(fetch) { job, _ in
            print("Fetching from \(job.name)...")
            try await Task.sleep(for: seconds(job.seconds))
            return Page(source: job.name, data: "\(Int(job.seconds)) s of work")
        }
    }

    static func run(_ pool: Pool) async throws {
        let jobs = [Job(name: "API", seconds: 2), Job(name: "Database", seconds: 3), Job(name: "Cache", seconds: 1)]
        let pages = try await pool.withGroup("fetch") { group in
            let tasks = try jobs.map { try group.spawn(fetch, $0, name: $0.name) }
            let pages = try await gather(tasks)
            await printOutput(of: tasks)
            return pages
        }
        for page in pages { print("\(page.source): \(page.data)") }
    }
}

/// E17: every outcome in its place, errors among them. The group is asked to go on; and it tells of its errors even so when
/// it is left, so that none is lost by mistake.
enum GatherEnds: Example {
    static let name = "gather-ends"
    private static let work = RemoteFunction<Int, String>("gather-ends.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { delay, _ in
            try await Task.sleep(for: seconds(Double(delay)))
            if delay == 2 { throw TaskError(type: .valueError, message: "Something went wrong in worker \(delay)") }
            return "Result from \(delay)s"
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("workers", GroupOptions(policy: .continue)) { group in
                let tasks = try [3, 2, 1].map { try group.spawn(work, $0, name: "worker \($0)") }
                for end in await gatherEnds(tasks) {
                    print(end.value ?? end.error?.leaves.map { "\($0.type.rawValue): \($0.message)" }.joined() ?? "")
                }
            }
        } catch {
            print(error.message)
        }
    }
}

/// E28: three factorials, each computed step by step.
enum Factorials: Example {
    static let name = "factorials"
    private static let factorial = RemoteFunction<Int, Int>("factorials.factorial")

    static func register(in worker: inout Worker) throws {
        try worker.register(factorial) { number, context in
            var product = 1
            for factor in 2...number {
                print("\(context.taskName): Compute factorial(\(number)), currently i=\(factor)...")
                try await Task.sleep(for: seconds(1))
                product *= factor
            }
            print("\(context.taskName): factorial(\(number)) = \(product)")
            return product
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("factorials") { group in
            let tasks = [
                try group.spawn(factorial, 2, name: "Task A"),
                try group.spawn(factorial, 3, name: "Task B"),
                try group.spawn(factorial, 4, name: "Task C"),
            ]
            let values = try await gather(tasks)
            await printOutput(of: tasks)
            print(values)
        }
    }
}
