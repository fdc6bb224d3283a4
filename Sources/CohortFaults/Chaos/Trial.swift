internal import Cohort
internal import CohortBatch
internal import CohortCore

/// The record of a run in the order in which promises ask for it. Each promise is judged in an extension.
struct Trial {
    /// What is known of one execution of a task.
    struct Trace {
        /// More than one would be a promise broken.
        var starts: [Evidence] = []
        var end: Evidence?
        /// Rules of the plan that took effect.
        var injected: [Int] = []
        var gone: Instant?

        /// When nothing of it was there any more: what it has started may outlive its own process.
        var ended: Instant? {
            guard let end, let gone else { return end?.at ?? gone }
            return max(end.at, gone)
        }

        /// The worker's process that it began in, as a list: none if it has not been seen to begin.
        var workers: [Int32] { starts.first.map { [$0.parent] } ?? [] }
    }

    /// What the outcome document tells of one task.
    struct Told {
        var task: Int
        var result: TaskResult
    }

    let record: RunRecord
    /// By execution.
    let traces: [Execution: Trace]
    /// All executions in order.
    let executions: [Execution]
    /// The executions of each task, in order.
    let executionsOfTask: [Int: [Execution]]
    /// In the order of the document.
    let told: [Told]
    /// The documents of the root and of all groups below it, by the group's place in the batch.
    let groups: [(group: Int, document: OutcomeDocument)]
    /// Names in the document that nothing in the batch has.
    let strangers: [String]

    init(_ record: RunRecord) {
        self.record = record
        var traces: [Execution: Trace] = [:]
        for evidence in record.evidence {
            let execution = Execution(task: evidence.task, attempt: evidence.attempt)
            switch evidence.fact {
            case .started: traces[execution, default: Trace()].starts.append(evidence)
            case .injected(let rule): traces[execution, default: Trace()].injected.append(rule)
            case .exited, .signalled: traces[execution, default: Trace()].end = evidence
            }
        }
        for (execution, instant) in record.gone { traces[execution]?.gone = instant }
        self.traces = traces
        executions = traces.keys.sorted()
        executionsOfTask = Dictionary(grouping: executions, by: \.task)
        var reading = Reading(batch: record.batch)
        if let document = record.document { reading.read(document, group: 0) }
        told = reading.told
        groups = reading.groups
        strangers = reading.strangers
    }

    /// Finds the tasks and groups of the batch in a document.
    private struct Reading {
        let batch: ChaosBatch
        var told: [Told] = []
        var groups: [(group: Int, document: OutcomeDocument)] = []
        var strangers: [String] = []

        mutating func read(_ document: OutcomeDocument, group: Int) {
            groups.append((group, document))
            for result in document.tasks {
                if let task = batch.task(result.name, in: group) {
                    told.append(Told(task: task.number, result: result))
                } else {
                    strangers.append(result.name)
                }
            }
            for child in document.groups {
                if let place = batch.child(child.group, of: group) {
                    read(child, group: place)
                } else {
                    strangers.append(child.group)
                }
            }
        }
    }

    // MARK: Words and figures

    func name(_ task: Int) -> String { record.batch.tasks[task].path }

    /// A moment as people read it: counted from when the batch was handed over.
    func moment(_ instant: Instant) -> String { Self.seconds(instant.since(record.begun)) }

    static func seconds(_ span: TimeSpan) -> String {
        let milliseconds = (span.nanoseconds + 500_000) / 1_000_000
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000)." + String(repeating: "0", count: 3 - fraction.count) + fraction + " s"
    }

    static func count(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }

    /// Incidents by which processes of a worker may have been cut off, and its tasks lost.
    var harm: [Incident] {
        record.incidents.filter { incident in
            switch incident.kind {
            case .killed, .frozen: true
            case .ended(_, let expected): !expected
            default: false
            }
        }
    }

    /// Kills of workers and of their supervisors.
    var kills: [Incident] {
        record.incidents.filter { incident in
            guard case .killed = incident.kind else { return false }
            return incident.target != .coordinator
        }
    }
}
