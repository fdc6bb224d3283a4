internal import Glibc

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
public struct Worker: Sendable {
    /// Connects to a coordinator and runs its tasks until there is no more to do.
    package typealias Supervision = @Sendable (_ functions: FunctionRegistry) async throws -> Void

    package internal(set) var functions = FunctionRegistry()
    /// What `run()` does in the process that is not a call host.
    package var supervision: Supervision?

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

    /// Serves calls if this process is a call host; else supervises call hosts until there is no more to do.
    ///
    /// A call host never returns from it.
    public func run() async throws {
        if let descriptor = CallHostMain.descriptor {
            await CallHostMain.run(functions, descriptor)
        }
        guard let supervision else { throw WorkerError.noSupervision }
        try await supervision(functions)
    }
}

/// Why a worker cannot run.
public enum WorkerError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Nothing was set up that brings tasks to this worker.
    case noSupervision

    /// What is wrong and what to do.
    public var description: String {
        switch self {
        case .noSupervision: "this worker has nowhere to get tasks from; start it through `cohort worker`"
        }
    }
}
