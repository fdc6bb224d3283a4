internal import Cohort
internal import CohortWorker

/// E18: the first answer is enough. `firstSuccess` cancels the others and waits for their ends; written out, that is a wait
/// and a cancel for each task that is left.
enum FirstMirror: Example {
    static let name = "first-mirror"
    private static let mirror = RemoteFunction<Job, String>("first-mirror.fetch")
    private static let mirrors = [
        Job(name: "Fast Mirror", seconds: 1), Job(name: "Slow Mirror", seconds: 20), Job(name: "Mirror 3", seconds: 20),
    ]

    static func register(in worker: inout Worker) throws {
        try worker.register(mirror) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return "Result from \(job.name)"
        }
    }

    static func run(_ pool: Pool) async throws {
        let first = try await pool.firstSuccess("mirrors") { group in
            try mirrors.map { try group.spawn(mirror, $0, name: $0.name) }
        }
        print("Got first result: \(first)")

        try await pool.withGroup("mirrors") { group in
            let tasks = try mirrors.map { try group.spawn(mirror, $0, name: $0.name) }
            let (done, pending) = try await wait(for: tasks, until: .firstCompleted)
            for task in done { print("Done: \(task.name)") }
            print("Cancelling \(pending.count) pending tasks...")
            for task in pending { await task.cancel() }
        }
        // Leaving the group has waited for them.
        print("Cleanup complete.")
    }
}

/// E30: a wait observes, and neither throws errors of tasks nor cancels any.
enum WaitOnOne: Example {
    static let name = "wait-on-one"
    private static let answer = RemoteFunction<Double, Int>("wait-on-one.answer")

    static func register(in worker: inout Worker) throws {
        try worker.register(answer) { delay, _ in
            try await Task.sleep(for: seconds(delay))
            return 42
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("one") { group in
            let task = try group.spawn(answer, 1)
            let (done, pending) = try await wait(for: [task])
            print("\(done.count) done, \(pending.count) pending, value \(try await task.value)")
        }
    }
}

/// E31: of three tasks, one is done first; the others are stopped.
enum WaitFirst: Example {
    static let name = "wait-first"
    private static let hello = RemoteFunction<Job, String>("wait-first.hello")

    static func register(in worker: inout Worker) throws {
        try worker.register(hello) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return "\(job.name) end"
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("three") { group in
            let tasks = [
                try group.spawn(hello, Job(name: "hello1", seconds: 2)),
                try group.spawn(hello, Job(name: "hello2", seconds: 20)),
                try group.spawn(hello, Job(name: "hello2", seconds: 20)),
            ]
            let (done, pending) = try await wait(for: tasks, until: .firstCompleted)
            print("\(done.count) done, \(pending.count) pending")
            print(try await tasks[0].value)
            for task in pending { await task.cancel() }
        }
    }
}
