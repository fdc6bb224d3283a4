internal import CohortProcess
internal import Dispatch
internal import Glibc
internal import Synchronization

/// A program for the tests of guardians and process loops: whatever needs a process of its own, to be killed or to adopt
/// orphans. The first argument says what it does.
@main
enum ProcessFixture {
    static func main() throws {
        try run(CommandLine.arguments.dropFirst())
    }

    /// - Parameter patience: of supervisors with their guardians.
    private static func run(_ arguments: ArraySlice<String>, patience: Duration = .seconds(1)) throws {
        switch arguments.first {
        case "guarded": try guarded(Array(arguments.dropFirst()), patience)
        case "restarted": try restarted(Array(arguments.dropFirst()))
        case "remembering": try remembering(Array(arguments.dropFirst()))
        case "command": try command(Array(arguments.dropFirst()))
        case "command-beside-host": try command(Array(arguments.dropFirst()), besideHost: true)
        case "throughput": try throughput(Array(arguments.dropFirst()))
        case "patient": try patient(Array(arguments.dropFirst()))
        case "limited": try limited(Array(arguments.dropFirst()))
        default:
            say(
                "usage: ProcessFixture guarded (exit CODE | family [DIR] | environment) | restarted LIMIT | remembering ROOT | command LINE | throughput COUNT SLOTS | limited DESCRIPTORS … | patient MILLISECONDS …"
            )
            exit(2)
        }
    }

    /// A program that starts under a guardian.
    private static func guarded(_ arguments: [String], _ patience: Duration) throws {
        if !Guardian.isGuarded {
            let directory = arguments.count > 1 ? arguments[1] : nil
            let leftovers = Guardian.Leftovers(socket: directory.map { "\($0)/socket" }, directory: directory)
            var supervisor = try Supervisor(restarts: .none, leftovers: leftovers, patience: patience)
            try supervisor.run(
                begin: { Supervisor.Life() },
                onEnd: { status, _ in
                    say("child death \(status)")
                    return .leave
                },
                says: { _ in }
            )
        }
        try Guardian.watchFromChild {
            let left = ProcessTree.killDescendants()
            say("guardian death, \(left.count) left")
            exit(0)
        }
        try ProcessTree.becomeSubreaper()
        switch arguments.first {
        case "exit":
            exit(arguments.dropFirst().first.flatMap { Int32($0) } ?? 0)
        case "family":
            // A grandchild that has left session and process group, and whose parent is gone.
            let line = "setsid sh -c 'echo grandchild $$; exec sleep 86399' & wait"
            var request = SpawnRequest(arguments: ["/bin/sh", "-c", line])
            request.newProcessGroup = true
            _ = try Spawn.spawn(request)
            say("child \(getpid())")
            while true { pause() }
        case "environment":
            let loop = try OneShot()
            loop.run(CommandSpec(.arguments(["env"]))).output.forEach(say)
        default:
            exit(2)
        }
    }

    /// A program that dies as soon as it has started.
    private static func restarted(_ arguments: [String]) throws {
        if Guardian.isGuarded { exit(3) }
        let limit = arguments.first.flatMap { Int($0) } ?? 0
        var supervisor = try Supervisor(restarts: RestartBudget(limit: limit, period: .seconds(60)))
        try supervisor.run(
            begin: { Supervisor.Life() },
            onEnd: { status, _ in
                say("child death \(status)")
                return .restart
            },
            says: say
        )
    }

    /// A program that is started again whenever it is killed, and says whether it was for want of memory; kills are told by
    /// the tree of control groups below the path that is given.
    private static func remembering(_ arguments: [String]) throws {
        if Guardian.isGuarded {
            try Guardian.watchFromChild { exit(0) }
            say("child \(getpid())")
            while true { pause() }
        }
        var supervisor = try Supervisor(
            restarts: RestartBudget(limit: 10, period: .seconds(60)),
            memory: MemoryKills(root: arguments.first ?? ""),
            memoryInterval: .milliseconds(10)
        )
        try supervisor.run(
            begin: { Supervisor.Life() },
            onEnd: { status, outOfMemory in
                say("\(status), \(outOfMemory ? "out of memory" : "no evidence")")
                return .restart
            },
            says: { _ in }
        )
    }

    /// Runs a shell line in a loop that claims all children, and tells what is left when it has ended.
    private static func command(_ arguments: [String], besideHost: Bool = false) throws {
        let loop = try OneShot()
        // One that executes nothing, and so has nothing to do with what nobody is known to have started.
        if besideHost { loop.loop.hostBegins(1, HostActivity()) }
        let report = loop.run(CommandSpec(.shell(arguments.first ?? ""))).report
        let left = ProcessTree.descendants(of: getpid()).count
        say("\(report.status), \(report.strays > 0 ? "strays" : "no strays"), \(left) left")
    }

    /// Does what the further arguments say, and waits so long for a guardian.
    private static func patient(_ arguments: [String]) throws {
        guard let milliseconds = arguments.first.flatMap({ Int($0) }) else { exit(2) }
        try run(arguments.dropFirst(), patience: .milliseconds(milliseconds))
    }

    /// Does what the further arguments say, with at most so many descriptors.
    private static func limited(_ arguments: [String]) throws {
        guard let count = arguments.first.flatMap({ rlim_t($0) }) else { exit(2) }
        var limit = rlimit(rlim_cur: count, rlim_max: count)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { exit(2) }
        try run(arguments.dropFirst())
    }

    /// How many programs a second one loop can run.
    private static func throughput(_ arguments: [String]) throws {
        let numbers = arguments.compactMap { UInt64($0) }
        guard numbers.count == 2, numbers[0] >= numbers[1] else { exit(2) }
        let (count, slots) = (numbers[0], numbers[1])
        let done = Counter()
        let current = Mutex<ProcessLoop?>(nil)
        let started = ContinuousClock.now
        let loop = try ProcessLoop { events in
            for case .exited in events {
                let number = done.increment()
                if number + slots <= count {
                    current.withLock { $0 }?.start(number + slots, CommandSpec(.arguments(["/bin/true"])))
                }
            }
        }
        current.withLock { $0 = loop }
        for id in 1...slots {
            loop.start(id, CommandSpec(.arguments(["/bin/true"])))
        }
        done.wait(for: count)
        let elapsed = ContinuousClock.now - started
        say("\(Int(Double(count) / (elapsed / .seconds(1)))) programs/s")
    }
}

/// Runs one command to its end.
final class OneShot: Sendable {
    private struct State {
        var output: [UInt8] = []
        var report: ExitReport?
    }

    private let state: Shared<State>
    private let done: Counter
    let loop: ProcessLoop

    init() throws {
        let state = Shared(State())
        let done = Counter()
        self.state = state
        self.done = done
        loop = try ProcessLoop { events in
            for event in events {
                switch event {
                case .output(_, _, let bytes): state.value.withLock { $0.output += bytes }
                case .exited(_, let report):
                    state.value.withLock { $0.report = report }
                    done.increment()
                case .startFailed(_, let error):
                    say(error.description)
                    exit(1)
                case .started: break
                }
            }
        }
    }

    func run(_ spec: CommandSpec) -> (output: [String], report: ExitReport) {
        loop.start(1, spec)
        done.wait(for: 1)
        return state.value.withLock { state in
            let lines = String(decoding: state.output, as: UTF8.self).split(separator: "\n").map(String.init)
            guard let report = state.report else { exit(1) }
            return (output: lines, report: report)
        }
    }
}

/// A mutex that closures can hold.
final class Shared<Value: Sendable>: Sendable {
    let value: Mutex<Value>

    init(_ value: Value) {
        self.value = Mutex(value)
    }
}

/// Counts up, and lets one thread wait for a number.
final class Counter: Sendable {
    private let value = Atomic<UInt64>(0)
    private let signals = DispatchSemaphore(value: 0)

    @discardableResult
    func increment() -> UInt64 {
        defer { signals.signal() }
        return value.add(1, ordering: .acquiringAndReleasing).newValue
    }

    func wait(for target: UInt64) {
        while value.load(ordering: .acquiring) < target {
            signals.wait()
        }
    }
}

/// Prints a line at once, whatever stdout is.
@Sendable func say(_ line: String) {
    var text = line + "\n"
    text.withUTF8 { _ = write(1, $0.baseAddress, $0.count) }
}
