internal import Cohort
internal import Glibc

/// Tells what became of scenarios, on stdout: one line for each that is compared, or else its outcome as JSON.
struct Report: Sendable {
    private var passed = 0
    /// Of those that passed, the ones that did not at the first attempt.
    private var passedLate = 0
    private(set) var failed = 0
    /// Those that could not be run.
    private(set) var broken = 0

    mutating func show(_ file: String, _ ending: Batch.Ending) {
        switch ending {
        case .broken(let problem):
            broken += 1
            print("\(file): not run: \(problem)")
        case .shown(let outcome):
            print(JSONValue.object(outcome.json).text(.indented))
        case .compared(let scenario, let differences, let attempt) where differences.isEmpty:
            passed += 1
            if attempt > 1 { passedLate += 1 }
            print("\(scenario.name): passed\(attempt > 1 ? " at attempt \(attempt)" : "")")
        case .compared(let scenario, let differences, _):
            failed += 1
            print("\(scenario.name): FAILED")
            for difference in differences { print("  \(difference)") }
        }
        // Whoever watches through a pipe sees each scenario as it ends.
        fflush(nil)
    }

    func summarize() {
        let late = passedLate > 0 ? " (\(passedLate) not at the first attempt)" : ""
        let notRun = broken > 0 ? ", \(broken) not run" : ""
        print("\(passed + failed + broken) scenarios: \(passed) passed\(late), \(failed) failed\(notRun)")
    }
}
