internal import Cohort
internal import CohortWorker
internal import Glibc

/// E10: a task that is stopped cleans up, and its group waits for that: until the end of the grace at most.
enum CleanupOnCancel: Example {
    static let name = "cleanup-on-cancel"
    private static let work = RemoteFunction<String, String>("cleanup-on-cancel.work")
    private static let fail = RemoteFunction<String, String>("cleanup-on-cancel.fail")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { name, _ in
            do {
                try await Task.sleep(for: seconds(3_600))
            } catch {
                // Cancellation is a state: without the shield this sleep would end at once as well.
                try await withCancellationShield { try await Task.sleep(for: seconds(2)) }
                throw error
            }
            return name
        }
        try worker.register(fail) { message, _ in
            try await Task.sleep(for: seconds(1))
            throw TaskError(type: .valueError, message: message)
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("cleanup", GroupOptions(grace: .seconds(10))) { group in
                try group.spawn(work, "worker", name: "worker")
                try group.spawn(fail, "no luck", name: "bad")
            }
        } catch {
            guard let worker = error.document?.tasks.first else { throw error }
            print("\(worker.name): \(worker.outcome), killed: \(worker.forced)")
            print("its cleanup was waited for: \(worker.elapsed >= seconds(2))")
        }
    }
}

/// E19: a worker is cancelled in its third step. Whatever happens, it releases what it holds.
enum CancelAWorker: Example {
    static let name = "cancel-a-worker"
    private static let work = RemoteFunction<String, String>("cancel-a-worker.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { resource, context in
            // A directory stands for a connection, a lock, or whatever else must be given back.
            guard mkdir(resource, 0o700) == 0 else { throw TaskError(type: "InUse", message: resource) }
            defer { rmdir(resource) }
            for step in 1...3 {
                context.report("Working... step \(step)")
                try await Task.sleep(for: step < 3 ? seconds(1) : seconds(3_600))
            }
            return resource
        }
    }

    static func run(_ pool: Pool) async throws {
        let resource = "/tmp/cohort-tutorial-\(getpid())"
        try await pool.withGroup("worker") { group in
            let task = try group.spawn(work, resource, name: "worker")
            try await waitUntil(task) { $0.note == "Working... step 3" }
            print("acquired: \(access(resource, F_OK) == 0)")
            print("Main decides to cancel the task.")
            await task.cancel(reason: "enough")
            do {
                print(try await task.value)
            } catch let cancelled as TaskCancelled {
                // An error that names the task: the waiting program itself has not been cancelled.
                print("Main has confirmed: \(cancelled)")
            }
            print("released: \(access(resource, F_OK) != 0)")
        }
    }
}

/// E34: a cancel by name tells whether it came in time.
enum CancelMe: Example {
    static let name = "cancel-me"
    private static let cancelMe = RemoteFunction<String, String>("cancel-me.cancel-me")

    static func register(in worker: inout Worker) throws {
        try worker.register(cancelMe) { name, context in
            context.report("before sleep")
            try await Task.sleep(for: seconds(3_600))
            return name
        }
    }

    static func run(_ pool: Pool) async throws {
        let task = try await pool.withGroup("cancel") { group in
            let task = try group.spawn(cancelMe, "me")
            try await waitUntil(task) { $0.note == "before sleep" }
            print("cancel-me: \(task.progress?.note ?? "")")
            print("in time: \(await task.cancel())")
            return task
        }
        print("cancel-me is \(await task.result.outcome) now")
        print("in time: \(await task.cancel())")
    }
}
