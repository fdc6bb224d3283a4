internal import Cohort
@preconcurrency internal import Glibc

/// What `demo.fail` throws.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String
}

/// What `demo.context` returns.
struct DemoContext: Codable, Sendable {
    var task: String
    var group: String
    var attempt: Int
    var secondsLeft: Double?
}

/// Functions that every worker knows, to try Cohort out with: well-behaved ones and all kinds of bad ones.
///
/// | name | what it does |
/// |---|---|
/// | `demo.echo` | returns its arguments |
/// | `demo.noop` | returns null |
/// | `demo.sleep` | sleeps for so many seconds, and ends at once when it is cancelled |
/// | `demo.fail` | throws an error with the message it is given |
/// | `demo.spin` | computes for so many seconds, or for ever, and takes no notice of a cancel |
/// | `demo.stubborn` | sleeps for so many seconds, and takes no notice of a cancel |
/// | `demo.exit` | ends its process with an exit code |
/// | `demo.kill` | kills its process with SIGKILL |
/// | `demo.print` | prints lines to stdout and stderr, and returns how many |
/// | `demo.context` | returns what a function is told of its task |
/// | `demo.progress` | sleeps for so many seconds, and tells how far it has come |
/// | `demo.tree` | opens a group with so many tasks that do the same, so many deep; returns how many tasks there were in all |
package enum DemoFunctions {
    private static let null = Array("null".utf8)
    private static let tree = RemoteFunction<DemoTree, Int>("demo.tree")
    private static let progressSteps = 100

    package static func register(in functions: inout FunctionRegistry) throws(RegistrationError) {
        try functions.register("demo.echo") { payload, _ in payload }
        try functions.register("demo.noop") { _, _ in null }
        try functions.register(RemoteFunction<DemoSeconds, Double>("demo.sleep")) { input, _ in
            try await Task.sleep(for: input.duration(or: .zero))
            return input.seconds ?? 0
        }
        try functions.register(RemoteFunction<DemoMessage, Bool>("demo.fail")) { input, _ in
            throw DemoFailure(description: input.message)
        }
        try functions.register(RemoteFunction<DemoSeconds, Double>("demo.spin")) { input, _ in
            let end = MonotonicClock.nanoseconds().saturatingAdd(input.duration(or: .seconds(1e9)).clampedNanoseconds)
            while MonotonicClock.nanoseconds() < end {}
            return input.seconds ?? 0
        }
        try functions.register(RemoteFunction<DemoSeconds, Double>("demo.stubborn")) { input, _ in
            let end = MonotonicClock.nanoseconds().saturatingAdd(input.duration(or: .seconds(1e9)).clampedNanoseconds)
            while MonotonicClock.nanoseconds() < end { usleep(1_000) }
            return input.seconds ?? 0
        }
        try functions.register(RemoteFunction<DemoExitCode, Bool>("demo.exit")) { input, _ in
            exit(Int32(input.code))
        }
        try functions.register("demo.kill") { _, _ in
            kill(getpid(), SIGKILL)
            return null
        }
        try functions.register(RemoteFunction<DemoLines, Int>("demo.print")) { input, _ in
            for line in input.lines { print(line) }
            for line in input.errors { fputs(line + "\n", stderr) }
            return input.lines.count + input.errors.count
        }
        try functions.register(RemoteFunction<[String]?, DemoContext>("demo.context")) { _, context in
            DemoContext(
                task: context.taskName,
                group: context.groupName,
                attempt: context.attempt,
                secondsLeft: context.timeLeft.map { $0 / .seconds(1) }
            )
        }
        try registerGroups(in: &functions)
    }

    private static func registerGroups(in functions: inout FunctionRegistry) throws(RegistrationError) {
        try functions.register(RemoteFunction<DemoSeconds, Double>("demo.progress")) { input, context in
            for step in 1...progressSteps {
                try await Task.sleep(for: input.duration(or: .zero) / progressSteps)
                context.report(fraction: Double(step) / Double(progressSteps), "step \(step) of \(progressSteps)")
            }
            return input.seconds ?? 0
        }
        try functions.register(tree) { input, context in
            guard input.depth > 0 else { return 1 }
            let below = DemoTree(depth: input.depth - 1, width: input.width)
            return try await context.withGroup("\(context.taskName) below") { group in
                let tasks = try (1...input.width).map { try group.spawn(tree, below, name: "branch \($0)") }
                return try await gather(tasks).reduce(1, +)
            }
        }
    }
}

extension Worker {
    /// Registers the functions of ``DemoFunctions``.
    package mutating func registerDemoFunctions() throws(RegistrationError) {
        try DemoFunctions.register(in: &functions)
    }
}
