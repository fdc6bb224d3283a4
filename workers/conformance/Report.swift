internal import Cohort
internal import Glibc

/// Tells what became of scenarios, on stdout: one line for each that is compared, or else its outcome as JSON.
struct Report: Sendable {
    /// `nil` only shows the outcomes.
    let comparison: Comparison?

    /// How many scenarios ended in which way.
    struct Tally: Sendable, Equatable {
        var passed = 0
        var failed = 0
        /// Those that could not be run.
        var broken = 0

        var total: Int { passed + failed + broken }
    }

    func show(_ file: String, _ ending: Batch.Ending, _ tally: inout Tally) {
        switch ending {
        case .broken(let problem):
            tally.broken += 1
            print("\(file): not run: \(problem)")
        case .ran(let scenario, let outcome):
            guard let comparison else {
                tally.passed += 1
                print(JSONValue.object(outcome.json).text(.indented))
                break
            }
            let expected = scenario.expected ?? JSONObject()
            var differences = comparison.differences(expected: expected, actual: outcome.json)
            if outcome.took == nil { differences.append("the script has not ended after \(ScenarioRunner.limit) s") }
            if differences.isEmpty { tally.passed += 1 } else { tally.failed += 1 }
            print("\(scenario.name): \(differences.isEmpty ? "passed" : "FAILED")")
            for difference in differences { print("  \(difference)") }
        }
        // Whoever watches through a pipe sees each scenario as it ends.
        fflush(nil)
    }

    func summary(_ tally: Tally) {
        let broken = tally.broken > 0 ? ", \(tally.broken) not run" : ""
        print("\(tally.total) scenarios: \(tally.passed) passed, \(tally.failed) failed\(broken)")
    }
}
