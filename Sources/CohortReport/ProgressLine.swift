/// How far a group has come.
package struct ProgressSnapshot: Sendable, Equatable {
    package var group: String
    /// Tasks that have ended, in whatever way.
    package var done: Int
    /// Those among them that failed.
    package var failed: Int
    package var running: Int
    package var queued: Int
    /// How many tasks there will be; `nil` while that is not known.
    package var total: Int?
    /// Tasks that end a second; `nil` for not known yet.
    package var rate: Double?

    package init(
        group: String,
        done: Int,
        failed: Int,
        running: Int,
        queued: Int,
        total: Int? = nil,
        rate: Double? = nil
    ) {
        self.group = group
        self.done = done
        self.failed = failed
        self.running = running
        self.queued = queued
        self.total = total
        self.rate = rate
    }
}

/// The line of progress on a terminal:
/// `nightly: 151 of 300 done, 1 failed, 8 running, 141 queued, 12.4/s, 12 s left`.
package enum ProgressLine {
    /// What is left out first when the line is too narrow comes last.
    private enum Part: CaseIterable {
        case done, failed, left, running, group, rate, queued
    }

    /// - Parameter width: Columns that the line may take at most.
    package static func render(_ snapshot: ProgressSnapshot, width: Int) -> String {
        var parts = Part.allCases[...]
        var line = render(snapshot, parts)
        while parts.count > 1, TerminalText.width(line) > width {
            parts.removeLast()
            line = render(snapshot, parts)
        }
        return TerminalText.truncated(line, columns: width)
    }

    private static func render(_ snapshot: ProgressSnapshot, _ parts: ArraySlice<Part>) -> String {
        let total = snapshot.total.map { " of \($0)" } ?? ""
        var items = ["\(snapshot.done)\(total) done"]
        if parts.contains(.failed), snapshot.failed > 0 { items.append("\(snapshot.failed) failed") }
        if parts.contains(.running) { items.append("\(snapshot.running) running") }
        if parts.contains(.queued), snapshot.queued > 0 { items.append("\(snapshot.queued) queued") }
        if parts.contains(.rate), let rate = snapshot.rate, rate > 0 { items.append(text(ofRate: rate)) }
        if parts.contains(.left), let left = timeLeft(snapshot) { items.append("\(DurationText.render(left)) left") }
        let name = parts.contains(.group) ? TerminalText.harmless(snapshot.group) + ": " : ""
        return name + items.joined(separator: ", ")
    }

    private static func text(ofRate rate: Double) -> String {
        if rate >= 99.5 { return "\(Int(min(rate, 1e15).rounded()))/s" }
        if rate >= 0.095 { return "\(DurationText.fixed(rate, places: 1))/s" }
        return "\(DurationText.fixed(rate * 60, places: 1))/min"
    }

    /// In whole seconds: more would only flicker.
    private static func timeLeft(_ snapshot: ProgressSnapshot) -> Duration? {
        guard let total = snapshot.total, let rate = snapshot.rate, rate > 0, total > snapshot.done else { return nil }
        let seconds = (Double(total - snapshot.done) / rate).rounded(.up)
        return .seconds(Int64(min(seconds, 1e12)))
    }
}
