internal import ArgumentParser
internal import Cohort
internal import CohortReport
internal import Histogram

/// What a bench run has found.
struct BenchmarkReport: Sendable {
    /// How many tasks ended in what time.
    struct Rate {
        var count: Int
        var elapsed: Duration

        var perSecond: Double { Double(count) / max(elapsed.inSeconds, 1e-9) }
    }

    /// Peaks of resident memory, in bytes.
    struct Peaks {
        var client: Int
        var coordinator: Int
        /// The largest of a worker's processes.
        var worker: Int
    }

    /// Memory of a coordinator before and after it took tasks that wait, in bytes.
    struct Queue {
        var tasks: Int
        var before: Int
        var after: Int
        var elapsed: Duration

        var bytesPerTask: Double { Double(after - before) / Double(max(tasks, 1)) }
    }

    var slots: Int
    var endpoint: String?
    var calls: Rate?
    /// In nanoseconds.
    var roundTrip: Histogram<UInt32>?
    var commands: Rate?
    /// Of the pool that ran calls and commands.
    var peaks: Peaks?
    var queue: Queue?
    /// In nanoseconds.
    var firstResult: Histogram<UInt32>?
    /// In nanoseconds.
    var wholeRun: Histogram<UInt32>?
}

// MARK: - For people

extension BenchmarkReport {
    /// A table: what was measured, the figure, how.
    var text: String {
        var rows: [(name: String, figure: String, detail: String)] = []
        let window = "\(Self.grouped(BenchmarkSettings.callWindow)) under way"
        if let calls {
            let payload = "\(BenchmarkSettings.payloadBytes)-byte payload"
            rows.append(("no-op calls", Self.perSecond(calls), "\(Self.counted(calls)), \(payload), \(window)"))
        }
        if let roundTrip {
            let rest = [90, 99].map { "p\($0) \(Self.microseconds(roundTrip.valueAtPercentile(Double($0))))" }
            let detail = rest.joined(separator: ", ") + ", max \(Self.microseconds(roundTrip.max))"
            rows.append(("idle round trip", "p50 " + Self.microseconds(roundTrip.median), detail))
        }
        if let commands { rows.append(("/bin/true", Self.perSecond(commands), Self.counted(commands))) }
        if let peaks {
            let sizes = [("client", peaks.client), ("coordinator", peaks.coordinator), ("worker", peaks.worker)]
            let detail = sizes.map { "\($0.0) \(Self.megabytes($0.1))" }.joined(separator: ", ")
            rows.append(("peak memory", Self.megabytes(sizes.map(\.1).max() ?? 0), detail))
        }
        if let queue {
            let sizes = "\(Self.megabytes(queue.before)) to \(Self.megabytes(queue.after)) at the coordinator"
            let tasks = "\(Self.grouped(queue.tasks)) queued in \(DurationText.render(queue.elapsed))"
            rows.append(
                ("queued task", "\(Self.grouped(Int(queue.bytesPerTask.rounded()))) bytes", "\(tasks), \(sizes)")
            )
        }
        if let firstResult, let wholeRun {
            let detail =
                "max \(Self.milliseconds(firstResult.max)); whole run p50 \(Self.milliseconds(wholeRun.median))"
            rows.append(("first result of a run", "p50 " + Self.milliseconds(firstResult.median), detail))
        }
        let pool = endpoint.map { "coordinator \($0)" } ?? "\(slots) slots"
        let names = rows.map(\.name.count).max() ?? 0
        let figures = rows.map(\.figure.count).max() ?? 0
        return "\(CohortCommand.configuration.version), \(pool)\n"
            + rows.map { Self.padded($0.name, names) + "  " + Self.padded($0.figure, figures) + "  \($0.detail)\n" }
            .joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    private static func perSecond(_ rate: Rate) -> String { grouped(Int(rate.perSecond.rounded())) + " per second" }

    private static func counted(_ rate: Rate) -> String {
        "\(grouped(rate.count)) in \(DurationText.render(rate.elapsed))"
    }

    private static func microseconds(_ nanoseconds: UInt64) -> String { grouped(Int(nanoseconds / 1_000)) + " µs" }

    private static func milliseconds(_ nanoseconds: UInt64) -> String { grouped(Int(nanoseconds / 1_000_000)) + " ms" }

    private static func megabytes(_ bytes: Int) -> String { grouped(bytes >> 20) + " MiB" }

    /// With a comma after each three digits.
    private static func grouped(_ number: Int) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }
}

// MARK: - For programs

extension BenchmarkReport: JSONRepresentable {
    /// What was not measured is left out.
    var json: JSONValue {
        var object = JSONObject()
        object["version"] = .int(1)
        if let endpoint { object["endpoint"] = .string(endpoint) } else { object["slots"] = .int(slots) }
        object["calls"] = calls.map(Self.json)
        object["round_trip_us"] = roundTrip.map { Self.json($0, unit: 1_000) }
        object["commands"] = commands.map(Self.json)
        object["peak_memory"] = peaks.map {
            Self.object(
                ("client", .int($0.client)),
                ("coordinator", .int($0.coordinator)),
                ("worker", .int($0.worker))
            )
        }
        object["queued"] = queue.map {
            Self.object(
                ("tasks", .int($0.tasks)),
                ("payload_bytes", .int(BenchmarkSettings.payloadBytes)),
                ("elapsed", .double($0.elapsed.inSeconds)),
                ("memory_before", .int($0.before)),
                ("memory_after", .int($0.after)),
                ("bytes_per_task", .double($0.bytesPerTask))
            )
        }
        object["first_result_us"] = firstResult.map { Self.json($0, unit: 1_000) }
        object["whole_run_us"] = wholeRun.map { Self.json($0, unit: 1_000) }
        return .object(object)
    }

    private static func object(_ members: (String, JSONValue)...) -> JSONValue {
        .object(JSONObject(members.map { JSONObject.Member(key: $0.0, value: $0.1) }))
    }

    private static func json(_ rate: Rate) -> JSONValue {
        object(
            ("count", .int(rate.count)),
            ("elapsed", .double(rate.elapsed.inSeconds)),
            ("per_second", .int(Int(rate.perSecond.rounded())))
        )
    }

    private static func json(_ histogram: Histogram<UInt32>, unit: Double) -> JSONValue {
        func percentile(_ percent: Double) -> JSONValue { .double(Double(histogram.valueAtPercentile(percent)) / unit) }
        return object(
            ("count", .int(Int(histogram.totalCount))),
            ("p50", percentile(50)),
            ("p90", percentile(90)),
            ("p99", percentile(99)),
            ("max", .double(Double(histogram.max) / unit))
        )
    }
}
