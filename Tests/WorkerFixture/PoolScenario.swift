internal import Cohort
internal import CohortWorker
@preconcurrency internal import Glibc

/// What a program does with a pool of its own, for tests to look at from outside.
enum PoolScenario {
    struct Refusal: Error {}

    static func run(_ worker: Worker, _ arguments: [String]) async throws {
        guard let scenario = arguments.first else { throw WorkerError.usage("pool SCENARIO [DIRECTORY]") }
        let directory = arguments.count > 1 ? arguments[1] : "/nonexistent"
        switch scenario {
        case "results": try await results(worker)
        case "throws": try await failing(worker)
        case "cancelled": try await cancelled(worker, directory)
        case "death": try await death(worker, directory)
        case "family": try await family(worker, directory)
        default: throw WorkerError.usage("unknown scenario \(scenario)")
        }
    }

    private static func say(_ line: String) {
        print(line)
        fflush(stdout)
    }

    /// Calls, commands and nested groups, one after the other in the same pool.
    private static func results(_ worker: Worker) async throws {
        let total = try await worker.withPool(slots: 1) { pool in
            try await pool.withGroup("results") { group in
                let depth = try await group.spawn(GroupFunctions.nest, 3).value
                let output = try await group.run(.arguments(["echo", "hello"])).value
                say(output.stdout.filter { !$0.isNewline })
                return depth
            }
        }
        say("\(total)")
    }

    private static func failing(_ worker: Worker) async throws {
        do {
            try await worker.withPool(slots: 1) { _ in throw Refusal() }
        } catch is Refusal {
            say("refused")
        }
    }

    /// The task around the pool is cancelled while something runs in it.
    private static func cancelled(_ worker: Worker, _ directory: String) async throws {
        let work = Task {
            try await worker.withPool(slots: 2) { pool in
                try await pool.withGroup("work") { group in
                    _ = try group.spawn(RemoteFunction<String, String>("fixture.family"), directory)
                }
            }
        }
        for file in ["call", "grandchild"] {
            while access(directory + "/" + file, F_OK) != 0 { try await Task.sleep(for: .milliseconds(1)) }
        }
        work.cancel()
        do {
            try await work.value
        } catch let error as GroupError {
            say("\(error.kind)")
        }
    }

    /// The pool's worker is killed from outside.
    private static func death(_ worker: Worker, _ directory: String) async throws {
        try await worker.withPool(slots: 2) { pool in
            do throws(GroupError) {
                try await pool.withGroup("work") { group in
                    _ = try group.spawn(RemoteFunction<String, String>("fixture.family"), directory)
                }
            } catch {
                say("\(error.kind)")
            }
            // A worker whose supervisor has died ends what it runs before itself, and may serve once more until then.
            while true {
                do throws(GroupError) {
                    try await pool.withGroup("later") { _ = try $0.spawn(GroupFunctions.leaf, "x") }
                } catch {
                    return say("\(error.kind)")
                }
            }
        }
    }

    /// Runs for long.
    private static func family(_ worker: Worker, _ directory: String) async throws {
        try await worker.withPool(slots: 2) { pool in
            try await pool.withGroup("work") { group in
                _ = try group.spawn(RemoteFunction<String, String>("fixture.family"), directory)
            }
        }
    }
}
