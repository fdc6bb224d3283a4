internal import Cohort
internal import CohortWorker
internal import Glibc
internal import Synchronization

/// One running program: the root script, in the client, or the steps of one task, in a worker.
///
/// The steps run one after the other, though in several Swift tasks: those of a group's body in one of their own. Timers
/// run beside them.
final class Program: Sendable {
    /// Where the program runs, and so through what it opens groups.
    enum Place: Sendable {
        case client(Pool)
        case task(TaskContext)
    }

    /// How a list of steps ended.
    enum Flow: Sendable {
        case next
        case returned(JSONValue)
    }

    /// A group that the program has opened.
    struct OpenedGroup: Sendable {
        let group: Group
        /// Of the tasks that this program has added to it.
        var tasks: [TaskHandle<JSONValue>] = []
    }

    struct State: Sendable {
        var values: [String: JSONValue] = [:]
        var tasks: [String: [TaskHandle<JSONValue>]] = [:]
        /// In the order of opening.
        var groups: [OpenedGroup] = []
        var groupsByName: [String: Int] = [:]
        /// The groups whose bodies run now, the innermost last.
        var open: [Int] = []
        /// What the handlers handle that run now, the innermost last.
        var caught: [any Error] = []
    }

    let place: Place
    let settings: RunSettings
    let log: RunLog
    let decoder: StepDecoder
    let requests = CancelRequests()
    let state = Mutex(State())

    init(_ place: Place, _ settings: RunSettings, _ log: RunLog) {
        self.place = place
        self.settings = settings
        self.log = log
        self.decoder = StepDecoder(programs: Set(settings.programs.keys))
    }

    // MARK: Running

    /// Runs the program to its end, in a Swift task that is never cancelled: a cancellation of the caller's is a request
    /// to the program.
    ///
    /// - Throws: a ``Failure``, an ``Interruption``, or a ``ScenarioError`` or ``RunError`` for a run that is void.
    func run(_ steps: [Step]) async throws -> JSONValue {
        let flow = try await withTaskCancellationHandler {
            try await Task { try await self.steps(steps) }.value
        } onCancel: {
            requests.request(0)
        }
        switch flow {
        case .next: return .null
        case .returned(let value): return value
        }
    }

    func steps(_ steps: [Step]) async throws -> Flow {
        for step in steps {
            if case .returned(let value) = try await run(step) { return .returned(value) }
        }
        return .next
    }

    private func run(_ step: Step) async throws -> Flow {
        switch step {
        case .sleep(let seconds): try await suspend { [settings] in try await Task.sleep(for: settings.time(seconds)) }
        case .busy(let seconds): try await hold(for: settings.time(seconds))
        case .log(let value): try log.write(try fill(value))
        case .leave(let value): return .returned(try fill(value))
        case .raise(cancelledType, _): throw Interruption()
        case .raise(let type, let message): throw Failure(type: ErrorType(rawValue: type), message: message)
        case .attempt(let attempt): return try await self.attempt(attempt)
        case .rethrow: throw caught
        case .exit(.code(let code)): exit(code)
        case .exit(.kill): kill(getpid(), SIGKILL)
        case .group(let step): return try await group(step)
        case .spawn(let step): try await spawn(step)
        case .awaitTask(let step): try await awaitTask(step)
        case .gather(let step): try await gather(step)
        case .wait(let step): try await wait(step)
        case .asCompleted(let step): return try await asCompleted(step)
        case .cancel(let step): try await cancel(step)
        case .deadline(let step): try await moveDeadline(step)
        }
        return .next
    }

    /// Gives way to nothing until the time is over: it blocks a thread of the task's process. The client's process runs other
    /// scripts as well, which are none of this program's business; there it is enough that nothing interrupts the program.
    private func hold(for time: Duration) async throws {
        switch place {
        case .task: Self.block(for: time)
        case .client: try await Task.sleep(for: time)
        }
    }

    private static func block(for time: Duration) {
        let end = ContinuousClock.now + time
        while case let left = end - .now, left > .zero {
            usleep(useconds_t(min(left / .microseconds(1), 500_000).rounded(.up)))
        }
    }

    // MARK: Variables

    func set(_ variable: String?, _ value: JSONValue) {
        guard let variable else { return }
        state.withLock { $0.values[variable] = value }
    }

    /// Puts the values of variables in the place of `"$name"` strings.
    private func fill(_ value: JSONValue) throws(ScenarioError) -> JSONValue {
        switch value {
        case .string(let text) where text.hasPrefix("$"):
            guard let found = state.withLock({ $0.values[String(text.dropFirst())] }) else {
                throw ScenarioError(place: text, problem: "there is no such variable in this program")
            }
            return found
        case .array(let elements):
            var filled: [JSONValue] = []
            for element in elements { filled.append(try fill(element)) }
            return .array(filled)
        case .object(var object):
            for member in object.members { object[member.key] = try fill(member.value) }
            return .object(object)
        default: return value
        }
    }
}
