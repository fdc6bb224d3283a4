package import Cohort

/// The errors of a group for people: a tree with one block a failed task, and what became of the rest in a few lines.
///
/// ```
/// error: 2 errors in group nightly
/// ├─ fetch: exit status 22
/// │    ran:    curl -fsS -o data.json https://example.org/data.json
/// │    stderr: curl: (22) The requested URL returned error: 404
/// │    where:  worker w1 on node-1, attempt 4 of 4, after 0.41 s
/// └─ group thumbnails: 1 error
///    └─ a-64: killed by SIGKILL
///         ran:    convert a.png -resize 64 thumbs/64-a.png
/// 7 cancelled (2 never started, 1 forced)
/// ```
package enum ErrorTreeText {
    /// How the tree is drawn.
    package struct Options: Sendable {
        /// Escape codes for colours; only for a terminal.
        package var color: Bool
        /// Columns after which lines are broken; `nil` for never.
        package var width: Int?
        /// How many of the last lines of stderr each block shows.
        package var stderrLines: Int
        /// How many of the last lines of a stack trace each block shows.
        package var traceLines: Int
        /// How many errors have a block; the others are counted.
        package var maxErrors: Int

        package init(
            color: Bool = false,
            width: Int? = nil,
            stderrLines: Int = 10,
            traceLines: Int = 30,
            maxErrors: Int = 100
        ) {
            self.color = color
            self.width = width
            self.stderrLines = stderrLines
            self.traceLines = traceLines
            self.maxErrors = maxErrors
        }
    }

    /// - Returns: Lines that each end in a line break; empty if the group's outcome is `ok`.
    package static func render(_ document: OutcomeDocument, options: Options = Options()) -> String {
        var drawing = Drawing(options: options)
        switch document.outcome {
        case .ok:
            return ""
        case nil, .errors:
            if let error = document.error {
                drawing.drawRoot(error.capped(at: options.maxErrors))
            }
            if document.timedOut { drawing.drawNote("the deadline of \(deadline(of: document)) fired as well") }
            if document.cancelled { drawing.drawNote("the group was cancelled as well\(reason(of: document))") }
        case .timeout:
            let name = TerminalText.harmless(document.group)
            let elapsed = DurationText.render(document.elapsed)
            let outer = document.deadlineOf.map { $0 == document.group ? "" : ", by the deadline of group \($0)" } ?? ""
            drawing.drawHeadline("group \(name) timed out after \(elapsed)\(TerminalText.harmless(outer))")
            drawing.drawStopped(stoppedTasks(of: document))
        case .cancelled:
            let elapsed = DurationText.render(document.elapsed)
            let name = TerminalText.harmless(document.group)
            drawing.drawHeadline("group \(name) was cancelled after \(elapsed)\(reason(of: document))")
        }
        if let line = cancelledLine(document) { drawing.drawNote(line) }
        return drawing.text
    }

    private static func deadline(of document: OutcomeDocument) -> String {
        "group " + TerminalText.harmless(document.deadlineOf ?? document.group)
    }

    private static func reason(of document: OutcomeDocument) -> String {
        guard let reason = document.cancelReason, !reason.isEmpty else { return "" }
        return ": " + TerminalText.harmless(reason)
    }

    /// Names of the tasks that ran when the group was stopped.
    private static func stoppedTasks(of document: OutcomeDocument) -> [String] {
        document.tasks.filter { $0.outcome == .cancelled && $0.started }.map(\.name)
            + document.groups.flatMap { stoppedTasks(of: $0) }
    }

    /// `7 cancelled (2 never started, 1 forced)`; `nil` if nothing was cancelled.
    private static func cancelledLine(_ document: OutcomeDocument) -> String? {
        let count = document.tally.cancelled
        guard count > 0 else { return nil }
        var listed = 0
        var neverStarted = 0
        var forced = 0
        func visit(_ document: OutcomeDocument) {
            for task in document.tasks where task.outcome == .cancelled {
                listed += 1
                if !task.started { neverStarted += 1 }
                if task.forced { forced += 1 }
            }
            for group in document.groups { visit(group) }
        }
        visit(document)
        // Of tasks that are not listed nothing more is known than how many of them had not begun.
        let isListed = listed == count
        neverStarted = document.neverStarted ?? (isListed ? neverStarted : 0)
        var parts: [String] = []
        if neverStarted > 0 { parts.append("\(neverStarted) never started") }
        if isListed, forced > 0 { parts.append("\(forced) forced") }
        return "\(count) cancelled" + (parts.isEmpty ? "" : " (\(parts.joined(separator: ", ")))")
    }
}
