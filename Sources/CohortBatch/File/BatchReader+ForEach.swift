internal import Yams

extension BatchReader {
    /// Where the glob patterns of a `for_each` start: where its tasks run.
    enum GlobBase {
        /// `nil` for the caller's own directory.
        case directory(String?)
        /// The tasks run in directories that depend on the variables themselves.
        case variable
    }

    /// The names of the variables in order, `nil` without `for_each`. They are checked in `forEach(_:globBase:)`.
    func variableNames(_ entry: Entry?) throws(Halt) -> [String]? {
        guard let entry else { return nil }
        guard case .mapping(let mapping) = entry.value else { return [] }
        return mapping.compactMap { $0.key.scalar?.string }
    }

    /// Reads the variables with all of their values; `nil` if something was reported.
    mutating func forEach(_ entry: Entry, globBase: GlobBase) throws(Halt) -> ForEach? {
        guard case .mapping(let mapping) = entry.value else {
            let found = Self.kind(of: entry.value)
            try report(entry.value.mark, "'for_each' must be a map, not \(found): write 'for_each: {name: [a, b]}'")
            return nil
        }
        if mapping.isEmpty {
            try report(entry.keyMark, "'for_each' is empty: write 'for_each: {name: [a, b]}'")
            return nil
        }
        var forEach = ForEach()
        var isComplete = true
        for variable in try entries(of: mapping, what: "'for_each'") {
            guard ASCII.isIdentifier(variable.key) else {
                try report(variable.keyMark, "'\(variable.key)' cannot name a variable: use letters, digits and _")
                isComplete = false
                continue
            }
            guard let values = try values(of: variable, globBase: globBase), !values.isEmpty else {
                isComplete = false
                continue
            }
            forEach.names.append(variable.key)
            forEach.values.append(values)
        }
        return isComplete ? forEach : nil
    }

    /// The values of one variable; empty or `nil` if something was reported.
    private mutating func values(of variable: Entry, globBase: GlobBase) throws(Halt) -> [ForEach.Value]? {
        switch variable.value {
        case .sequence(let sequence):
            return try listedValues(sequence, of: variable)
        case .mapping(let mapping):
            let keys = BatchKeys.forEachRange + BatchKeys.forEachFile
            let what = "'\(variable.key)'"
            let fields = try fields(of: mapping, keys: keys, what: what)
            switch (fields["range"], fields["from_file"]) {
            case (.some(let range), nil): return try rangeValues(range)
            case (nil, .some(let file)): return try fileValues(file)
            default:
                try report(
                    variable.value.mark,
                    "\(what) needs a list, a glob pattern, {range: [1, 9]} or {from_file: path}"
                )
                return nil
            }
        case .scalar(let scalar):
            if CoreScalar(scalar) != .string {
                try report(scalar.mark, "'\(variable.key)' needs a list or a glob pattern: write [\(scalar.string)]")
                return nil
            }
            return try globValues(variable, globBase: globBase)
        case .alias:
            return nil
        }
    }

    private mutating func listedValues(
        _ sequence: Node.Sequence,
        of variable: Entry
    ) throws(Halt) -> [ForEach.Value]? {
        if sequence.isEmpty {
            try report(variable.value.mark, "the list of '\(variable.key)' is empty: nothing would run")
        }
        var values: [ForEach.Value] = []
        values.reserveCapacity(sequence.count)
        for node in sequence {
            guard let text = try text(node, what: "a value of '\(variable.key)'") else { continue }
            let json: [UInt8]? =
                switch node.scalar.map(CoreScalar.init) {
                case .integer(let json), .float(let json): Array(json.utf8)
                case .bool(let value): Array((value ? "true" : "false").utf8)
                default: nil
                }
            values.append(ForEach.Value(text: text, json: json))
        }
        return values
    }

    /// `[first, last]`, both of them included.
    private mutating func rangeValues(_ range: Entry) throws(Halt) -> [ForEach.Value]? {
        guard case .sequence(let sequence) = range.value, sequence.count == 2 else {
            try report(range.value.mark, "'range' must be a list of two whole numbers, such as [1, 9]")
            return nil
        }
        // Numbers of this size never overflow when they are counted.
        let bounds = -1_000_000_000_000...1_000_000_000_000
        let first = try integer(sequence[0], what: "the start of 'range'", in: bounds)
        let last = try integer(sequence[1], what: "the end of 'range'", in: bounds)
        guard let first, let last else { return nil }
        if first > last {
            try report(range.value.mark, "'range' counts up, and \(first) is more than \(last): swap them")
            return nil
        }
        guard last - first < limits.tasks else {
            let count = last - first + 1
            try report(range.value.mark, "'range' has \(count) values, and at most \(limits.tasks) tasks are allowed")
            return nil
        }
        var values: [ForEach.Value] = []
        values.reserveCapacity(last - first + 1)
        for number in first...last {
            let text = String(number)
            values.append(ForEach.Value(text: text, json: Array(text.utf8)))
        }
        return values
    }

    /// The lines of a file, whose path is relative to the batch file's directory.
    private mutating func fileValues(_ file: Entry) throws(Halt) -> [ForEach.Value]? {
        guard let path = try nonemptyText(file) else { return nil }
        var text: String
        do {
            text = try TextFile.read(path: FilePath.join(directory, path))
        } catch {
            try report(file.value.mark, "'\(path)': \(error.message)")
            return nil
        }
        if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
        if text.isEmpty {
            try report(file.value.mark, "'\(path)' is empty: nothing would run")
            return nil
        }
        var values: [ForEach.Value] = []
        for line in text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            try charge(line.count, at: file.value.mark)
            values.append(ForEach.Value(text: String(Substring(line))))
        }
        return values
    }

    /// The names of the files that match, seen from where the tasks run.
    private mutating func globValues(_ variable: Entry, globBase: GlobBase) throws(Halt) -> [ForEach.Value]? {
        guard let pattern = try nonemptyText(variable) else { return nil }
        guard case .directory(let base) = globBase else {
            try report(
                variable.value.mark,
                "a glob pattern is looked up in 'cwd', which depends on the variables here: write a list"
            )
            return nil
        }
        let names: [String]
        do {
            names = try Glob.names(matching: pattern, in: base)
        } catch {
            try report(variable.value.mark, "the glob pattern '\(pattern)' \(error.message)")
            return nil
        }
        if names.isEmpty {
            let place = base ?? FilePath.current()
            try report(
                variable.value.mark,
                "no file in \(place) matches the glob pattern '\(pattern)'; write [\(pattern)] if a value is meant"
            )
        }
        var values: [ForEach.Value] = []
        for name in names {
            try charge(name.utf8.count, at: variable.value.mark)
            values.append(ForEach.Value(text: name))
        }
        return values
    }
}
