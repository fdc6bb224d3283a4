internal import Testing

@testable internal import CohortFaults

@Suite("Shrinking a failing seed")
struct ShrinkerTests {
    /// A promise that is broken as soon as two clients have joined and a worker, with an effect of these numbers.
    private func failing(_ settings: Simulation.Settings, needs: Set<Int>) -> SeedResult {
        var result = Simulation.result(of: settings)
        let effective = Set(result.injections.filter { !$0.effect.isEmpty }.map(\.number))
        if needs.isSubset(of: effective) {
            result.broken = BrokenPromise(promise: .structure, message: "on purpose", evidence: [])
        }
        return result
    }

    @Test("exactly the injections that it takes are left")
    func shrinks() throws {
        let settings = Simulation.Settings(seed: 11, steps: 400)
        let all = Simulation.result(of: settings).injections.filter { !$0.effect.isEmpty }.map(\.number)
        let needs: Set<Int> = [all[1], all[2]]
        let whole = failing(settings, needs: needs)
        try #require(whole.broken != nil)
        var shrinker = Shrinker(settings, whole) { self.failing($0, needs: needs) }
        let found = shrinker.shrink()
        let shrunk = try #require(found)
        #expect(shrunk.needed.map(\.number) == needs.sorted())
        #expect(!needs.contains(where: shrunk.without.contains))
        // Left out by number, the failure comes again.
        var again = settings
        again.without = shrunk.without
        again.healAt = whole.healedAt
        #expect(failing(again, needs: needs).broken?.promise == .structure)
    }

    @Test("another promise is another failure")
    func samePromiseOnly() throws {
        let settings = Simulation.Settings(seed: 11, steps: 400)
        var whole = Simulation.result(of: settings)
        whole.broken = BrokenPromise(promise: .structure, message: "on purpose", evidence: [])
        var shrinker = Shrinker(settings, whole) { settings in
            var result = Simulation.result(of: settings)
            result.broken = BrokenPromise(promise: .exactBlame, message: "another", evidence: [])
            return result
        }
        #expect(shrinker.shrink() == nil)
    }
}
