internal import ArgumentParser
internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortFaults

/// How whoever runs a batch under faults wants it to come out.
enum ChaosExpectation: String, ExpressibleByArgument, CaseIterable {
    /// Its retries and timeouts get it through.
    case ok
    /// They do not.
    case errors
    case any
}

/// What a run under faults came to: the record and what is made of it.
struct ChaosOutcome: Sendable {
    var record: RunRecord
    var verdict: Verdict
    var expectation: ChaosExpectation
    /// Of the batch and of the plan.
    var files: (batch: String, plan: String)

    init(_ record: RunRecord, _ expectation: ChaosExpectation, files: (batch: String, plan: String)) {
        self.record = record
        self.verdict = Verdict(record)
        self.expectation = expectation
        self.files = files
    }

    /// Why the batch did not come out as it was to; `nil` if it did.
    var disappointment: String? {
        if record.ended == nil { return "it did not end in \(CohortDuration.format(record.limit))" }
        guard let outcome = record.document?.outcome else { return "it has no outcome" }
        switch expectation {
        case .any: return nil
        case .ok: return outcome == .ok ? nil : "it was to end ok, and ended with \(outcome.rawValue)"
        case .errors: return outcome == .errors ? nil : "it was to end with errors, and ended with \(outcome.rawValue)"
        }
    }

    /// There is a plan, and nothing of it came about: the batch was over before, or chance has spared everything.
    var isVain: Bool {
        !record.plan.faults.isEmpty && !record.messages.hasFaults
            && InjectedFault.all(of: record).allSatisfy { $0.what == InjectedFault.missed }
    }

    /// 0 if every promise held and the batch came out as expected; 4 if it did so without any fault, which proves nothing.
    var exitStatus: Int32 { verdict.isBroken || disappointment != nil ? 1 : isVain ? 4 : 0 }

    /// One line for the last one.
    var conclusion: String {
        let broken = verdict.findings.filter { $0.state == .broken }
        let held = verdict.findings.count { $0.state == .held }
        let untested = verdict.findings.count { $0.state == .untested }
        var parts: [String] = []
        if broken.isEmpty {
            parts.append("\(held) promises held" + (untested > 0 ? ", \(untested) not put to the test" : ""))
        } else {
            parts.append(
                "broken: " + broken.map { "\($0.promise.rawValue) \($0.promise.title)" }.joined(separator: ", ")
            )
        }
        if isVain {
            parts.append("nothing was injected: none of the plan's faults came about before the batch was over")
        }
        if let disappointment { parts.append("the batch: \(disappointment)") }
        return parts.joined(separator: "; ")
    }
}

/// One thing that was done by the plan, in the order of time.
struct InjectedFault {
    /// Counted from the moment at which the batch was handed over.
    var at: Double
    /// The fault's place in the plan, from 1.
    var rule: Int
    var what: String
    /// On whom, for people.
    var subject: String
    /// More of it, for people.
    var detail: String
    var task: (path: String, attempt: Int)?
    var processes: [Int32]

    /// What is told of a fault whose victim was not there.
    static let missed = "missed"

    /// All that the plan has done to processes and tasks. Messages are counted, not listed.
    static func all(of record: RunRecord) -> [InjectedFault] {
        var faults: [InjectedFault] = []
        for incident in record.incidents {
            guard let rule = incident.rule, let (what, detail) = words(for: incident) else { continue }
            faults.append(
                InjectedFault(
                    at: incident.at.since(record.begun).seconds,
                    rule: rule + 1,
                    what: what,
                    subject: what == "fill" ? "the coordinator's state" : incident.subject,
                    detail: detail,
                    processes: incident.processes
                )
            )
        }
        for evidence in record.evidence {
            guard case .injected(let rule) = evidence.fact else { continue }
            let task = record.batch.tasks[evidence.task]
            guard let fault = task.rules.first(where: { $0.number == rule })?.fault else { continue }
            let (what, detail) = words(for: fault.action)
            faults.append(
                InjectedFault(
                    at: evidence.at.since(record.begun).seconds,
                    rule: rule + 1,
                    what: what,
                    subject: task.path,
                    detail: "attempt \(evidence.attempt)" + (detail.isEmpty ? "" : ", \(detail)"),
                    task: (task.path, evidence.attempt),
                    processes: [evidence.process]
                )
            )
        }
        return faults.sorted { ($0.at, $0.rule) < ($1.at, $1.rule) }
    }

    private static func words(for incident: Incident) -> (what: String, detail: String)? {
        switch incident.kind {
        case .killed(let executing, _):
            let tasks = executing.count == 1 ? "1 task" : "\(executing.count) tasks"
            return ("kill", incident.target == .coordinator ? "" : "\(tasks) executing")
        case .frozen(let length): return ("freeze", "for \(CohortDuration.format(length))")
        case .filled(let length): return ("fill", "for \(CohortDuration.format(length))")
        case .missed: return (missed, "it was not there")
        case .thawed, .ended, .restarted, .givenUp: return nil
        }
    }

    private static func words(for action: TaskFault.Action) -> (what: String, detail: String) {
        switch action {
        case .fail(let status, _): ("fail", "status \(status)")
        case .delay(let length): ("delay", "by \(CohortDuration.format(length))")
        case .hang: ("hang", "")
        }
    }
}
