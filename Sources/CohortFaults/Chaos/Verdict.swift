/// What a run under faults has shown of each promise.
package struct Verdict: Sendable, Equatable {
    package enum Promise: Int, Sendable, CaseIterable {
        case oneOutcome = 1
        case atMostOnce, structure, boundedCancellation, nothingSurvives, noSilentHang, everyErrorTold, exactBlame,
            badInput

        package var title: String {
            switch self {
            case .oneOutcome: "One outcome"
            case .atMostOnce: "At most once"
            case .structure: "Structure"
            case .boundedCancellation: "Bounded cancellation"
            case .nothingSurvives: "Nothing survives"
            case .noSilentHang: "No silent hang"
            case .everyErrorTold: "Every error is told"
            case .exactBlame: "Exact blame"
            case .badInput: "Bad input stops at the door"
            }
        }
    }

    package enum State: String, Sendable {
        case held
        case broken
        /// Nothing happened that could have broken it.
        case untested
    }

    /// What was found out about one promise.
    package struct Finding: Sendable, Equatable {
        package var promise: Promise
        package var state: State
        /// What was counted or measured, in one line.
        package var summary: String
        /// How it was broken: the task, the times, what there is to show.
        package var breaches: [String]

        /// Broken if there are breaches.
        package init(_ promise: Promise, _ summary: String, breaches: [String] = []) {
            self.promise = promise
            self.state = breaches.isEmpty ? .held : .broken
            self.summary = summary
            self.breaches = breaches
        }

        /// Not put to the test, and why.
        package init(untested promise: Promise, _ reason: String) {
            self.promise = promise
            state = .untested
            summary = reason
            breaches = []
        }
    }

    /// One for each promise, in their order.
    package var findings: [Finding]

    package var isBroken: Bool { findings.contains { $0.state == .broken } }

    package subscript(promise: Promise) -> Finding? { findings.first { $0.promise == promise } }

    package init(findings: [Finding]) { self.findings = findings }

    /// Judges a run.
    package init(_ record: RunRecord) {
        let trial = Trial(record)
        findings = [
            trial.oneOutcome(), trial.atMostOnce(), trial.structure(), trial.boundedCancellation(),
            trial.nothingSurvives(), trial.noSilentHang(), trial.everyErrorTold(), trial.exactBlame(), trial.badInput(),
        ]
    }
}
