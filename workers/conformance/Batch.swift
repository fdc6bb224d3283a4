internal import Cohort

/// Scenarios that are run side by side.
struct Batch: Sendable {
    let files: [String]
    /// How many of them run at once.
    let jobs: Int
    /// How often a scenario is run before it has failed.
    let attempts: Int
    /// `nil` compares nothing.
    let comparison: Comparison?

    /// What became of one scenario.
    enum Ending: Sendable {
        case shown(RunOutcome)
        /// The lines tell how the last attempt differs from what is expected; none if it does not.
        case compared(Scenario, differences: [String], attempt: Int)
        /// It could not be run.
        case broken(String)
    }

    /// Runs them all and reports each in the order of the files, as soon as those before it have been reported.
    func run(_ runner: ScenarioRunner, _ report: inout Report) async {
        var endings: [Int: Ending] = [:]
        var reported = 0
        await withTaskGroup(of: (Int, Ending).self) { group in
            var started = 0
            func startNext() {
                guard started < files.count else { return }
                let number = started
                started += 1
                group.addTask { (number, await ending(of: files[number], runner)) }
            }
            for _ in 0..<jobs { startNext() }
            for await (number, ending) in group {
                startNext()
                endings[number] = ending
                while let next = endings.removeValue(forKey: reported) {
                    report.show(files[reported], next)
                    reported += 1
                }
            }
        }
    }

    private func ending(of file: String, _ runner: ScenarioRunner) async -> Ending {
        do {
            let scenario = try ScenarioFiles.read(file)
            guard let comparison else { return .shown(try await runner.run(scenario)) }
            var attempt = 1
            while true {
                let differences = comparison.differences(scenario, try await runner.run(scenario))
                if differences.isEmpty || attempt == attempts {
                    return .compared(scenario, differences: differences, attempt: attempt)
                }
                attempt += 1
            }
        } catch {
            return .broken(String(describing: error))
        }
    }
}
