/// The keys of every object of a batch file. `protocols/batch.schema.json` describes the same ones.
package enum BatchKeys {
    package static let group = [
        "group", "timeout", "on_error", "limit", "grace", "tasks", "env", "cwd", "retries", "task_timeout", "shield",
        "for_each", "name", "run", "call", "args", "stdin",
    ]
    package static let task = [
        "name", "run", "call", "args", "timeout", "retries", "shield", "env", "cwd", "stdin", "for_each",
    ]
    package static let retries = ["limit", "backoff"]
    package static let forEachRange = ["range"]
    package static let forEachFile = ["from_file"]

    /// Keys that make an item of `tasks` a group.
    static let markersOfGroup = ["group", "tasks", "on_error", "limit", "grace", "task_timeout"]
    /// Keys of a group that describe the tasks it expands to: they need `for_each`.
    static let expansionOfGroup = ["name", "run", "call", "args", "stdin"]

    /// What other tools call these things.
    private static let synonyms = [
        "cmd": "run", "command": "run", "script": "run", "shell": "run", "exec": "run",
        "function": "call", "func": "call",
        "arguments": "args", "params": "args", "parameters": "args", "with": "args",
        "workdir": "cwd", "working_directory": "cwd", "working-directory": "cwd", "dir": "cwd", "directory": "cwd",
        "environment": "env", "variables": "env",
        "matrix": "for_each", "with_items": "for_each", "loop": "for_each",
        "jobs": "limit", "parallel": "limit", "concurrency": "limit", "max_parallel": "limit",
        "policy": "on_error", "fail_fast": "on_error", "continue_on_error": "on_error",
        "steps": "tasks", "input": "stdin", "max_retries": "retries", "attempts": "retries",
    ]

    /// The key that was probably meant, if one is near.
    static func suggestion(for key: String, among keys: [String]) -> String? {
        let folded = key.lowercased()
        if let synonym = synonyms[folded], keys.contains(synonym) {
            return synonym
        }
        return EditDistance.nearest(to: folded, among: keys)
    }
}

/// How many typing mistakes lie between two words.
package enum EditDistance {
    /// The nearest of `candidates`, if it is near enough to be a slip: at most two mistakes, and fewer than half the letters.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        // Nobody mistypes a word of this length into one of ours, and the distance costs the product of the lengths.
        guard word.utf8.count <= 64 else { return nil }
        var best: (distance: Int, candidate: String)?
        for candidate in candidates {
            let distance = between(Array(word.utf8), Array(candidate.utf8))
            guard distance <= 2, distance * 2 < max(candidate.utf8.count, 3) else { continue }
            if best.map({ distance < $0.distance }) ?? true {
                best = (distance, candidate)
            }
        }
        return best?.candidate
    }

    /// Insertions, deletions, replacements and swaps of neighbours that turn one into the other.
    static func between(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var beforePrevious: [Int] = []
        var previous = Array(0...second.count)
        for row in 0..<first.count {
            var current = [row + 1]
            for column in 0..<second.count {
                let replaced = previous[column] + (first[row] == second[column] ? 0 : 1)
                var cost = min(replaced, previous[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, beforePrevious[column - 1] + 1)
                }
                current.append(cost)
            }
            beforePrevious = previous
            previous = current
        }
        return previous[second.count]
    }
}
