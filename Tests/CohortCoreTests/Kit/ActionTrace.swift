internal import CohortCore

/// Renders actions as lines, a fact each, and remembers which worker was given what.
///
/// Clients are `c1`, `c2`, …, workers `w1`, `w2`, … in the order of joining; tasks `g<group>/<number>`. What is as usual is
/// left out: a first attempt, no cause, no value, a task that has started.
struct ActionTrace {
    /// The newest assignment of a task.
    struct Held {
        var worker: SessionID
        var ref: AttemptRef
    }

    var lines: [String] = []
    var keepsHeartbeats = false
    var names: [SessionID: String] = [:]
    private(set) var held: [String: Held] = [:]
    private var tasks: [AttemptRef: String] = [:]
    private var groups: [TemplateID: GroupID] = [:]

    mutating func add(_ actions: [CoordinatorAction]) {
        for action in actions { add(action) }
    }

    private func name(_ session: SessionID) -> String { names[session] ?? "s\(session.value)" }

    private mutating func add(_ action: CoordinatorAction) {
        switch action {
        case .record: break
        case .welcome(let session, let resumed, let unwanted):
            // An ordinary one says nothing that a test would want to know.
            if resumed || !unwanted.isEmpty {
                let over =
                    unwanted.isEmpty ? "" : ", unwanted \(unwanted.map { tasks[$0] ?? "?" }.joined(separator: " "))"
                lines.append("\(name(session)) welcome\(resumed ? " back" : "")\(over)")
            }
        case .assign(let worker, let batch): add(batch, to: worker)
        case .cancel(let worker, let orders):
            for order in orders {
                lines.append("\(name(worker)) cancel \(tasks[order.ref] ?? "?") \(order.cause)\(grace(order.grace))")
            }
        case .grant(let worker, let grants):
            for grant in grants { lines.append("\(name(worker)) grant \(tasks[grant.ref] ?? "?") \(grant.position)") }
        case .proceed(let worker, let refs):
            for ref in refs { lines.append("\(name(worker)) proceed \(tasks[ref] ?? "?")") }
        case .forget(let worker, let templates): lines.append("\(name(worker)) forget \(templates.count)")
        case .update(let client, let update): add(update, to: name(client))
        case .answer(let client, let snapshot):
            lines.append("\(name(client)) answer: \(snapshot.groups.count) groups, \(snapshot.workers.count) workers")
        case .heartbeat(let session): if keepsHeartbeats { lines.append("\(name(session)) heartbeat") }
        case .closeSession(let session, let end): lines.append("\(name(session)) close \(end)")
        // Of one that had nothing only the log is told.
        case .workerLost(_, _, _, 0, 0): break
        case .workerLost(let session, _, _, let running, let returned):
            lines.append("\(name(session)) lost: \(running) running, \(returned) returned")
        case .drained: lines.append("drained")
        }
    }

    /// The default grace is left out.
    private func grace(_ span: TimeSpan) -> String { span == .seconds(5) ? "" : " grace \(span.seconds)" }

    private mutating func add(_ batch: AssignBatch, to worker: SessionID) {
        for template in batch.templates { groups[template.id] = template.group }
        var offset = 0
        for task in batch.tasks {
            let end = offset + Int(task.payloadLength)
            let payload = String(decoding: batch.payload[offset..<end], as: UTF8.self)
            offset = end
            let label = "g\(groups[task.template]?.value ?? 0)/\(task.index)"
            held[label] = Held(worker: worker, ref: task.ref)
            tasks[task.ref] = label
            let attempt = task.ref.attempt > 1 ? " #\(task.ref.attempt)" : ""
            lines.append("\(name(worker)) assign \(label)\(attempt)\(payload.isEmpty ? "" : " '\(payload)'")")
        }
    }

    private mutating func add(_ update: ClientUpdate, to client: String) {
        lines += update.opened.map { "\(client) opened g\($0.group.value)" }
        lines += update.groups.map { "\(client) group g\($0.group.value)\($0.outcome.map { " \($0)" } ?? "")" }
        lines += update.names.map { "\(client) name g\($0.group.value)/\($0.index) \($0.name)" }
        lines += update.accepted.map { "\(client) accepted key \($0.key.value): \($0.count) from \($0.index)" }
        lines += update.answers.map {
            "\(client) answer \($0.token): \($0.isAccepted ? "accepted" : $0.code.map { "\($0)" } ?? "too late")"
        }
        lines += update.stopping.map { "\(client) stopping g\($0.group.value) \($0.cause)" }
        lines += update.started.map { "\(client) started g\($0.group.value)/\($0.index)" }
        var offset = 0
        for output in update.outputs {
            let end = offset + Int(output.length)
            let text = String(decoding: update.payload[offset..<end], as: UTF8.self)
            offset = end
            let attempt = output.attempt == 1 ? "" : " #\(output.attempt)"
            lines.append("\(client) output g\(output.group.value)/\(output.index)\(attempt) \(output.stream) '\(text)'")
        }
        for report in update.reports {
            let end = offset + Int(report.valueLength)
            let value = String(decoding: update.payload[offset..<end], as: UTF8.self)
            offset = end
            let error = report.detail < 0 ? "" : update.details[Int(report.detail)].type
            lines.append("\(client) ended \(Self.describe(report, value: value, error: error))")
        }
        lines += update.closed.map { "\(client) closed \(Self.describe($0))" }
        lines += update.refusals.map { "\(client) refused \($0.code)\($0.from > 0 ? " from \($0.from)" : "")" }
        lines += update.caughtUp.map { "\(client) caught up g\($0.value)" }
    }

    private static func describe(_ report: TaskReport, value: String, error: String) -> String {
        var words = ["g\(report.group.value)/\(report.index)", "\(report.outcome)"]
        if !error.isEmpty { words.append(error) }
        if !value.isEmpty { words.append("'\(value)'") }
        if !report.started { words.append("unstarted") }
        if report.afterCancel { words.append("after cancel") }
        if report.cause != .none { words.append("(\(report.cause))") }
        if report.attempts > 1 { words.append("attempts \(report.attempts)") }
        return words.joined(separator: " ")
    }

    private static func describe(_ report: GroupReport) -> String {
        var words = ["g\(report.group.value)", "\(report.outcome)"]
        if report.timedOut { words.append("timed out") }
        if report.cancelled { words.append("cancelled") }
        if !report.deadlineOf.isEmpty { words.append("deadline of \(report.deadlineOf)") }
        if report.cause != .none { words.append("(\(report.cause))") }
        if report.omitted > 0 { words.append("omitted \(report.omitted)") }
        return words.joined(separator: " ")
    }
}
