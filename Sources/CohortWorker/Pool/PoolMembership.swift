internal import Cohort
internal import CohortProcess
@preconcurrency internal import Glibc

/// What makes a process the worker of a pool that a program has started for itself: where its coordinator is, and how many
/// tasks to run at once.
///
/// It comes by an environment variable, since the program is the same and its command line is its own.
struct PoolMembership: Equatable {
    /// `<slots> <endpoint>`; set in a pool's worker and its guardian only.
    static let variable = "COHORT_POOL_WORKER"

    var endpoint: String
    var slots: Int

    init(endpoint: String, slots: Int) {
        self.endpoint = endpoint
        self.slots = slots
    }

    /// Reads the variable's value; nil if it makes no sense.
    init?(_ value: String) {
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, let slots = Int(parts[0]), slots > 0 else { return nil }
        self.init(endpoint: String(parts[1]), slots: slots)
    }

    var value: String { "\(slots) \(endpoint)" }

    /// That of this process; nil if it is none's.
    static func inherited() -> PoolMembership? {
        guard let value = getenv(variable) else { return nil }
        return PoolMembership(String(cString: value))
    }

    /// Runs tasks until the pool ends, then ends the process.
    func serve(_ functions: FunctionRegistry) -> Never {
        // The guardian passes it on; what the worker itself starts must not take itself for a worker.
        if Guardian.isGuarded { unsetenv(Self.variable) }
        do {
            try WorkerMain.run(
                endpoint: endpoint,
                name: nil,
                slots: slots,
                functions: functions,
                isPrivate: true,
                // Whatever the program makes of its command line before it comes here, it is to find the same again.
                hostArguments: CallPool.Configuration.thisProgram + CommandLine.arguments.dropFirst()
            )
        } catch is WorkerMain.EndedError {
            // The pool has ended, and nobody is there to be told.
        } catch {
            fputs("\(error)\n", stderr)
            exit(1)
        }
        exit(0)
    }
}
