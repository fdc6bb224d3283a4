internal import CohortCore

/// What became of the simulation of one seed.
package struct SeedResult: Sendable {
    package var seed: UInt64
    package var options: String
    /// Events.
    package var steps: Int
    /// Simulated time, in seconds.
    package var simulated: Double
    /// When everything was healed, or the run stopped before that; in nanoseconds.
    var healedAt: UInt64
    package var hash: TraceHash
    /// How often what was injected, and what else went wrong on purpose, in the order of first occurrence.
    package var counts: [(name: String, count: Int)]
    package var injections: [Injection]
    package var broken: BrokenPromise?
    package var trace: [String]
    /// Tasks that clients asked for, executions that were begun, and groups that were told as closed.
    package var tasks: Int
    package var executions: Int
    package var groups: Int
}

extension Simulation {
    /// Runs one seed to its end.
    package static func result(of settings: Settings) -> SeedResult {
        let simulation = Simulation(settings)
        simulation.run()
        return simulation.result
    }

    /// Runs a seed without some of its injections, everything else being as in the whole run.
    package static func result(of settings: Settings, like whole: SeedResult) -> SeedResult {
        var settings = settings
        settings.healAt = whole.healedAt
        return result(of: settings)
    }

    private var result: SeedResult {
        SeedResult(
            seed: seed,
            options: options.description,
            steps: steps,
            simulated: Double(now.nanoseconds) / 1e9 - 1,
            healedAt: healedAt?.nanoseconds ?? now.nanoseconds + 1,
            hash: hash,
            counts: counts,
            injections: injections,
            broken: brokenPromise,
            trace: trace,
            tasks: truth.tasks.count,
            executions: truth.executions.count,
            groups: truth.groups.count { $0.closed != nil }
        )
    }
}
