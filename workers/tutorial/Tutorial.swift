internal import Cohort
internal import CohortWorker
@preconcurrency internal import Glibc

/// An example of the tutorial: the functions that its tasks call, and a program that spawns them.
protocol Example: SendableMetatype {
    /// What `cohort-tutorial` runs it by.
    static var name: String { get }
    /// How many tasks run at once.
    static var slots: Int { get }
    /// Registers the functions. This happens in every process of the pool.
    static func register(in worker: inout Worker) throws
    /// The program itself. This happens once.
    static func run(_ pool: Pool) async throws
}

extension Example {
    static var slots: Int { 3 }
}

/// The examples of the usual asyncio tutorials, written for processes instead of coroutines.
///
///     cohort-tutorial NAME      runs one example
///     cohort-tutorial --list    names them all
@main
struct Tutorial {
    static func main() async throws {
        // The program is started again for each process of its pool: there `withPool` serves calls and does not return.
        var worker = Worker()
        for example in allExamples { try example.register(in: &worker) }
        await worker.serveIfStarted()

        let arguments = CommandLine.arguments.dropFirst()
        if arguments == ["--list"] {
            for example in allExamples { print(example.name) }
            return
        }
        guard arguments.count == 1, let example = allExamples.first(where: { $0.name == arguments.first }) else {
            fputs("usage: cohort-tutorial NAME, or cohort-tutorial --list for the names\n", stderr)
            exit(2)
        }
        do {
            try await worker.withPool(slots: example.slots) { pool in try await example.run(pool) }
        } catch {
            fputs("\(error)\n", stderr)
            exit(1)
        }
    }
}

/// Seconds of the tutorials. To save time they last a fifth of a second here.
func seconds(_ count: Double) -> Duration { .milliseconds(200) * count }

/// Prints what tasks have printed, one after the other: it belongs to their results, wherever they have run.
func printOutput(of tasks: [TaskResult]) {
    for task in tasks { print(task.stdout, terminator: "") }
}

/// The same for tasks that may still run.
func printOutput(of tasks: [any AwaitableTask]) async {
    for task in tasks { print(await task.result.stdout, terminator: "") }
}

/// Waits until a task has told something of its progress.
func waitUntil(_ task: any AwaitableTask, _ isReached: (TaskProgress) -> Bool) async throws {
    while task.state != .ended {
        if let progress = task.progress, isReached(progress) { return }
        try await Task.sleep(for: .milliseconds(5))
    }
}

/// A name and a time, which is all that most tasks here are about.
struct Job: Codable, Sendable {
    var name: String
    var seconds: Double
}

extension ErrorType {
    /// What Python's tutorials like to raise.
    static let valueError: ErrorType = "ValueError"
}
