internal import Cohort

/// Scenarios that are run side by side.
struct Batch: Sendable {
    let files: [String]
    /// How many of them run at once.
    let jobs: Int

    /// What became of one scenario.
    enum Ending: Sendable {
        case ran(Scenario, RunOutcome)
        /// It could not be run.
        case broken(String)
    }

    /// Runs them all and reports each in the order of the files, as soon as those before it have been reported.
    func run(_ runner: ScenarioRunner, _ report: Report) async -> Report.Tally {
        var tally = Report.Tally()
        var endings: [Int: Ending] = [:]
        await withTaskGroup(of: (Int, Ending).self) { group in
            var started = 0
            func startNext() {
                guard started < files.count else { return }
                let number = started
                started += 1
                group.addTask { (number, await Self.ending(of: files[number], runner)) }
            }
            for _ in 0..<jobs { startNext() }
            for await (number, ending) in group {
                startNext()
                endings[number] = ending
                while let next = endings.removeValue(forKey: tally.total) {
                    report.show(files[tally.total], next, &tally)
                }
            }
        }
        return tally
    }

    private static func ending(of file: String, _ runner: ScenarioRunner) async -> Ending {
        do {
            let scenario = try ScenarioFiles.read(file)
            return .ran(scenario, try await runner.run(scenario))
        } catch {
            return .broken(String(describing: error))
        }
    }
}
