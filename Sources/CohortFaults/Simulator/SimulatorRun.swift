internal import Dispatch
internal import Synchronization

/// Simulates many seeds, several at once, and sums up what came of them.
package struct SimulatorRun: Sendable {
    package struct Configuration: Sendable {
        package var firstSeed: UInt64
        package var seeds: Int
        package var steps: Int
        package var jobs: Int
        /// Of a single seed: what to leave out.
        package var without = InjectionNumbers([])
        /// Of a failing seed: how many of the last lines of its trace to keep.
        package var traceLines = 40

        package init(firstSeed: UInt64, seeds: Int = 1, steps: Int = 2_000, jobs: Int = 1) {
            self.firstSeed = firstSeed
            self.seeds = seeds
            self.steps = steps
            self.jobs = jobs
        }
    }

    private struct State {
        var next: UInt64
        var failures: [SeedResult] = []
        var report: SimulatorReport
        var hasStopped = false
    }

    private let configuration: Configuration

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Runs all seeds, or until one has failed.
    ///
    /// - Parameter progress: called after each seed, from any thread.
    package func run(progress: @escaping @Sendable (_ done: Int) -> Void = { _ in }) -> SimulatorReport {
        let clock = ContinuousClock()
        let begin = clock.now
        let end = configuration.firstSeed &+ UInt64(configuration.seeds)
        let state = Mutex(
            State(next: configuration.firstSeed, report: SimulatorReport(firstSeed: configuration.firstSeed))
        )
        DispatchQueue.concurrentPerform(iterations: max(configuration.jobs, 1)) { _ in
            while let seed = state.withLock({ Self.next(&$0, before: end) }) {
                let result = simulate(seed)
                let done = state.withLock { state in
                    state.report.add(result)
                    if result.broken != nil {
                        state.failures.append(result)
                        // Seeds before it that are under way still come to their end: the lowest one is told.
                        state.hasStopped = true
                    }
                    return state.report.seeds
                }
                progress(done)
            }
        }
        var (report, failures) = state.withLock { ($0.report, $0.failures) }
        report.elapsed = clock.now - begin
        failures.sort { $0.seed < $1.seed }
        report.failure = failures.first.map(explain)
        return report
    }

    private static func next(_ state: inout State, before end: UInt64) -> UInt64? {
        guard !state.hasStopped, state.next != end else { return nil }
        defer { state.next &+= 1 }
        return state.next
    }

    private func settings(of seed: UInt64) -> Simulation.Settings {
        var settings = Simulation.Settings(seed: seed, steps: configuration.steps)
        settings.without = configuration.without
        return settings
    }

    private func simulate(_ seed: UInt64) -> SeedResult {
        let settings = settings(of: seed)
        guard !configuration.without.isEmpty else { return Simulation.result(of: settings) }
        var whole = settings
        whole.without = InjectionNumbers([])
        return Simulation.result(of: settings, like: Simulation.result(of: whole))
    }

    /// Shrinks a failure and tells its story.
    private func explain(_ result: SeedResult) -> SimulatorReport.Failure {
        var settings = settings(of: result.seed)
        var shrinker = Shrinker(settings, result)
        let shrunk = shrinker.shrink()
        settings.without = shrunk?.without ?? configuration.without
        settings.isTraced = true
        settings.healAt = result.healedAt
        let told = Simulation.result(of: settings)
        return SimulatorReport.Failure(
            seed: result.seed,
            options: result.options,
            broken: told.broken ?? result.broken ?? BrokenPromise(promise: .invariants, message: "", evidence: []),
            injections: shrunk?.needed ?? result.injections.filter { !$0.effect.isEmpty },
            allInjections: result.injections.count { !$0.effect.isEmpty },
            replay: replay(result.seed, settings.without),
            trace: Array(told.trace.suffix(configuration.traceLines))
        )
    }

    private func replay(_ seed: UInt64, _ without: InjectionNumbers) -> String {
        let rest = without.isEmpty ? "" : " --without \(without)"
        return "cohort sim --seed \(seed) --steps \(configuration.steps)\(rest)"
    }
}
