internal import Testing

/// Random lives of a cluster: nothing illegal on the way, and in the end every group has closed and every accepted task was
/// told exactly once.
@Suite struct RandomClusterTests {
    @Test(arguments: [UInt64](1...240))
    func everythingComesToItsEnd(seed: UInt64) {
        run(seed: seed, steps: 120)
    }

    @Test(arguments: [UInt64](1_001...1_006))
    func longLives(seed: UInt64) {
        run(seed: seed, steps: 1_000)
    }

    @Test(arguments: [UInt64](2_001...2_120))
    func everythingSurvivesRestarts(seed: UInt64) {
        run(seed: seed, steps: 150, keepsJournal: true)
    }

    private func run(seed: UInt64, steps: Int, keepsJournal: Bool = false) {
        var cluster = ModelCluster(seed: seed, keepsJournal: keepsJournal)
        do {
            try cluster.joinClient()
            try cluster.joinWorker(slots: 2, credit: .max, runsCommands: true, functions: ["f"])
            for _ in 0..<steps { try cluster.step() }
            try cluster.heal()
        } catch {
            let events = cluster.history.map { "\($0)" }.filter { !$0.hasPrefix("heard") }
            Issue.record("seed \(seed): \(error)\nlast events:\n\(events.joined(separator: "\n"))")
        }
    }
}
