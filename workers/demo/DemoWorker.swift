internal import Cohort
internal import CohortWorker

/// What callers and workers agree on. In a project of your own this stands in a module that both link.
let sum = RemoteFunction<[Double], Double>("demo.sum")

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

        // The functions that `cohort worker` knows as well: demo.echo, demo.sleep, demo.fail and so on.
        try worker.registerDemoFunctions()

        // In the process that you start this supervises; in the processes that it starts, this runs the calls.
        try await worker.run()
    }
}
