internal import Cohort
internal import CohortWorker

/// What callers and workers agree on. In a project of your own this stands in a module that both link.
let sum = RemoteFunction<[Double], Double>("demo.sum")
let splitSum = RemoteFunction<[Double], Double>("demo.split-sum")

/// A worker program: functions, by name, and `run()`.
///
/// Start it with the endpoint of a coordinator, and the functions can be called from batch files (`call: demo.sum`) and
/// from programs.
@main
struct DemoWorker {
    static func main() async throws {
        var worker = Worker()

        // Arguments and result are Codable values. The context says which task this is for, how much time is left, and
        // whether the task was cancelled; long computations ask now and then.
        try worker.register(sum) { numbers, context in
            var total = 0.0
            for number in numbers {
                try context.checkCancellation()
                total += number
            }
            return total
        }

        // A task may open groups of its own, to any depth; while it waits for them others use its slot. If one of their tasks
        // fails the rest is cancelled, and the error stands in this task's place. Whoever watches sees how far it has come.
        try worker.register(splitSum) { numbers, context in
            guard numbers.count > 1_000 else { return numbers.reduce(0, +) }
            return try await context.withGroup("halves") { group in
                let middle = numbers.count / 2
                let left = try group.spawn(splitSum, Array(numbers[..<middle]), name: "left half")
                let right = try group.spawn(splitSum, Array(numbers[middle...]), name: "right half")
                context.report(fraction: 0, "waiting for both halves")
                let first = try await left.value
                context.report(fraction: 0.5)
                return try await first + right.value
            }
        }

        // The functions that `cohort worker` knows as well: demo.echo, demo.sleep, demo.fail and so on.
        try worker.registerDemoFunctions()

        // In the process that you start this supervises; in the processes that it starts, this runs the calls.
        try await worker.run()
    }
}
