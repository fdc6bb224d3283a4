internal import Cohort
internal import CohortWorker

/// Functions that the examples of time share.
private let sleep = RemoteFunction<Double, Double>("deadlines.sleep")

/// E20: ten seconds of work with two seconds of time: for the whole group, and for one task.
enum TwoTimeouts: Example {
    static let name = "two-timeouts"

    static func register(in worker: inout Worker) throws {
        try worker.register(sleep) { delay, _ in
            try await Task.sleep(for: seconds(delay))
            return delay
        }
    }

    static func run(_ pool: Pool) async throws {
        do {
            _ = try await pool.withGroup("operation", GroupOptions(deadline: seconds(2))) { group in
                try group.spawn(sleep, 10)
            }
        } catch {
            guard error.kind == .timeout else { throw error }
            print("The operation timed out!")
        }
        do {
            _ = try await pool.withGroup("operation") { group in
                try group.spawn(sleep, 10, name: "sleeper", TaskOptions(timeout: seconds(2)))
            }
        } catch {
            for leaf in error.filter(types: .taskTimeout)?.leaves ?? [] { print("\(leaf.task ?? "") timed out!") }
        }
    }
}

/// E29: waiting only so long. The end of the wait is not the end of the task, which is cancelled by name.
enum WaitFor: Example {
    static let name = "wait-for"

    static func register(in worker: inout Worker) throws {}

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("eternity") { group in
            let task = try group.spawn(sleep, 3_600)
            do {
                print(try await task.value(timeout: seconds(1)))
            } catch is WaitTimeout {
                print("timeout")
                print("in time: \(await task.cancel())")
            }
        }
    }
}

/// The deadline of a running group can be moved.
enum DeadlineMoved: Example {
    static let name = "deadline-moved"

    static func register(in worker: inout Worker) throws {}

    static func run(_ pool: Pool) async throws {
        let slept = try await pool.withGroup("moved", GroupOptions(deadline: seconds(5))) { group in
            let task = try group.spawn(sleep, 6)
            try await group.setDeadline(.seconds(60))
            return try await task.value
        }
        print("slept for \(Int(slept)) s, past the first deadline")
    }
}

/// E22: one after the other takes as long as both together, side by side as long as the longer one.
enum SayAfter: Example {
    static let name = "say-after"
    private static let say = RemoteFunction<Job, String>("say-after.say")

    static func register(in worker: inout Worker) throws {
        try worker.register(say) { job, _ in
            try await Task.sleep(for: seconds(job.seconds))
            return job.name
        }
    }

    static func run(_ pool: Pool) async throws {
        let (hello, world) = (Job(name: "hello", seconds: 2), Job(name: "world", seconds: 3))
        let inTurn = try await ContinuousClock().measure {
            try await pool.withGroup("in turn") { group in
                print(try await group.spawn(say, hello).value)
                print(try await group.spawn(say, world).value)
            }
        }
        let sideBySide = try await ContinuousClock().measure {
            try await pool.withGroup("side by side") { group in
                let (hello, world) = (try group.spawn(say, hello), try group.spawn(say, world))
                print(try await hello.value)
                print(try await world.value)
            }
        }
        print("side by side is faster: \(sideBySide < inTurn)")
    }
}
