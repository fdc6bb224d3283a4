package import Cohort

/// One line that tells how a group ended: `group nightly: errors: 1 error, 150 ok, 7 cancelled in 1.02 s`.
package enum SummaryLine {
    /// Counts the tasks of the group and of all groups in it. Without a line break.
    package static func render(_ document: OutcomeDocument) -> String {
        var flags: [String] = []
        if document.timedOut, document.outcome != .timeout { flags.append("timed out") }
        if document.cancelled, document.outcome != .cancelled { flags.append("cancelled") }
        let state = document.outcome?.rawValue ?? "running"
        let outcome = state + (flags.isEmpty ? "" : " (\(flags.joined(separator: ", ")))")
        let name = TerminalText.harmless(document.group)
        let counts = counts(document.tally, document.unfinished)
        return "group \(name): \(outcome): \(counts) in \(DurationText.render(document.elapsed))"
    }

    private static func counts(_ tally: OutcomeCounts, _ unfinished: UnfinishedTasks?) -> String {
        var parts: [String] = []
        if tally.error > 0 { parts.append(counted(tally.error, "error")) }
        if tally.timeout > 0 { parts.append(counted(tally.timeout, "timeout")) }
        if tally.lost > 0 { parts.append("\(tally.lost) lost") }
        if tally.ok > 0 { parts.append("\(tally.ok) ok") }
        if tally.cancelled > 0 { parts.append("\(tally.cancelled) cancelled") }
        if let unfinished {
            if unfinished.running > 0 { parts.append("\(unfinished.running) running") }
            if unfinished.queued > 0 { parts.append("\(unfinished.queued) queued") }
        }
        return parts.isEmpty ? "no tasks" : parts.joined(separator: ", ")
    }

    /// `1 error`, `2 errors`.
    static func counted(_ count: Int, _ noun: String) -> String {
        "\(count) \(noun)\(count == 1 ? "" : "s")"
    }
}
