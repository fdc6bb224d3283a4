package import Cohort

/// What the simulation of many seeds has found.
package struct SimulatorReport: Sendable {
    /// A seed in which a promise was broken.
    package struct Failure: Sendable {
        package var seed: UInt64
        package var options: String
        package var broken: BrokenPromise
        /// Those that it takes.
        package var injections: [Injection]
        /// How many there were in the whole run.
        package var allInjections: Int
        /// The command that shows it again.
        package var replay: String
        /// The last lines of what happened.
        package var trace: [String]
    }

    package var firstSeed: UInt64
    package var seeds = 0
    package var steps = 0
    /// In seconds.
    package var simulated = 0.0
    package var tasks = 0
    package var executions = 0
    package var groups = 0
    package var elapsed = Duration.zero
    /// What was injected, and what else went wrong on purpose, by name.
    package var counts: [(name: String, count: Int)] = []
    /// Over the traces of all seeds, whatever the order in which they were run.
    package var hash: UInt64 = 0
    package var failure: Failure?

    package init(firstSeed: UInt64) { self.firstSeed = firstSeed }

    package var stepsPerSecond: Double {
        Double(steps) / max(Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18, 1e-9)
    }

    mutating func add(_ result: SeedResult) {
        seeds += 1
        steps += result.steps
        simulated += result.simulated
        tasks += result.tasks
        executions += result.executions
        groups += result.groups
        hash ^= result.hash.value
        for (name, count) in result.counts {
            if let place = counts.firstIndex(where: { $0.name == name }) {
                counts[place].count += count
            } else {
                counts.append((name, count))
            }
        }
    }

    private var orderedCounts: [(name: String, count: Int)] {
        counts.sorted { ($1.count, $0.name) < ($0.count, $1.name) }
    }
}

// MARK: - For people

extension SimulatorReport {
    package var text: String {
        let last = firstSeed &+ UInt64(max(seeds, 1)) &- 1
        var lines = [
            "seeds \(firstSeed) to \(last): \(steps) steps, \(Int(simulated)) s simulated, "
                + "\(Int(stepsPerSecond)) steps per second, trace \(String(hash, radix: 16))",
            "\(tasks) tasks, \(executions) executions, \(groups) groups closed",
            "injected: " + orderedCounts.map { "\($0.name) \($0.count)" }.joined(separator: ", "),
            "promises: " + Promise.allCases.map(\.rawValue).joined(separator: ", "),
        ]
        if let failure { lines += failure.lines } else { lines.append("all kept") }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension SimulatorReport.Failure {
    fileprivate var lines: [String] {
        var lines = ["", "seed \(seed): broken promise \"\(broken.promise.rawValue)\"", "  \(broken.message)"]
        lines += broken.evidence.map { "    \($0)" }
        lines += ["options: \(options)", "it takes \(injections.count) of \(allInjections) injections:"]
        lines += injections.map { "  \($0.description)" }
        lines += ["the end of what happened:"] + trace.map { "  \($0)" }
        return lines + ["again: \(replay)"]
    }
}

// MARK: - For programs

extension SimulatorReport: JSONRepresentable {
    package var json: JSONValue {
        var object = JSONObject()
        object["version"] = .int(1)
        object["outcome"] = .string(failure == nil ? "kept" : "broken")
        object["first_seed"] = .string(String(firstSeed))
        object["seeds"] = .int(seeds)
        object["steps"] = .int(steps)
        object["steps_per_second"] = .int(Int(stepsPerSecond))
        object["simulated"] = .double(simulated)
        object["tasks"] = .int(tasks)
        object["executions"] = .int(executions)
        object["groups_closed"] = .int(groups)
        object["trace"] = .string(String(hash, radix: 16))
        object["injected"] = .object(
            JSONObject(orderedCounts.map { JSONObject.Member(key: $0.name, value: .int($0.count)) })
        )
        object["promises"] = .array(Promise.allCases.map { .string($0.rawValue) })
        object["failure"] = failure?.json ?? .null
        return .object(object)
    }
}

extension SimulatorReport.Failure {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["seed"] = .string(String(seed))
        object["options"] = .string(options)
        object["promise"] = .string(broken.promise.rawValue)
        object["message"] = .string(broken.message)
        object["evidence"] = .array(broken.evidence.map { .string($0) })
        object["injections"] = .array(injections.map { .string($0.description) })
        object["injections_in_all"] = .int(allInjections)
        object["events"] = .array(trace.map { .string($0) })
        object["replay"] = .string(replay)
        return .object(object)
    }
}
