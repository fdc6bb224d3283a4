/// Shows what a batch would run, without running it.
package enum DryRun {
    /// The plan as a tree, one line a group or task, each with its settings in brackets. Ends with a newline.
    ///
    /// Programs and their arguments are quoted for the shell, shell lines stand as they are; control characters are shown as escapes.
    package static func render(_ plan: BatchPlan) -> String {
        var output = "\(visible(plan.root.name))\(settings(of: plan.root))\n"
        append(plan.root.items, indent: "", to: &output)
        return output
    }

    private static func append(_ items: [PlanItem], indent: String, to output: inout String) {
        for (index, item) in items.enumerated() {
            let isLast = index == items.count - 1
            output += indent + (isLast ? "└─ " : "├─ ")
            let below = indent + (isLast ? "   " : "│  ")
            switch item {
            case .task(let task):
                output += "\(visible(task.name)): \(command(of: task.work))\(settings(of: task))\n"
            case .group(let group):
                output += "\(visible(group.name))\(settings(of: group))\n"
                append(group.items, indent: below, to: &output)
            }
        }
    }

    /// What a task runs, as one line.
    package static func command(of work: Work) -> String {
        switch work {
        case .argv(let words):
            var line: [UInt8] = []
            for word in words {
                if !line.isEmpty { line.append(UInt8(ascii: " ")) }
                ShellQuote.append(word, to: &line)
            }
            return visible(String(decoding: line, as: UTF8.self))
        case .shell(let line):
            return visible(String(decoding: line, as: UTF8.self))
        case .call(let function, let arguments):
            let text = arguments == Array("null".utf8) ? "" : String(decoding: arguments, as: UTF8.self)
            return visible("\(function)(\(text))")
        }
    }

    private static func settings(of group: GroupPlan) -> String {
        var settings = ["group", "on_error \(group.policy.rawValue)"]
        if let timeout = group.timeout { settings.append("timeout \(CohortDuration.format(timeout))") }
        if let limit = group.limit { settings.append("limit \(limit)") }
        if let grace = group.grace { settings.append("grace \(CohortDuration.format(grace))") }
        if group.shield { settings.append("shield") }
        return " [\(settings.joined(separator: ", "))]"
    }

    private static func settings(of task: TaskPlan) -> String {
        var settings: [String] = []
        if let timeout = task.timeout { settings.append("timeout \(CohortDuration.format(timeout))") }
        if task.retries.limit > 0 {
            let pause = task.retries.backoff
            let backoff = pause > .zero ? " after \(CohortDuration.format(pause))" : ""
            settings.append("retries \(task.retries.limit)\(backoff)")
        }
        if task.shield { settings.append("shield") }
        if let directory = task.workingDirectory { settings.append("cwd \(visible(ShellQuote.quote(directory)))") }
        for entry in task.environment {
            settings.append("\(visible(entry.name))=\(visible(ShellQuote.quote(entry.value)))")
        }
        if let stdin = task.stdin { settings.append("stdin \(stdin.utf8.count) bytes") }
        return settings.isEmpty ? "" : "  [\(settings.joined(separator: ", "))]"
    }

    /// `text` with control characters as escapes: one line, and nothing that steers a terminal.
    private static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": output += "\\n"
            case "\t": output += "\\t"
            case "\r": output += "\\r"
            case _ where scalar.properties.generalCategory == .control:
                output += "\\x" + (scalar.value < 16 ? "0" : "") + String(scalar.value, radix: 16)
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }
}
