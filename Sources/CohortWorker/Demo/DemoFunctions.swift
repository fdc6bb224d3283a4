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
package enum DemoFunctions {
    private static let null = Array("null".utf8)

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
    }
}

extension Worker {
    /// Registers the functions of ``DemoFunctions``.
    package mutating func registerDemoFunctions() throws(RegistrationError) {
        try DemoFunctions.register(in: &functions)
    }
}
