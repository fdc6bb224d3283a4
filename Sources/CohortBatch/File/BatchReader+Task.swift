internal import Yams

extension BatchReader {
    /// The tasks that a task, or a group with `for_each`, stands for: one, or one a combination of its variables.
    ///
    /// In a group the fields `timeout` and `shield` are the group's; names are made unique there and then, as nothing else
    /// stands in it.
    mutating func expandedTasks(_ fields: Fields, scope: Scope, isGroup: Bool) throws(Halt) -> [TaskPlan] {
        let variables = try variableNames(fields["for_each"])
        var ownDirectory: BraceTemplate?
        if let path = try nonemptyText(fields["cwd"]) {
            ownDirectory = try template(path, at: fields["cwd"]?.value.mark, variables: variables)
        }
        let pattern = try taskPattern(
            fields,
            scope: scope,
            isGroup: isGroup,
            variables: variables,
            ownDirectory: ownDirectory
        )
        guard let entry = fields["for_each"] else {
            try countTasks(1, at: fields.mark)
            guard let pattern else { return [] }
            return [pattern.task(forEach: nil, combination: [], batchDirectory: directory)]
        }
        // Values are looked up even if the pattern is wrong, so that everything is told at once.
        let base: GlobBase =
            if let ownDirectory {
                ownDirectory.hasVariables ? .variable : .directory(FilePath.join(directory, ownDirectory.render([])))
            } else {
                .directory(scope.workingDirectory)
            }
        guard let forEach = try forEach(entry, globBase: base), let pattern else { return [] }
        try countTasks(forEach.count, at: entry.keyMark)
        let count = forEach.count ?? 0
        var tasks: [TaskPlan] = []
        tasks.reserveCapacity(count)
        var names = NameRegistry()
        for number in 0..<count {
            var task = pattern.task(
                forEach: forEach,
                combination: forEach.combination(number),
                batchDirectory: directory
            )
            try charge(task.textBytes, values: task.valueCount, at: entry.keyMark)
            if case .argv(let words) = task.work, words[0].isEmpty {
                try report(fields["run"]?.value.mark, "the program's name is empty for \(task.name): name a program")
                throw Halt()
            }
            if isGroup { task.name = names.claim(task.name) }
            tasks.append(task)
        }
        return tasks
    }

    private mutating func taskPattern(
        _ fields: Fields,
        scope: Scope,
        isGroup: Bool,
        variables: [String]?,
        ownDirectory: BraceTemplate?
    ) throws(Halt) -> TaskPattern? {
        let work = try workPattern(fields, isGroup: isGroup, variables: variables)
        var name: BraceTemplate?
        if let text = try self.name(fields["name"]) {
            name = try template(text, at: fields["name"]?.value.mark, variables: variables)
        }
        let ownTimeout = try duration(fields[isGroup ? "task_timeout" : "timeout"])
        if let ownTimeout, let around = scope.groupTimeout, ownTimeout > around {
            warn(
                fields[isGroup ? "task_timeout" : "timeout"]?.value.mark,
                "this timeout of \(CohortDuration.format(ownTimeout)) can never fire: "
                    + "a group around it ends after \(CohortDuration.format(around))"
            )
        }
        let retries = try retries(fields["retries"])
        let shield = isGroup ? false : try flag(fields["shield"]) ?? false
        let environment = try environment(fields["env"], variables: variables)
        var stdin: BraceTemplate?
        if let entry = fields["stdin"] {
            stdin = try template(entry.value, what: "'stdin'", variables: variables, allowsNUL: true)
            if let call = fields["call"] {
                try report(call.keyMark, "a call has no standard input: remove 'stdin', or pass it in 'args'")
            }
        }
        guard let work else { return nil }
        return TaskPattern(
            name: name,
            work: work,
            timeout: ownTimeout ?? scope.taskTimeout,
            retries: retries ?? scope.retries,
            shield: shield,
            inheritedEnvironment: scope.environment,
            ownEnvironment: environment,
            inheritedDirectory: scope.workingDirectory,
            ownDirectory: ownDirectory,
            stdin: stdin,
            location: source.location(fields.mark)
        )
    }

    private mutating func workPattern(
        _ fields: Fields,
        isGroup: Bool,
        variables: [String]?
    ) throws(Halt) -> TaskPattern.WorkPattern? {
        switch (fields["run"], fields["call"]) {
        case (nil, nil):
            if fields.isComplete {
                let what = isGroup ? "a group with 'for_each'" : "a task"
                try report(fields.mark, "\(what) needs 'run' (a command) or 'call' (a function)")
            }
            return nil
        case (.some, .some(let call)):
            try report(call.keyMark, "a task has either 'run' or 'call', not both: remove one")
            return nil
        case (.some(let run), nil):
            if let args = fields["args"] {
                try report(args.keyMark, "'args' belongs to 'call': put a command's arguments into 'run'")
            }
            return try commandPattern(run, variables: variables)
        case (nil, .some(let call)):
            let function = try self.name(call)
            let arguments = try argumentsTemplate(fields["args"]?.value, variables: variables)
            guard let function else { return nil }
            return .call(function: function, arguments: arguments)
        }
    }

    private mutating func commandPattern(
        _ run: Entry,
        variables: [String]?
    ) throws(Halt) -> TaskPattern.WorkPattern? {
        guard case .sequence(let sequence) = run.value else {
            guard case .scalar = run.value else {
                let hint = Self.bracesHint(run.value)
                try report(run.value.mark, "'run' must be a list or a shell line, not a map\(hint)")
                return nil
            }
            guard let line = try text(run.value, what: "'run'") else { return nil }
            if line.allSatisfy(\.isWhitespace) {
                try report(run.value.mark, "'run' is empty: write a command")
                return nil
            }
            return try template(line, at: run.value.mark, variables: variables, isShellLine: true).map { .shell($0) }
        }
        if sequence.isEmpty {
            try report(run.value.mark, "'run' is empty: write a program and its arguments")
            return nil
        }
        var words: [BraceTemplate] = []
        words.reserveCapacity(sequence.count)
        for node in sequence {
            let what = words.isEmpty ? "the program in 'run'" : "an argument in 'run'"
            guard let word = try template(node, what: what, variables: variables) else { continue }
            if words.isEmpty, word.pieces == [.literal("")] {
                try report(node.mark, "the program's name is empty: name a program")
            }
            words.append(word)
        }
        // Left out words have been reported; a program is needed all the same.
        return words.isEmpty ? nil : .argv(words)
    }

    /// The JSON text of `args`; `null` if there are none.
    private mutating func argumentsTemplate(_ node: Node?, variables: [String]?) throws(Halt) -> JSONTemplate {
        var template = JSONTemplate()
        if let node {
            try appendJSON(node, to: &template, variables: variables, depth: 0)
        } else {
            template.append("null".utf8)
        }
        return template
    }

    private mutating func appendJSON(
        _ node: Node,
        to output: inout JSONTemplate,
        variables: [String]?,
        depth: Int
    ) throws(Halt) {
        guard depth <= JSONText.depthMax else {
            try report(node.mark, "'args' is nested deeper than \(JSONText.depthMax) here: nest less deeply")
            return
        }
        switch node {
        case .scalar(let scalar):
            try charge(scalar.string.utf8.count, at: scalar.mark)
            switch CoreScalar(scalar) {
            case .null: output.append("null".utf8)
            case .bool(let value): output.append((value ? "true" : "false").utf8)
            case .integer(let json), .float(let json): output.append(json.utf8)
            case .notFinite:
                try report(scalar.mark, "JSON cannot say '\(scalar.string)': quote it to pass it as text")
            case .string:
                if let text = try template(scalar.string, at: scalar.mark, variables: variables) { output.append(text) }
            case .badTag(let tag):
                try reportTag(tag, at: scalar.mark)
            }
        case .sequence(let sequence):
            try charge(0, at: sequence.mark)
            output.append("[".utf8)
            for (index, child) in sequence.enumerated() {
                if index > 0 { output.append(",".utf8) }
                try appendJSON(child, to: &output, variables: variables, depth: depth + 1)
            }
            output.append("]".utf8)
        case .mapping(let mapping):
            if let name = Self.soleBracedName(node), variables?.contains(name) == true {
                try report(node.mark, "YAML reads these braces as a map: write \"{\(name)}\"")
            }
            try charge(0, at: mapping.mark)
            output.append("{".utf8)
            for (index, entry) in try entries(of: mapping, what: "'args'").enumerated() {
                if index > 0 { output.append(",".utf8) }
                output.append(JSONText.string(entry.key.utf8))
                output.append(":".utf8)
                try appendJSON(entry.value, to: &output, variables: variables, depth: depth + 1)
            }
            output.append("}".utf8)
        case .alias:
            return
        }
    }
}

extension TaskPlan {
    /// How much text the plan holds for this task alone.
    fileprivate var textBytes: Int {
        var bytes = name.utf8.count + (stdin?.utf8.count ?? 0) + (workingDirectory?.utf8.count ?? 0)
        switch work {
        case .argv(let words):
            for word in words {
                bytes += word.count
            }
        case .shell(let line): bytes += line.count
        case .call(_, let arguments): bytes += arguments.count
        }
        return bytes
    }

    fileprivate var valueCount: Int {
        if case .argv(let words) = work { words.count } else { 1 }
    }
}
