internal import Cohort
internal import CohortWorker

/// E9: three fetches. One fails, the others are cancelled, and nobody takes half of the pages for all of them.
enum Fetches: Example {
    static let name = "fetches"
    private static let fetch = RemoteFunction<String, Int>("fetches.fetch")

    static func register(in worker: inout Worker) throws {
        // Stands for a client of HTTP, which would throw for a status that means failure.
        try worker.register(fetch) { path, _ in
            if path == "/missing" {
                try await Task.sleep(for: seconds(1))
                throw TaskError(type: "HTTPError", message: "404 for \(path)")
            }
            try await Task.sleep(for: seconds(10))
            return 200
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            let statuses = try await pool.withGroup("fetches") { group in
                try await gather(["/a", "/missing", "/b"].map { try group.spawn(fetch, $0, name: $0) })
            }
            print(statuses)
        } catch {
            for leaf in error.leaves { print("Failed: \(leaf.message)") }
            let counts = error.document?.tally
            print("\(counts?.cancelled ?? 0) others were cancelled")
        }
    }
}

/// E15: what has ended before the failure keeps its outcome.
enum GroupWithFailure: Example {
    static let name = "group-with-failure"
    private static let work = RemoteFunction<Int, String>("group-with-failure.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { delay, _ in
            try await Task.sleep(for: seconds(Double(delay)))
            if delay == 2 { throw TaskError(type: .valueError, message: "Something went wrong in worker \(delay)") }
            print("Worker with delay \(delay) finished")
            return "Result from \(delay)s"
        }
    }

    static func run(_ pool: Pool) async throws {
        print("Starting main with a group...")
        do {
            try await pool.withGroup("workers") { group in
                for delay in 1...3 { try group.spawn(work, delay, name: "worker \(delay)") }
                print("Tasks created in the group.")
            }
        } catch {
            let tasks = error.document?.tasks ?? []
            printOutput(of: tasks)
            for task in tasks { print("\(task.name): \(task.outcome)") }
            print("Caught a group error with \(error.leaves.count) error.")
            for leaf in error.leaves { print(" - \(leaf.message)") }
        }
        print("Main function finished.")
    }
}

/// A task that fails may run again.
enum Retries: Example {
    static let name = "retries"
    private static let flaky = RemoteFunction<Int, Int>("retries.flaky")

    static func register(in worker: inout Worker) throws {
        try worker.register(flaky) { good, context in
            guard context.attempt == good else {
                throw TaskError(type: "Busy", message: "try again")
            }
            return context.attempt
        }
    }

    static func run(_ pool: Pool) async throws {
        let attempt = try await pool.withGroup("retries") { group in
            try await group.spawn(flaky, 3, TaskOptions(retries: 2, backoff: .milliseconds(10))).value
        }
        print("attempt \(attempt) went well")
    }
}
