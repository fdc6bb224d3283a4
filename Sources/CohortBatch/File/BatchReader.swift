internal import Yams

/// Turns the nodes of a batch file into a plan, and collects what is wrong with them on the way.
///
/// A place that is wrong is reported and left out of the plan, and reading goes on after it: the plan is used only if nothing was
/// reported. `Halt` ends the reading early, when there is enough to report or more than there may be.
package struct BatchReader {
    /// Reading ended early; what there is to say has been reported.
    struct Halt: Error {}

    /// What a file may hold once its aliases and variables are expanded.
    package struct Limits {
        package var tasks: Int
        /// Groups in groups.
        package var depth: Int
        /// Scalars, lists and maps, each as often as aliases and variables repeat it.
        package var values: Int
        /// The text of those values in bytes.
        package var textBytes: Int

        package init(
            tasks: Int = 1_000_000,
            depth: Int = 64,
            values: Int = 20_000_000,
            textBytes: Int = 1 << 30
        ) {
            self.tasks = tasks
            self.depth = depth
            self.values = values
            self.textBytes = textBytes
        }
    }

    let limits: Limits
    let source: SourceText
    /// What to do instead of merging maps.
    var mergeAdvice = "write the keys out; env, cwd, retries and task_timeout of a group hold for all of its tasks"
    /// Absolute: where relative paths of the file start.
    let directory: String
    private(set) var errors: [BatchDiagnostic] = []
    private(set) var warnings: [BatchDiagnostic] = []
    private(set) var isTruncated = false
    private(set) var taskCount = 0
    private var valueCount = 0
    private var textBytes = 0

    init(source: SourceText, directory: String, limits: Limits) {
        self.limits = limits
        self.source = source
        self.directory = directory
    }

    // MARK: Reporting

    /// Notes an error; halts when there are as many as are told.
    mutating func report(_ mark: Mark?, _ message: String) throws(Halt) {
        let diagnostic = source.diagnostic(line: mark?.line ?? 1, column: mark?.column ?? 1, message)
        // An alias makes one place appear many times.
        if errors.contains(diagnostic) { return }
        if errors.count == BatchFileError.diagnosticsMax {
            isTruncated = true
            throw Halt()
        }
        errors.append(diagnostic)
    }

    mutating func warn(_ mark: Mark?, _ message: String) {
        guard warnings.count < BatchFileError.diagnosticsMax else { return }
        warnings.append(source.diagnostic(line: mark?.line ?? 1, column: mark?.column ?? 1, message))
    }

    /// Counts what goes into the plan: aliases and variables must not make a small file fill the memory.
    mutating func charge(_ bytes: Int, values: Int = 1, at mark: Mark?) throws(Halt) {
        valueCount += values
        textBytes += bytes
        if valueCount > limits.values || textBytes > limits.textBytes {
            let found = valueCount > limits.values ? "\(limits.values) values" : "\(limits.textBytes) bytes of text"
            try report(mark, "the file expands to more than \(found) here: use fewer aliases or a smaller 'for_each'")
            throw Halt()
        }
    }

    /// Counts tasks before they are made.
    mutating func countTasks(_ count: Int?, at mark: Mark?) throws(Halt) {
        guard let count, count <= limits.tasks - taskCount else {
            let found = count.flatMap { $0 < .max / 2 ? "\(taskCount + $0)" : nil } ?? "countless"
            try report(
                mark,
                "the file has \(found) tasks up to here, and at most \(limits.tasks) are allowed: split it"
            )
            throw Halt()
        }
        taskCount += count
    }

    // MARK: Maps

    /// One key of a map with its value.
    struct Entry {
        var key: String
        var keyMark: Mark?
        var value: Node
    }

    /// The entries of a map by key, with the place of the map.
    struct Fields {
        var mark: Mark?
        /// Whether every key of the map is here; the others have been reported, and nothing should be called missing.
        var isComplete: Bool
        private var entries: [String: Entry] = [:]

        init(mark: Mark?, entries: [Entry], isComplete: Bool) {
            self.mark = mark
            self.isComplete = isComplete
            for entry in entries {
                self.entries[entry.key] = entry
            }
        }

        subscript(key: String) -> Entry? { entries[key] }
    }

    /// The entries of a map in order: keys are words, each there once. `what` names the map in messages ("a task").
    mutating func entries(of mapping: Node.Mapping, what: String) throws(Halt) -> [Entry] {
        var entries: [Entry] = []
        entries.reserveCapacity(mapping.count)
        var seen: Set<String> = []
        for (key, value) in mapping {
            guard case .scalar(let scalar) = key else {
                try report(key.mark ?? mapping.mark, "a key in \(what) must be a word, not a list or a map")
                continue
            }
            if scalar.string == "<<" {
                try report(scalar.mark, "merge keys (<<) are not supported: \(mergeAdvice)")
                continue
            }
            guard seen.insert(scalar.string).inserted else {
                try report(scalar.mark, "duplicate key '\(scalar.string)' in \(what): remove one")
                continue
            }
            try charge(scalar.string.utf8.count, at: scalar.mark)
            entries.append(Entry(key: scalar.string, keyMark: scalar.mark, value: value))
        }
        return entries
    }

    /// The fields of an object of the format: `keys` are the ones it knows.
    mutating func fields(
        of mapping: Node.Mapping,
        keys: [String],
        what: String,
        suggesting others: [String] = []
    ) throws(Halt) -> Fields {
        var known: [Entry] = []
        for entry in try entries(of: mapping, what: what) {
            guard keys.contains(entry.key) else {
                var message = "unknown key '\(entry.key)' in \(what)"
                if let near = BatchKeys.suggestion(for: entry.key, among: keys + others) {
                    message += "; did you mean '\(near)'?"
                } else {
                    message += "; it can have \(keys.joined(separator: ", "))"
                }
                try report(entry.keyMark, message)
                continue
            }
            if entry.key != "args", isNull(entry.value) {
                try report(entry.keyMark, "'\(entry.key)' has no value: write one or remove the key")
                continue
            }
            known.append(entry)
        }
        return Fields(mark: mapping.mark, entries: known, isComplete: known.count == mapping.count)
    }

    func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node else { return false }
        return CoreScalar(scalar) == .null
    }

    /// What a node is, for messages.
    static func kind(of node: Node) -> String {
        switch node {
        case .scalar(let scalar):
            switch CoreScalar(scalar) {
            case .null: "nothing"
            case .bool: "a boolean"
            case .integer, .float, .notFinite: "a number"
            case .string, .badTag: "text"
            }
        case .sequence: "a list"
        case .mapping: "a map"
        case .alias: "an alias"
        }
    }
}
