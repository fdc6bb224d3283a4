internal import Cohort
internal import CohortFaults
internal import Testing

@Suite("Simulations of a cluster")
struct SimulationTests {
    @Test("every promise is kept, whatever the seed brings", arguments: 0..<8)
    func promisesAreKept(part: UInt64) {
        var configuration = SimulatorRun.Configuration(firstSeed: 1_000 + part * 20, seeds: 20)
        configuration.steps = 600
        let report = SimulatorRun(configuration).run()
        #expect(report.failure == nil, "\(report.text)")
        #expect(report.seeds == 20)
        #expect(report.executions > 0)
    }

    @Test("a seed gives the same run each time, and other seeds give others")
    func determinism() {
        let first = (1...12).map { Simulation.result(of: Simulation.Settings(seed: $0, steps: 500)) }
        let second = (1...12).map { Simulation.result(of: Simulation.Settings(seed: $0, steps: 500)) }
        #expect(first.map(\.hash) == second.map(\.hash))
        #expect(first.map(\.steps) == second.map(\.steps))
        #expect(Set(first.map(\.hash.value)).count == 12)
    }

    @Test("seeds run on several threads come to the same as on one")
    func threads() {
        let one = SimulatorRun(SimulatorRun.Configuration(firstSeed: 50, seeds: 12, steps: 400, jobs: 1)).run()
        let four = SimulatorRun(SimulatorRun.Configuration(firstSeed: 50, seeds: 12, steps: 400, jobs: 4)).run()
        #expect(one.hash == four.hash)
        #expect(one.steps == four.steps)
    }

    @Test("each seed switches some kinds of faults off, and all of them come up")
    func swarm() {
        let options = (UInt64(1)...200).map { SwarmOptions(seed: $0) }
        let kinds = Injection.Kind.allCases.filter(\.isFault)
        for kind in kinds {
            let count = options.count { $0.weight(of: kind) > 0 }
            #expect(count > 60 && count < 180, "\(kind.name) in \(count) of 200 seeds")
        }
        #expect(options.contains { $0.isDurable } && options.contains { !$0.isDurable })
    }

    @Test("what is left out has no effect, and everything else comes as it did")
    func without() throws {
        let settings = Simulation.Settings(seed: 7, steps: 800)
        let whole = Simulation.result(of: settings)
        let last = try #require(whole.injections.last { !$0.effect.isEmpty })
        var fewer = settings
        fewer.without = InjectionNumbers([last.number])
        let rest = Simulation.result(of: fewer, like: whole)
        #expect(rest.injections.count == whole.injections.count)
        let other = rest.injections.filter { $0.number != last.number }
        #expect(other.map(\.number) == whole.injections.filter { $0.number != last.number }.map(\.number))
        #expect(rest.injections.first { $0.number == last.number }?.effect == "")
        #expect(zip(rest.injections, whole.injections).prefix(last.number - 1).allSatisfy { $0 == $1 })
    }

    @Test("a report says what was done, and that all was kept")
    func report() {
        let report = SimulatorRun(SimulatorRun.Configuration(firstSeed: 3, seeds: 2, steps: 300)).run()
        #expect(report.text.hasPrefix("seeds 3 to 4: "))
        #expect(report.text.hasSuffix("all kept\n"))
        #expect(report.json.description.contains(#""outcome": "kept""#))
    }
}
