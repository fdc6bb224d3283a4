/// Finds out which of a failing seed's injections it takes to break the promise.
///
/// Leaves out ever smaller pieces as long as the same promise breaks ("delta debugging"). What an injection does depends on
/// its number alone, and so does when it comes: a run without others is the same run otherwise.
package struct Shrinker {
    /// Runs that it may take.
    private static let budget = 600

    private let settings: Simulation.Settings
    private let whole: SeedResult
    private let run: (Simulation.Settings) -> SeedResult
    private var runs = 0

    /// - Parameters:
    ///   - whole: what came of the seed with everything.
    ///   - run: simulates; another one is for tests only.
    package init(
        _ settings: Simulation.Settings,
        _ whole: SeedResult,
        run: @escaping (Simulation.Settings) -> SeedResult = { Simulation.result(of: $0) }
    ) {
        self.settings = settings
        self.whole = whole
        self.run = run
    }

    /// - Returns: the injections that are needed, and those that can be left out; `nil` if the failure does not come again
    ///   without those that had no effect.
    package mutating func shrink() -> (needed: [Injection], without: InjectionNumbers, result: SeedResult)? {
        guard whole.broken != nil else { return nil }
        var needed = whole.injections.filter { !settings.without.contains($0.number) && !$0.effect.isEmpty }.map(
            \.number
        )
        guard var best = attempt(needed) else { return nil }
        var size = max(needed.count / 2, 1)
        while runs < Self.budget, !needed.isEmpty {
            var hasShrunk = false
            var start = 0
            while start < needed.count, runs < Self.budget {
                var rest = needed
                rest.removeSubrange(start..<min(start + size, rest.count))
                if let result = attempt(rest) {
                    needed = rest
                    best = result
                    hasShrunk = true
                } else {
                    start += size
                }
            }
            if size == 1, !hasShrunk { break }
            size = max(size / 2, 1)
        }
        let injections = best.injections.filter { needed.contains($0.number) && !$0.effect.isEmpty }
        return (injections, without(needed), best)
    }

    private func without(_ needed: [Int]) -> InjectionNumbers {
        InjectionNumbers((1...max(whole.injections.count, 1)).filter { !needed.contains($0) })
    }

    /// - Returns: the result, if the same promise breaks with these injections only.
    private mutating func attempt(_ needed: [Int]) -> SeedResult? {
        runs += 1
        var settings = settings
        settings.without = without(needed)
        settings.healAt = whole.healedAt
        settings.isTraced = false
        let result = run(settings)
        return result.broken?.promise == whole.broken?.promise ? result : nil
    }
}
