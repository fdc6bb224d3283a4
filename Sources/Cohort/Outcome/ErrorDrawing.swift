/// Trees of errors as text for logs: one line a node, branches drawn with lines, no colours.
enum ErrorDrawing {
    /// Lines of nodes drawn; what is left is counted.
    private static let limit = 200

    static func text(of node: ErrorNode) -> String {
        var lines: [String] = []
        let capped = node.capped(at: limit)
        draw(capped, first: "", rest: "", into: &lines)
        return lines.joined(separator: "\n")
    }

    private static func draw(_ node: ErrorNode, first: String, rest: String, into lines: inout [String]) {
        switch node {
        case .leaf(let leaf):
            lines.append(first + line(of: leaf))
        case .group(let group):
            lines.append(first + line(of: group))
            let hidden = group.omitted ?? 0
            for (place, error) in group.errors.enumerated() {
                let isLast = place == group.errors.count - 1 && hidden == 0
                draw(error, first: rest + (isLast ? "└─ " : "├─ "), rest: rest + (isLast ? "   " : "│  "), into: &lines)
            }
            if hidden > 0 { lines.append(rest + "└─ … and \(hidden) more") }
        }
    }

    private static func line(of group: ErrorNode.Group) -> String {
        let flags = [group.timedOut ? "timed out" : nil, group.cancelled ? "cancelled" : nil].compactMap(\.self)
        let raiser = group.task.map { "\($0): " } ?? ""
        return raiser + oneLine(group.message) + (flags.isEmpty ? "" : " (\(flags.joined(separator: ", ")))")
    }

    private static func line(of leaf: ErrorNode.Leaf) -> String {
        var parts = [leaf.task ?? leaf.group, leaf.type.rawValue].compactMap(\.self)
        if !leaf.message.isEmpty { parts.append(oneLine(leaf.message)) }
        var notes: [String] = []
        if let attempt = leaf.attempt, attempt > 1 {
            notes.append("attempt \(attempt)" + (leaf.attempts.map { " of \($0)" } ?? ""))
        }
        if let worker = leaf.worker { notes.append("worker \(worker)") }
        return parts.joined(separator: ": ") + (notes.isEmpty ? "" : " (\(notes.joined(separator: ", ")))")
    }

    /// Line breaks would break the drawing; other control characters are as harmful on a terminal.
    private static func oneLine(_ text: String) -> String {
        String(
            text.map { $0.isNewline || ($0.unicodeScalars.first?.properties.generalCategory == .control) ? " " : $0 }
        )
    }
}
