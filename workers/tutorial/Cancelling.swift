internal import Cohort
internal import CohortWorker

/// E10: a task that is cancelled cleans up, and everybody waits for that. Its grace bounds the wait.
enum CleanupOnCancel: Example {
    static let name = "cleanup-on-cancel"
    private static let work = RemoteFunction<String, String>("cleanup-on-cancel.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { name, context in
            context.report("working")
            do {
                try await Task.sleep(for: seconds(3_600))
            } catch {
                // Cancellation is a state here: without the shield the sleep would end at once.
                try await withCancellationShield { try await Task.sleep(for: seconds(0.5)) }
                context.report("has cleaned up")
                throw error
            }
            return name
        }
    }

    static func run(_ pool: Pool) async throws {
        let task = try await pool.withGroup("cleanup", GroupOptions(grace: .seconds(10))) { group in
            let task = try group.spawn(work, "Worker")
            try await waitUntil(task) { $0.note == "working" }
            await task.cancel()
            return task
        }
        print("Worker: \(await task.result.outcome), \(task.progress?.note ?? "")")
    }
}

/// E19: a worker is cancelled in its third step. Whatever happens, it releases what it holds.
enum CancelAWorker: Example {
    static let name = "cancel-a-worker"
    private static let work = RemoteFunction<Int, Int>("cancel-a-worker.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { steps, context in
            defer { context.report("Connection released") }
            for step in 1...steps {
                context.report("Working... step \(step)")
                try await Task.sleep(for: step < steps ? seconds(1) : seconds(3_600))
            }
            return steps
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("worker") { group in
            let task = try group.spawn(work, 3, name: "worker")
            try await waitUntil(task) { $0.note == "Working... step 3" }
            print("Main decides to cancel the task.")
            await task.cancel(reason: "enough")
            do {
                print(try await task.value)
            } catch let cancelled as TaskCancelled {
                // An error that names the task: the waiting program itself has not been cancelled.
                print("Main has confirmed: \(cancelled)")
                print(task.progress?.note ?? "")
            }
        }
    }
}

/// E34: the same with the steps in the open: cancel tells whether it came in time.
enum CancelMe: Example {
    static let name = "cancel-me"
    private static let cancelMe = RemoteFunction<String, String>("cancel-me.cancel-me")

    static func register(in worker: inout Worker) throws {
        try worker.register(cancelMe) { name, context in
            context.report("before sleep")
            do {
                try await Task.sleep(for: seconds(3_600))
            } catch {
                context.report("cancel sleep: \(context.cancelReason ?? "")")
                throw error
            }
            return name
        }
    }

    static func run(_ pool: Pool) async throws {
        let task = try await pool.withGroup("cancel") { group in
            let task = try group.spawn(cancelMe, "me")
            try await waitUntil(task) { $0.note == "before sleep" }
            print("in time: \(await task.cancel(reason: "tired of waiting"))")
            return task
        }
        print(task.progress?.note ?? "")
        print("main: cancel-me is \(await task.result.outcome) now")
        print("in time: \(await task.cancel())")
    }
}
