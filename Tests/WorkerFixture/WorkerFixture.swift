internal import Cohort
internal import CohortWorker
@preconcurrency internal import Glibc

/// A worker program with functions that only tests have a use for; with `pool SCENARIO …` as its arguments, a program with
/// a pool of its own.
@main
struct WorkerFixture {
    static func main() async throws {
        var worker = Worker()
        try WaitingFunctions.register(in: &worker)
        try GroupFunctions.register(in: &worker)
        try LeavingFunctions.register(in: &worker)
        let arguments = CommandLine.arguments.dropFirst()
        if arguments.first == "pool" {
            try await PoolScenario.run(worker, Array(arguments.dropFirst()))
        } else {
            try await worker.run()
        }
    }
}

/// Functions that wait as if for tasks of their own, until a test makes the file that they wait for.
enum WaitingFunctions {
    /// What to wait for, all at once.
    struct Waits: Codable, Sendable {
        var files: [String]
        /// Takes no notice of a cancel.
        var stubborn: Bool?
    }

    static func register(in worker: inout Worker) throws {
        // Returns the files in the order in which the function could go on.
        try worker.register(RemoteFunction<Waits, [String]>("fixture.wait")) { waits, context in
            try await withThrowingTaskGroup(of: String.self) { group in
                for file in waits.files {
                    group.addTask {
                        context.slots?.waitBegan()
                        let isThere = await appearance(of: file, despiteCancel: waits.stubborn ?? false)
                        await context.slots?.waitEnded()
                        if !isThere { throw CancellationError() }
                        print("on \(file)")
                        return file
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
        }
        // Tells how far it has come, so many times.
        try worker.register(RemoteFunction<Int, Bool>("fixture.progress")) { count, context in
            for index in 1...count { context.report(fraction: Double(index) / Double(count), "step \(index)") }
            return true
        }
        try worker.register(RemoteFunction<[String]?, Int>("fixture.pid")) { _, _ in Int(getpid()) }
    }

    /// Waits until there is such a file; false if that is no longer wanted.
    private static func appearance(of file: String, despiteCancel: Bool) async -> Bool {
        while access(file, F_OK) != 0 {
            if !despiteCancel, Task.isCancelled { return false }
            // Cancelled, it does not wait: the thread does then.
            if (try? await Task.sleep(for: .milliseconds(1))) == nil { usleep(1_000) }
        }
        return true
    }
}
