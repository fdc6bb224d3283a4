internal import Cohort
internal import CohortBatch
internal import CohortCore
internal import CohortReport

/// What `status` and `workers` print.
enum SnapshotText {
    static func groups(_ snapshot: Snapshot) -> String {
        var rows = [["GROUP", "NAME", "STATE", "OK", "FAILED", "CANCELLED", "RUNNING", "QUEUED", "TIME", ""]]
        for group in snapshot.groups {
            rows.append([
                String(group.group.value), group.name, state(of: group), String(group.counts.ok),
                String(group.counts.failed), String(group.counts.cancelled), String(group.counts.running),
                String(group.counts.queued), time(group.elapsed), group.waiting,
            ])
        }
        let slots = snapshot.workers.reduce(0) { $0 + Int($1.slots) }
        var text = snapshot.groups.isEmpty ? "no groups\n" : table(rows)
        text += "\(counted(snapshot.workers.count, "worker")) with \(counted(slots, "slot")), "
        text += "\(counted(Int(snapshot.clients), "client"))\n"
        if snapshot.badFrames > 0 || snapshot.staleMessages > 0 {
            text += "dropped: \(snapshot.badFrames) frames that could not be understood, "
            text += "\(snapshot.staleMessages) messages about attempts that were over\n"
        }
        if snapshot.refusedPeers > 0 {
            text +=
                "refused: \(counted(Int(clamping: snapshot.refusedPeers), "peer")) without a key that may come in\n"
        }
        for (name, numbers) in namesakes(in: snapshot) {
            text += "workers \(numbers) are all called '\(TerminalText.harmless(name))': "
            text += "reports cannot tell them apart; start each with a --name of its own\n"
        }
        if snapshot.draining { text += "the coordinator is shutting down\n" }
        return text
    }

    static func workers(_ snapshot: Snapshot) -> String {
        guard !snapshot.workers.isEmpty else { return "no workers\n" }
        var rows = [["WORKER", "NAME", "HOST", "PID", "SLOTS", "RUNNING", "PREFETCHED", "STATE", ""]]
        let shared = Set(namesakes(in: snapshot).map(\.name))
        for worker in snapshot.workers {
            rows.append([
                String(worker.number), worker.name, worker.host, String(worker.processID), String(worker.slots),
                String(worker.running), String(worker.prefetched), worker.draining ? "draining" : "ready",
                shared.contains(worker.name) ? "not the only one of this name" : "",
            ])
        }
        return table(rows)
    }

    /// Names that several workers have, and the numbers of those.
    private static func namesakes(in snapshot: Snapshot) -> [(name: String, numbers: String)] {
        Dictionary(grouping: snapshot.workers, by: \.name).filter { $0.value.count > 1 }.sorted { $0.key < $1.key }
            .map { (name: $0.key, numbers: few($0.value.map { String($0.number) })) }
    }

    /// The first of them, and how many there are besides.
    private static func few(_ numbers: [String]) -> String {
        let most = 3
        guard numbers.count > most + 1 else { return numbers.joined(separator: ", ") }
        return numbers.prefix(most).joined(separator: ", ") + " and \(numbers.count - most) more"
    }

    /// `1 worker`, `2 workers`.
    private static func counted(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

    private static func state(of group: GroupSummary) -> String {
        if let outcome = group.outcome { return GroupOutcome(outcome).rawValue }
        if group.stopping { return "stopping" }
        return group.counts.running > 0 ? "running" : "waiting"
    }

    private static func time(_ span: TimeSpan) -> String {
        let milliseconds = span.nanoseconds / 1_000_000
        return CohortDuration.format(
            .milliseconds(Int64(milliseconds >= 10_000 ? milliseconds / 1_000 * 1_000 : milliseconds))
        )
    }

    /// Columns as wide as their widest entry, two spaces between; no spaces at the end of a line.
    ///
    /// Names come from others, and must not steer the terminal.
    static func table(_ rows: [[String]]) -> String {
        let rows = rows.map { $0.map(TerminalText.harmless) }
        let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        var text = ""
        for row in rows {
            var line = ""
            for (column, cell) in row.enumerated() {
                line += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// What of a snapshot is worth showing again when it changes; times pass anyway.
    struct Signature: Equatable {
        private var lines: [String] = []

        init() {}

        init(_ snapshot: Snapshot) {
            lines = snapshot.groups.map { "\($0.group.value) \(state(of: $0)) \($0.counts) \($0.waiting)" }
            lines.append("\(snapshot.workers.count) \(snapshot.clients) \(snapshot.draining)")
        }
    }

    static func json(_ snapshot: Snapshot, _ layout: JSONLayout = .indented) -> String {
        var object = JSONObject()
        object["version"] = .int(1)
        object["groups"] = .array(snapshot.groups.map(json))
        object["workers"] = .array(snapshot.workers.map(json))
        object["clients"] = .int(Int(snapshot.clients))
        object["stale_messages"] = .int(Int(clamping: snapshot.staleMessages))
        object["bad_frames"] = .int(Int(clamping: snapshot.badFrames))
        object["refused_peers"] = .int(Int(clamping: snapshot.refusedPeers))
        object["draining"] = .bool(snapshot.draining)
        return JSONValue.object(object).text(layout) + "\n"
    }

    private static func json(_ group: GroupSummary) -> JSONValue {
        var object = JSONObject()
        object["group"] = .string(group.name)
        object["id"] = .string(String(group.group.value))
        object["state"] = .string(state(of: group))
        object["outcome"] = group.outcome.map { .string(GroupOutcome($0).rawValue) } ?? .null
        object["detached"] = .bool(group.detached)
        object["elapsed"] = .double(group.elapsed.seconds)
        object["deadline_in"] = group.deadlineIn.map { .double($0.seconds) } ?? .null
        object["waiting"] = group.waiting.isEmpty ? .null : .string(group.waiting)
        var counts = JSONObject()
        counts["queued"] = .int(group.counts.queued)
        counts["running"] = .int(group.counts.running)
        counts["ok"] = .int(group.counts.ok)
        counts["error"] = .int(group.counts.error)
        counts["timeout"] = .int(group.counts.timeout)
        counts["cancelled"] = .int(group.counts.cancelled)
        counts["lost"] = .int(group.counts.lost)
        object["counts"] = .object(counts)
        return .object(object)
    }

    private static func json(_ worker: WorkerSummary) -> JSONValue {
        var object = JSONObject()
        object["number"] = .int(Int(worker.number))
        object["name"] = .string(worker.name)
        object["host"] = .string(worker.host)
        object["pid"] = .int(Int(worker.processID))
        object["slots"] = .int(Int(worker.slots))
        object["running"] = .int(Int(worker.running))
        object["prefetched"] = .int(Int(worker.prefetched))
        object["draining"] = .bool(worker.draining)
        object["functions"] = .array(worker.functions.map { .string($0) })
        return .object(object)
    }
}

/// One group's document for people: the error tree, the summary, and what runs.
enum DocumentText {
    static func render(_ document: OutcomeDocument) -> String {
        var summary = ErrorTreeText.render(document) + SummaryLine.render(document) + "\n"
        if let reason = document.unfinished?.waiting { summary += "waiting: \(TerminalText.harmless(reason))\n" }
        let rows = running(in: document, below: "")
        let listed = rows.isEmpty ? "" : SnapshotText.table([["RUNNING", "WORKER", "HOST", "TIME"]] + rows)
        let missing = (document.unfinished?.running ?? 0) - rows.count
        return summary + listed + (missing > 0 && !rows.isEmpty ? "and \(missing) more\n" : "")
    }

    private static func running(in document: OutcomeDocument, below path: String) -> [[String]] {
        let own = (document.unfinished?.tasks ?? []).map { task in
            [path + task.name, task.worker ?? "", task.host ?? "", DurationText.render(task.elapsed)]
                .map(TerminalText.harmless)
        }
        return own + document.groups.flatMap { running(in: $0, below: path + $0.group + "/") }
    }
}
