/// A task as the file writes it, before the variables of its `for_each` are put in.
struct TaskPattern {
    enum WorkPattern {
        case argv([BraceTemplate])
        case shell(BraceTemplate)
        case call(function: String, arguments: JSONTemplate)
    }

    /// What the file calls it; `nil` takes the program's or function's name.
    var name: BraceTemplate?
    var work: WorkPattern
    var timeout: Duration?
    var retries: RetryPlan
    var shield: Bool
    /// What the groups around it set.
    var inheritedEnvironment: [EnvironmentEntry]
    var ownEnvironment: [(name: String, value: BraceTemplate)]
    var inheritedDirectory: String?
    var ownDirectory: BraceTemplate?
    var stdin: BraceTemplate?
    var location: SourceLocation

    /// The task for one combination of values. Its name is not yet made unique.
    ///
    /// - Parameters:
    ///   - forEach: the variables, `nil` for a task that is no expansion.
    ///   - batchDirectory: where a relative working directory starts.
    func task(forEach: ForEach?, combination: [ForEach.Value], batchDirectory: String) -> TaskPlan {
        let work: Work
        let defaultName: String
        switch self.work {
        case .argv(let words):
            var argv: [[UInt8]] = []
            argv.reserveCapacity(words.count)
            for word in words {
                argv.append(Array(word.render(combination).utf8))
            }
            work = .argv(argv)
            defaultName = String(decoding: PathParts.base(of: argv[0][...]), as: UTF8.self)
        case .shell(let line):
            let rendered = line.render(combination, quoted: true)
            work = .shell(rendered)
            defaultName = Self.programName(inShellLine: rendered)
        case .call(let function, let arguments):
            work = .call(function: function, arguments: arguments.render(combination))
            defaultName = function
        }
        var name = self.name?.render(combination) ?? defaultName
        if name.isEmpty { name = "task" }
        if let forEach, self.name?.hasVariables != true {
            name += "[\(forEach.label(combination))]"
        }
        var environment = inheritedEnvironment
        for entry in ownEnvironment {
            environment.set(entry.name, to: entry.value.render(combination))
        }
        return TaskPlan(
            name: name,
            work: work,
            timeout: timeout,
            retries: retries,
            shield: shield,
            environment: environment,
            workingDirectory: ownDirectory.map { FilePath.join(batchDirectory, $0.render(combination)) }
                ?? inheritedDirectory,
            stdin: stdin?.render(combination),
            location: location
        )
    }

    /// The name of the program that a shell line starts, as far as it can be told without the shell; else `sh`.
    static func programName(inShellLine line: String) -> String {
        for word in line.split(whereSeparator: \.isWhitespace) {
            let head = word.prefix { $0 != "=" }
            if head.endIndex != word.endIndex, ASCII.isIdentifier(String(head)) { continue }
            let name = PathParts.base(of: Array(word.utf8)[...])
            let isPlain = !name.isEmpty && name.allSatisfy(ShellQuote.isPlain)
            return isPlain ? String(decoding: name, as: UTF8.self) : "sh"
        }
        return "sh"
    }
}

extension [EnvironmentEntry] {
    /// Sets a variable, in its old place if it is there already.
    mutating func set(_ name: String, to value: String) {
        if let place = firstIndex(where: { $0.name == name }) {
            self[place].value = value
        } else {
            append(EnvironmentEntry(name: name, value: value))
        }
    }
}

/// The names given out in one group: every task and child group gets one of its own.
struct NameRegistry {
    private var used: Set<String> = []
    /// The next suffix to try, so that a million equal names take a million steps.
    private var nextSuffix: [String: Int] = [:]

    /// `name`, or `name#2`, `name#3`, … if it is taken.
    mutating func claim(_ name: String) -> String {
        if used.insert(name).inserted { return name }
        var suffix = nextSuffix[name] ?? 2
        while !used.insert("\(name)#\(suffix)").inserted {
            suffix += 1
        }
        nextSuffix[name] = suffix + 1
        return "\(name)#\(suffix)"
    }
}
