internal import Cohort
internal import CohortBatch
internal import CohortFaults
internal import CohortReport

/// A run under faults, for people.
struct ChaosText {
    /// Faults and breaches that are listed; the others are counted.
    private static let listed = 30

    let outcome: ChaosOutcome
    /// Escape codes for colours; only for a terminal.
    let color: Bool
    let width: Int?

    /// Lines that each end in a line break.
    var text: String {
        let record = outcome.record
        let seed = record.batch.seed
        var lines = ["\(outcome.files.batch) under \(outcome.files.plan), seed \(seed)", ""]
        lines += faults
        lines += ["", "promises"]
        for finding in outcome.verdict.findings { lines += self.lines(of: finding) }
        lines.append("")
        var text = lines.map { $0 + "\n" }.joined()
        if let document = record.document {
            text += ErrorTreeText.render(document, options: ErrorTreeText.Options(color: color, width: width))
            text += SummaryLine.render(document) + "\n"
        } else {
            let words = record.message.split(separator: "\n").last.map(String.init) ?? "it said nothing"
            text += "no outcome: \(TerminalText.harmless(words))\n"
        }
        let verdict = outcome.exitStatus == 0 ? paint("verdict", .good) : paint("verdict", .bad)
        return text + "\(verdict): \(TerminalText.harmless(outcome.conclusion))\n"
    }

    private var faults: [String] {
        let faults = InjectedFault.all(of: outcome.record)
        let messages = outcome.record.messages
        if faults.isEmpty, !messages.hasFaults { return ["nothing was injected"] }
        var lines = ["injected"]
        for fault in faults.prefix(Self.listed) {
            let time = ChaosText.column("\(Self.fixed(fault.at)) s", right: 10)
            let detail = fault.detail.isEmpty ? "" : " (\(fault.detail))"
            let subject = TerminalText.harmless(fault.subject)
            lines.append("\(time)  \(Self.column(fault.what, left: 6)) \(subject)\(detail)")
        }
        if faults.count > Self.listed { lines.append("            … and \(faults.count - Self.listed) more") }
        if messages.hasFaults {
            let parts = [
                (messages.dropped, "dropped"), (messages.delayed, "delayed"), (messages.duplicated, "duplicated"),
                (messages.corrupted, "corrupted"), (messages.passed, "untouched"),
            ]
            let counts = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ")
            lines.append("  messages: \(counts)")
            if messages.disconnected > 0 { lines.append("  connections broken: \(messages.disconnected)") }
        }
        return lines
    }

    private func lines(of finding: Verdict.Finding) -> [String] {
        let state: String
        switch finding.state {
        case .held: state = paint(Self.column("held", left: 9), .good)
        case .broken: state = paint(Self.column("BROKEN", left: 9), .bad)
        case .untested: state = paint(Self.column("untested", left: 9), .pale)
        }
        let title = Self.column("\(finding.promise.rawValue) \(finding.promise.title)", left: 29)
        var lines = ["  \(state) \(title) \(TerminalText.harmless(finding.summary))"]
        for breach in finding.breaches.prefix(Self.listed) {
            lines.append("              \(TerminalText.harmless(breach))")
        }
        if finding.breaches.count > Self.listed {
            lines.append("              … and \(finding.breaches.count - Self.listed) more")
        }
        return lines
    }

    // MARK: Forms

    private enum Paint: String {
        case good = "32"
        case bad = "31"
        case pale = "2"
    }

    private func paint(_ text: String, _ paint: Paint) -> String {
        color ? "\u{1b}[\(paint.rawValue)m\(text)\u{1b}[0m" : text
    }

    private static func column(_ text: String, left width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - TerminalText.width(text)))
    }

    private static func column(_ text: String, right width: Int) -> String {
        String(repeating: " ", count: max(0, width - TerminalText.width(text))) + text
    }

    /// Seconds with two places.
    private static func fixed(_ seconds: Double) -> String {
        let hundredths = Int((seconds * 100).rounded())
        return "\(hundredths / 100)." + (hundredths % 100 < 10 ? "0" : "") + "\(hundredths % 100)"
    }
}
