internal import Cohort
internal import CohortWorker

/// What every program of a run has to know.
struct RunSettings: Codable, Sendable {
    /// How long a cancelled task may clean up, in seconds of the scenario.
    static let grace = 3.0

    /// Factor by which all times are stretched.
    var scale: Double
    /// Path of the file that the processes of the run write to.
    var log: String
    /// Lists of steps by name, for `run`.
    var programs: [String: JSONValue]

    func time(_ seconds: Double) -> Duration { .seconds(seconds * scale) }
}

/// The argument of a task: the steps that it has to do.
struct ProgramInput: Codable, Sendable {
    var steps: JSONValue
    var settings: RunSettings

    /// What all tasks of all scenarios call.
    static let function = RemoteFunction<ProgramInput, JSONValue>("conformance.program")

    /// Does the steps in the process of a call.
    func run(_ context: TaskContext) async throws -> JSONValue {
        let log = try RunLog(path: settings.log)
        defer { log.close() }
        let program = Program(.task(context), settings, log)
        let steps = try program.decoder.steps(
            PlacedValue(value: steps, place: context.taskName),
            in: StepDecoder.Surroundings(isTask: true)
        )
        do {
            return try await program.run(steps)
        } catch let failure as Failure {
            throw failure.thrown
        } catch is Interruption {
            throw CancellationError()
        }
    }
}
