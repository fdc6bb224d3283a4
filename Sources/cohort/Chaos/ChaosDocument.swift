internal import Cohort
internal import CohortCore
internal import CohortFaults

/// A run under faults, for programs. The guide to chaos in the library's documentation describes it member by member.
extension ChaosOutcome: JSONRepresentable {
    static let version = 1

    var json: JSONValue {
        var object = JSONObject()
        object["version"] = .int(Self.version)
        object["batch"] = .string(files.batch)
        object["plan"] = .string(files.plan)
        // As text: not every reader of JSON keeps 64 bits.
        object["seed"] = .string(String(record.batch.seed))
        object["verdict"] = .string(verdict.isBroken ? "broken" : "held")
        object["expected"] = .string(expectation.rawValue)
        object["as_expected"] = .bool(disappointment == nil)
        object["injected"] = .bool(!isVain)
        object["conclusion"] = .string(conclusion)
        object["elapsed"] = record.ended.map { Self.seconds($0.since(record.begun).seconds) } ?? .null
        object["promises"] = .array(verdict.findings.map(Self.json))
        object["faults"] = .array(InjectedFault.all(of: record).map(Self.json))
        object["messages"] = Self.json(record.messages)
        object["outcome"] = record.document?.json ?? .null
        object["message"] = .string(record.message)
        return .object(object)
    }

    private static func json(_ finding: Verdict.Finding) -> JSONValue {
        [
            "promise": .int(finding.promise.rawValue),
            "title": .string(finding.promise.title),
            "state": .string(finding.state.rawValue),
            "summary": .string(finding.summary),
            "breaches": .array(finding.breaches.map(JSONValue.string)),
        ]
    }

    private static func json(_ fault: InjectedFault) -> JSONValue {
        var object = JSONObject()
        object["at"] = seconds(fault.at)
        object["fault"] = .int(fault.rule)
        object["what"] = .string(fault.what)
        object["subject"] = .string(fault.subject)
        if let task = fault.task { object["attempt"] = .int(task.attempt) }
        object["detail"] = .string(fault.detail)
        object["processes"] = .array(fault.processes.map { .int(Int($0)) })
        return .object(object)
    }

    private static func json(_ messages: MessageCounts) -> JSONValue {
        [
            "passed": .int(messages.passed), "dropped": .int(messages.dropped), "delayed": .int(messages.delayed),
            "duplicated": .int(messages.duplicated), "corrupted": .int(messages.corrupted),
            "disconnected": .int(messages.disconnected),
        ]
    }

    private static func seconds(_ seconds: Double) -> JSONValue { .double((seconds * 1_000).rounded() / 1_000) }
}
