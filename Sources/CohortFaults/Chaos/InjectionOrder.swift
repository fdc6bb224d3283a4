package import CohortBatch

/// What may happen to one task, and where it leaves its evidence: handed to whatever stands in for the task's own program.
///
/// What does happen depends on the seed, the rule, the task's path and the attempt alone, so that it can be told beforehand and
/// is the same when the run is repeated.
package struct InjectionOrder: Codable, Sendable, Equatable {
    /// A rule of the plan that speaks of this task.
    package struct Rule: Codable, Sendable, Equatable {
        /// Its place in the plan.
        package var number: Int
        package var fault: TaskFault

        package init(number: Int, fault: TaskFault) {
            self.number = number
            self.fault = fault
        }
    }

    /// What happens to one attempt.
    package struct Decision: Sendable, Equatable {
        package enum Ending: Sendable, Equatable {
            case fail(status: Int, message: String)
            case hang
        }

        /// How much later it begins.
        package var delay = Duration.zero
        /// What it does instead of running; `nil` if it runs.
        package var ending: Ending?
        /// The rules that take effect.
        package var rules: [Int] = []

        package init() {}
    }

    /// The task's place among all tasks of the batch, from 0.
    package var task: Int
    /// The names of the groups around it, from the root's children on, and its own.
    package var path: String
    package var seed: UInt64
    /// The file for evidence; `nil` where none is kept.
    package var evidence: String?
    package var rules: [Rule]

    package init(task: Int, path: String, seed: UInt64, evidence: String? = nil, rules: [Rule]) {
        self.task = task
        self.path = path
        self.seed = seed
        self.evidence = evidence
        self.rules = rules
    }

    /// What happens to an attempt, counted from 1. Delays add up; of failures and hangs the first in the plan counts.
    package func decision(attempt: Int) -> Decision {
        var decision = Decision()
        for rule in rules where applies(rule, attempt: attempt) {
            switch rule.fault.action {
            case .delay(let length):
                decision.delay += length
            case .fail(let status, let message):
                guard decision.ending == nil else { continue }
                decision.ending = .fail(status: status, message: message)
            case .hang:
                guard decision.ending == nil else { continue }
                decision.ending = .hang
            }
            decision.rules.append(rule.number)
        }
        return decision
    }

    private func applies(_ rule: Rule, attempt: Int) -> Bool {
        if let only = rule.fault.attempt, only != attempt { return false }
        if rule.fault.probability >= 1 { return true }
        var generator = SeededGenerator(seed: seed, "task", path, String(rule.number), String(attempt))
        return Double.random(in: 0..<1, using: &generator) < rule.fault.probability
    }
}

extension SeededGenerator {
    /// A generator for one purpose: the same for the same seed and words, and unlike that of any other words.
    package init(seed: UInt64, _ words: String...) {
        // FNV-1a over the seed and the words, each with its end.
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        for shift in stride(from: 0, to: 64, by: 8) { add(UInt8(truncatingIfNeeded: seed >> UInt64(shift))) }
        for word in words {
            for byte in word.utf8 { add(byte) }
            add(0xff)
        }
        self.init(seed: hash)
    }
}
