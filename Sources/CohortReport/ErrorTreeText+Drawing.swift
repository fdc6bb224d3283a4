internal import Cohort

extension ErrorTreeText {
    /// Collects the lines of a tree.
    struct Drawing {
        private(set) var text = ""
        private let options: Options
        private let painter: Painter

        init(options: Options) {
            self.options = options
            painter = Painter(color: options.color)
        }

        // MARK: - Lines of their own

        mutating func drawHeadline(_ headline: String) {
            drawWrapped("error: " + headline, head: "", rest: "  ") { [painter] piece, isFirst in
                guard isFirst else { return piece }
                return painter.paint("error:", .failure) + piece.dropFirst(6)
            }
        }

        mutating func drawNote(_ note: String) {
            drawWrapped(note, head: "", rest: "  ") { piece, _ in piece }
        }

        /// Which tasks a deadline has stopped; the first ten by name.
        mutating func drawStopped(_ names: [String]) {
            guard !names.isEmpty else { return }
            let shown = names.prefix(10).map(TerminalText.harmless).joined(separator: ", ")
            let more = names.count > 10 ? " and \(names.count - 10) more" : ""
            drawNote("still running then: \(shown)\(more)")
        }

        // MARK: - The tree

        mutating func drawRoot(_ error: ErrorNode) {
            switch error {
            case .group(let group):
                drawHeadline(TerminalText.harmless(group.message))
                drawChildren(of: group, prefix: "")
            case .leaf(let leaf):
                drawHeadline("\(title(of: leaf)): \(ending(of: leaf).first ?? "")")
                drawBlock(of: leaf, prefix: "  ")
            }
        }

        private mutating func drawChildren(of group: ErrorNode.Group, prefix: String) {
            let omitted = group.omitted ?? 0
            for (place, error) in group.errors.enumerated() {
                let isLast = place == group.errors.count - 1 && omitted == 0
                let below = prefix + (isLast ? "   " : "│  ")
                let head = prefix + (isLast ? "└─ " : "├─ ")
                switch error {
                case .group(let child):
                    let count = SummaryLine.counted(child.count, "error")
                    drawTitle("group \(TerminalText.harmless(child.group))", count, head: head, below: below)
                    drawChildren(of: child, prefix: below)
                case .leaf(let leaf):
                    drawTitle(title(of: leaf), ending(of: leaf).first ?? "", head: head, below: below)
                    drawBlock(of: leaf, prefix: below + "  ")
                }
            }
            if omitted > 0 {
                drawLine(prefix + "└─ ", "\(omitted) more \(omitted == 1 ? "error" : "errors") not shown")
            }
        }

        private mutating func drawTitle(_ title: String, _ ending: String, head: String, below: String) {
            drawWrapped("\(title): \(ending)", head: head, rest: below + "  ") { [painter] piece, isFirst in
                guard isFirst, piece.hasPrefix(title) else { return painter.paint(piece, .ending) }
                return painter.paint(title, .title) + painter.paint(String(piece.dropFirst(title.count)), .ending)
            }
        }

        private mutating func drawBlock(of leaf: ErrorNode.Leaf, prefix: String) {
            var fields: [(label: String, lines: [String])] = []
            if let command = leaf.command { fields.append(("ran:", [TerminalText.harmless(command)])) }
            fields.append(("error:", Array(ending(of: leaf).dropFirst())))
            fields.append(("trace:", last(options.traceLines, of: leaf.trace ?? "")))
            fields.append(("stderr:", last(options.stderrLines, of: leaf.stderr)))
            fields.append(("where:", [place(of: leaf)].filter { !$0.isEmpty }))
            for field in fields {
                for (number, line) in field.lines.enumerated() {
                    let label = number == 0 ? field.label : ""
                    let padding = String(repeating: " ", count: 8 - label.count)
                    drawWrapped(line, head: prefix, rest: prefix, label: label + padding) { piece, _ in piece }
                }
            }
        }

        // MARK: - What a leaf says

        private func title(of leaf: ErrorNode.Leaf) -> String {
            if let task = leaf.task { return TerminalText.harmless(task) }
            return leaf.group.map { "group " + TerminalText.harmless($0) } ?? "group"
        }

        /// How the task ended, in one line or more.
        private func ending(of leaf: ErrorNode.Leaf) -> [String] {
            let lines = TerminalText.lines(leaf.message)
            if !leaf.type.isOwn {
                let type = TerminalText.harmless(leaf.type.rawValue)
                return lines.isEmpty ? [type] : ["\(type): \(lines[0])"] + lines.dropFirst()
            }
            if !lines.isEmpty { return lines }
            return switch leaf.type {
            case .commandFailed: [leaf.exitCode.map { "exit status \($0)" } ?? "failed"]
            case .commandKilled: ["killed by \(leaf.signal.map(TerminalText.harmless) ?? "a signal")"]
            case .workerLost: ["lost with its worker"]
            case .startFailed: ["could not be started"]
            default: ["timed out"]
            }
        }

        private func place(of leaf: ErrorNode.Leaf) -> String {
            var parts: [String] = []
            switch (leaf.worker.map(TerminalText.harmless), leaf.host.map(TerminalText.harmless)) {
            case (let worker?, let host?): parts.append("worker \(worker) on \(host)")
            case (let worker?, nil): parts.append("worker \(worker)")
            case (nil, let host?): parts.append("on \(host)")
            case (nil, nil): break
            }
            if let attempt = leaf.attempt, max(attempt, leaf.attempts ?? 1) > 1 {
                parts.append("attempt \(attempt)" + (leaf.attempts.map { " of \($0)" } ?? ""))
            }
            if let elapsed = leaf.elapsed { parts.append("after \(DurationText.render(elapsed))") }
            return parts.joined(separator: ", ")
        }

        /// The last lines of a text; a line before them says how many there were.
        private func last(_ limit: Int, of text: String) -> [String] {
            let lines = TerminalText.lines(text)
            let hidden = lines.count - max(0, limit)
            guard hidden > 0, limit > 0 else { return limit > 0 ? lines : [] }
            return ["… \(SummaryLine.counted(hidden, "line")) before"] + lines.suffix(limit)
        }

        // MARK: - Lines

        private mutating func drawLine(_ head: String, _ body: String) {
            text += painter.paint(head, .faint) + body
            text += "\n"
        }

        /// Draws a text over as many lines as it needs. However deep the tree, 20 columns are left for the text.
        private mutating func drawWrapped(
            _ line: String,
            head: String,
            rest: String,
            label: String = "",
            style: (_ piece: String, _ isFirst: Bool) -> String
        ) {
            let used = max(TerminalText.width(head), TerminalText.width(rest)) + label.count
            let pieces = options.width.map { TerminalText.wrapped(line, columns: max(20, $0 - used)) } ?? [line]
            let blank = String(repeating: " ", count: label.count)
            for (number, piece) in pieces.enumerated() {
                drawLine((number == 0 ? head + label : rest + blank), style(piece, number == 0))
            }
        }
    }
    /// Sets colours, or does not.
    private struct Painter {
        enum Style: String {
            case failure = "1;31"
            case title = "1"
            case ending = "31"
            case faint = "2"
        }

        let color: Bool

        func paint(_ text: String, _ style: Style) -> String {
            color && !text.isEmpty ? "\u{1b}[\(style.rawValue)m\(text)\u{1b}[0m" : text
        }
    }
}
