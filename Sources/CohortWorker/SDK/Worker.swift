public import Cohort
internal import CohortProcess
internal import CohortRuntime

/// A program that runs functions for a Cohort coordinator.
///
/// Register the functions, then hand over:
///
///     @main
///     struct Scoring {
///         static func main() async throws {
///             var worker = Worker()
///             try worker.register(score) { request, context in
///                 try await model.score(request)
///             }
///             try await worker.run()
///         }
///     }
///
/// Functions run in processes of their own, started from this same executable: `run()` finds out which of the two it is.
/// Whatever comes before `run()` therefore happens in every one of these processes; keep it short. One process runs one
/// call at a time, and one that crashes takes nothing down but that call.
///
/// A program that is to need nobody else calls ``withPool(slots:_:)`` instead of `run()`.
public struct Worker: Sendable {
    package internal(set) var functions = FunctionRegistry()

    /// A worker that knows no functions yet.
    public init() {}

    /// Registers a function with typed input and output, both JSON on the way.
    ///
    /// Input that does not decode ends the call with an `InvalidArguments` error that names the place. Cancellation
    /// reaches the function as cancellation of the Swift `Task` it runs in and through its context; a function that
    /// throws `CancellationError` ends its task as cancelled, any other error is the task's error. What it prints
    /// belongs to its task's output.
    public mutating func register<Input, Output>(
        _ function: RemoteFunction<Input, Output>,
        _ body: @escaping @Sendable (_ input: Input, _ context: TaskContext) async throws -> Output
    ) throws(RegistrationError) {
        try functions.register(function, body)
    }

    /// Registers a function that takes and returns bytes as they travel: the fast path.
    ///
    /// A caller that uses JSON sends and expects JSON; nothing here looks at it.
    public mutating func register(
        _ name: String,
        _ body: @escaping @Sendable (_ payload: [UInt8], _ context: TaskContext) async throws -> [UInt8]
    ) throws(RegistrationError) {
        try functions.register(name, body)
    }

    /// Serves calls if this process is a call host; else connects to a coordinator, as the command line says, and runs its
    /// calls until a signal or the coordinator ends it.
    ///
    /// The program understands `--connect ENDPOINT`, `--slots N`, `--name NAME` and `--restarts N/TIME`, as `cohort worker` does. Of the
    /// processes that this starts, and of the one that the user has started, none returns from it but the worker itself.
    ///
    /// - Parameter arguments: the command line without the program's name.
    /// - Throws: ``WorkerError`` for a command line that makes no sense, and when the worker ends otherwise than by request.
    public func run(arguments: [String] = Array(CommandLine.arguments.dropFirst())) async throws {
        if let descriptor = CallHostMain.descriptor {
            await CallHostMain.run(functions, descriptor)
        }
        let options = try WorkerArguments(arguments)
        try WorkerMain.run(
            endpoint: options.endpoint,
            name: options.name,
            slots: options.slots ?? Host.cores,
            functions: functions,
            runsCommands: false,
            isPrivate: false,
            restarts: options.restarts
        )
    }
}

/// The command line of a worker program.
struct WorkerArguments: Equatable {
    var endpoint = "tcp://127.0.0.1:7077"
    var slots: Int?
    var name: String?
    var restarts = RestartBudget.standard

    init(_ arguments: [String]) throws(WorkerError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            guard ["--connect", "--slots", "--name", "--restarts"].contains(option) else {
                throw .usage(
                    "unknown argument '\(option)'; use --connect ENDPOINT, --slots N, --name NAME, --restarts N/TIME"
                )
            }
            guard let value = rest.popFirst() else { throw .usage("'\(option)' needs a value") }
            switch option {
            case "--connect": endpoint = value
            case "--name": name = value
            case "--restarts":
                guard let budget = RestartBudget(value) else {
                    throw .usage("--restarts \(value): so many in so long, such as 5/60s, or 0 for never")
                }
                restarts = budget
            default:
                guard let number = Int(value), (1...4_096).contains(number) else {
                    throw .usage("--slots \(value): the number of tasks at once must be from 1 to 4096")
                }
                slots = number
            }
        }
    }
}

/// Why a worker cannot run.
public enum WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The command line makes no sense.
    case usage(String)

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .usage(let problem): problem
        }
    }
}
