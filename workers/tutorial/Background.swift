internal import Cohort
internal import CohortWorker

/// E13: the program goes on while a task runs in the background.
enum BackgroundTask: Example {
    static let name = "background-task"
    private static let work = RemoteFunction<Double, String>("background-task.work")

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { delay, _ in
            print("Starting background work...")
            try await Task.sleep(for: seconds(delay))
            print("Background work finished.")
            return "Success"
        }
    }

    static func run(_ pool: Pool) async throws {
        print("Main function started.")
        try await pool.withGroup("background") { group in
            let task = try group.spawn(work, 2)
            print("Task created. Main function continues to run.")
            try await Task.sleep(for: seconds(1))
            print("Main function did some other work.")
            let result = try await task.value
            await printOutput(of: [task])
            print("Task completed with result: \(result)")
        }
    }
}

/// E33: nobody waits for the task, and yet it is not lost: its group waits for it.
enum NotAwaited: Example {
    static let name = "not-awaited"
    private static let say = RemoteFunction<String, String>("not-awaited.say")

    static func register(in worker: inout Worker) throws {
        try worker.register(say) { word, _ in
            try await Task.sleep(for: seconds(1))
            print(word)
            return word
        }
    }

    static func run(_ pool: Pool) async throws {
        let group = try await pool.withGroup("say") { group in
            print("hello")
            try group.spawn(say, "world")
            return group
        }
        printOutput(of: group.document?.tasks ?? [])
    }
}

/// E27: a task tells how far it has come, for whoever watches it.
enum Progress: Example {
    static let name = "progress"
    private static let count = RemoteFunction<Int, Int>("progress.count")

    static func register(in worker: inout Worker) throws {
        try worker.register(count) { steps, context in
            for step in 1...steps {
                context.report(fraction: Double(step) / Double(steps), "step \(step) of \(steps)")
                try await Task.sleep(for: seconds(1))
            }
            return steps
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("count") { group in
            let task = try group.spawn(count, 5)
            try await waitUntil(task) { ($0.fraction ?? 0) >= 0.4 }
            print("on its way")
            print("counted to \(try await task.value)")
            print("at the end: \(task.progress?.note ?? "")")
        }
    }
}
