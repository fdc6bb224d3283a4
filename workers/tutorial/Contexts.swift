internal import Cohort
internal import CohortWorker
internal import Glibc

/// What a semaphore is for: of many tasks only so many run at once.
enum Limit: Example {
    static let name = "limit"
    static let slots = 6
    private static let work = RemoteFunction<Int, Span>("limit.work")

    /// When a task has run; the clock is that of the machine, the same for all processes on it.
    private struct Span: Codable, Sendable {
        var start: Double
        var end: Double
    }

    static func register(in worker: inout Worker) throws {
        try worker.register(work) { _, _ in
            let start = uptime()
            try await Task.sleep(for: seconds(1))
            return Span(start: start, end: uptime())
        }
    }

    /// Seconds since the machine was started.
    private static func uptime() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func run(_ pool: Pool) async throws {
        let spans = try await pool.withGroup("limited", GroupOptions(limit: 2)) { group in
            try await gather((1...6).map { try group.spawn(work, $0) })
        }
        // How many ran when one of them began.
        let most = spans.map { span in spans.count { $0.start <= span.start && span.start < $0.end } }.max() ?? 0
        print("6 tasks, \(most) at once")
    }
}

/// What context variables are for: values travel with the tasks that are spawned under them, and with theirs.
enum Context: Example {
    static let name = "context"
    private static let outer = RemoteFunction<String, String>("context.outer")
    private static let inner = RemoteFunction<String, String>("context.inner")

    static func register(in worker: inout Worker) throws {
        try worker.register(inner) { text, context in
            "\(text): \(context.taskName) of group \(context.groupName) works for \(Propagated.value("user") ?? "nobody")"
        }
        try worker.register(outer) { text, context in
            try await context.withGroup("inside") { try await $0.spawn(inner, text, name: "inner task").value }
        }
    }

    static func run(_ pool: Pool) async throws {
        try await pool.withGroup("requests") { group in
            let first = try await Propagated.with("user", "ada") { try group.spawn(outer, "first") }
            let second = try group.spawn(outer, "second")
            print(try await first.value)
            print(try await second.value)
        }
    }
}

/// Programs that know nothing of Cohort are tasks as well.
enum Commands: Example {
    static let name = "commands"

    static func register(in worker: inout Worker) throws {}

    static func run(_ pool: Pool) async throws {
        do {
            try await pool.withGroup("commands", GroupOptions(policy: .continue)) { group in
                let sum = try group.run(.shell("echo $((6 * 7))"), name: "sum")
                try group.run(.arguments(["sh", "-c", "exit 3"]), name: "bad")
                print("sum: \(try await sum.value.stdout)", terminator: "")
            }
        } catch {
            for leaf in error.leaves { print("\(leaf.task ?? ""): \(leaf.type.rawValue), \(leaf.message)") }
        }
    }
}
