internal import Yams

/// Fault plans.
extension BatchReader {
    /// Reads the whole document. The plan is usable only if no errors were reported.
    mutating func readFaultPlan(_ node: Node) throws(Halt) -> FaultPlan? {
        mergeAdvice = "write the keys out"
        guard case .mapping(let mapping) = node else {
            let advice = if case .sequence = node { "put the list under 'faults:'" } else { "start with 'faults:'" }
            try report(node.mark, "a fault plan is a map, not \(Self.kind(of: node)): \(advice)")
            return nil
        }
        let fields = try fields(of: mapping, keys: FaultKeys.plan, what: "a fault plan")
        let pool = try pool(fields["pool"])
        guard let entry = fields["faults"] else {
            if fields.isComplete { try report(fields.mark, "a fault plan needs 'faults'; 'faults: []' injects none") }
            return nil
        }
        guard case .sequence(let sequence) = entry.value else {
            let found = Self.kind(of: entry.value)
            try report(entry.value.mark, "'faults' must be a list, not \(found): start each with '- '")
            return nil
        }
        var faults: [FaultPlan.Fault] = []
        for item in sequence {
            guard let kind = try fault(item) else { continue }
            faults.append(FaultPlan.Fault(kind, at: source.location(item.mark)))
        }
        return FaultPlan(faults: faults, pool: pool)
    }

    private mutating func pool(_ entry: Entry?) throws(Halt) -> FaultPlan.Pool {
        var pool = FaultPlan.Pool()
        guard let entry else { return pool }
        guard case .mapping(let mapping) = entry.value else {
            try report(entry.value.mark, "'pool' must be a map, not \(Self.kind(of: entry.value))")
            return pool
        }
        let fields = try fields(of: mapping, keys: FaultKeys.pool, what: "'pool'")
        if let workers = fields["workers"] {
            pool.workers = try integer(workers.value, what: "'workers'", in: 1...64) ?? pool.workers
        }
        if let slots = fields["slots"] {
            pool.slots = try integer(slots.value, what: "'slots'", in: 1...256) ?? pool.slots
        }
        if let restarts = fields["restarts"] { pool.restarts = try self.restarts(restarts) ?? pool.restarts }
        return pool
    }

    /// `5/60s`: so many in so long.
    private mutating func restarts(_ entry: Entry) throws(Halt) -> FaultPlan.Restarts? {
        guard let text = try text(entry.value, what: "'restarts'") else { return nil }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, let count = Int(parts[0]), (0...1_000_000).contains(count),
            let period = try? CohortDuration.parse(String(parts[1])), period > .zero
        {
            return FaultPlan.Restarts(count: count, period: period)
        }
        try report(entry.value.mark, "'restarts' must be so many in so long, such as 5/60s, not '\(text)'")
        return nil
    }

    private mutating func fault(_ node: Node) throws(Halt) -> FaultPlan.Kind? {
        guard case .mapping(let mapping) = node else {
            try report(
                node.mark,
                "a fault is a map, not \(Self.kind(of: node)): write 'kill: worker' or another of them"
            )
            return nil
        }
        let fields = try fields(of: mapping, keys: FaultKeys.entry, what: "a fault")
        let present = FaultKeys.actions.filter { fields[$0] != nil }
        guard let action = present.first, let entry = fields[action] else {
            if fields.isComplete {
                try report(fields.mark, "a fault needs one of \(FaultKeys.actions.joined(separator: ", "))")
            }
            return nil
        }
        for other in present.dropFirst() {
            try report(
                fields[other]?.keyMark,
                "a fault has one action, and '\(action)' is it: make '\(other)' another fault"
            )
        }
        let companions = FaultKeys.companions(of: action)
        for key in FaultKeys.moments + ["for"] where !companions.contains(key) {
            guard let misplaced = fields[key] else { continue }
            try report(misplaced.keyMark, Self.misplaced(key, beside: action))
        }
        if present.count > 1 { return nil }
        switch action {
        case "kill", "freeze": return try processFault(action, entry, fields).map(FaultPlan.Kind.process)
        case "frames": return try frameFault(entry).map(FaultPlan.Kind.frames)
        case "fill": return try fillFault(entry, fields).map(FaultPlan.Kind.fill)
        default: return try taskFault(action, entry).map(FaultPlan.Kind.task)
        }
    }

    private static func misplaced(_ key: String, beside action: String) -> String {
        switch action {
        case "fail", "delay", "hang", "frames":
            let inside = ["fail": FaultKeys.fail, "delay": FaultKeys.delay, "hang": FaultKeys.hang][action]
            return "'\(key)' does not go beside '\(action)'; in its braces there can be "
                + (inside ?? FaultKeys.frames).joined(separator: ", ")
        case "kill": return "'for' does not go with 'kill', which is for good: use 'freeze', or remove it"
        default: return "'\(key)' does not go with '\(action)': remove it"
        }
    }

    // MARK: Processes and the disk

    private mutating func processFault(
        _ action: String,
        _ entry: Entry,
        _ fields: Fields
    ) throws(Halt) -> ProcessFault? {
        let names = ProcessFault.Target.allCases.map(\.rawValue)
        let target = try word(entry, among: names).flatMap(ProcessFault.Target.init(rawValue:))
        let length = try duration(fields["for"])
        let moments = try moments(action, fields)
        var times: Int?
        if let limit = fields["times"] {
            times = try integer(limit.value, what: "'times'", in: 1...1_000_000)
            if fields["at"] != nil { try report(limit.keyMark, "'times' goes with 'every' and 'p': 'at' is once") }
        }
        guard let target, let moments else { return nil }
        if action == "kill" { return ProcessFault(.kill, target, moments, times: times) }
        guard let length else {
            if fields["for"] == nil { try report(entry.keyMark, "'freeze' needs 'for': how long until it goes on") }
            return nil
        }
        return ProcessFault(.freeze(length), target, moments, times: times)
    }

    private mutating func moments(_ action: String, _ fields: Fields) throws(Halt) -> ProcessFault.Moments? {
        let given = ["at", "every", "p"].filter { fields[$0] != nil }
        guard given.count == 1 else {
            guard given.isEmpty else {
                try report(fields[given[1]]?.keyMark, "'\(action)' has either 'at', 'every' or 'p': remove all but one")
                return nil
            }
            let message = "'\(action)' needs 'at' (once), 'every' (again and again) or 'p' (a probability a second)"
            if fields.isComplete { try report(fields[action]?.keyMark, message) }
            return nil
        }
        switch given[0] {
        case "at": return try duration(fields["at"], allowsZero: true).map(ProcessFault.Moments.at)
        case "every": return try duration(fields["every"]).map(ProcessFault.Moments.every)
        default: return try probability(fields["p"]).map(ProcessFault.Moments.perSecond)
        }
    }

    private mutating func fillFault(_ entry: Entry, _ fields: Fields) throws(Halt) -> FillFault? {
        _ = try word(entry, among: ["state"])
        let at = try duration(fields["at"], allowsZero: true)
        let length = try duration(fields["for"])
        for (key, meaning) in [("at", "when it begins"), ("for", "how long the disk stays full")]
        where fields[key] == nil {
            try report(entry.keyMark, "'fill' needs '\(key)': \(meaning)")
        }
        guard let at, let length else { return nil }
        return FillFault(at: at, length: length)
    }

    // MARK: Tasks and messages

    private mutating func taskFault(_ action: String, _ entry: Entry) throws(Halt) -> TaskFault? {
        guard case .mapping(let mapping) = entry.value else {
            let found = Self.kind(of: entry.value)
            try report(
                entry.value.mark,
                "'\(action)' must be a map, not \(found): write '\(action): {task: \"name*\"}'"
            )
            return nil
        }
        let keys = ["fail": FaultKeys.fail, "delay": FaultKeys.delay][action] ?? FaultKeys.hang
        let fields = try fields(of: mapping, keys: keys, what: "'\(action)'")
        let pattern = try nonemptyText(fields["task"])
        let probability = try probability(fields["p"])
        var attempt: Int?
        if let entry = fields["attempt"] {
            attempt = try integer(entry.value, what: "'attempt'", in: 1...1_000_001)
        }
        var effect = TaskFault.Action.hang
        switch action {
        case "fail":
            let status = try fields["status"].map { entry throws(Halt) in
                try integer(entry.value, what: "'status'", in: 1...255)
            }
            let message = try name(fields["message"])
            effect = .fail(status: (status ?? nil) ?? 1, message: message ?? "this failure is injected")
        case "delay":
            let length = try duration(fields["by"])
            if fields["by"] == nil { try report(entry.keyMark, "'delay' needs 'by': how much later the task begins") }
            effect = .delay(length ?? .zero)
        default: break
        }
        guard let pattern else {
            if fields["task"] == nil { try report(entry.keyMark, "'\(action)' needs 'task': a pattern for names") }
            return nil
        }
        return TaskFault(effect, pattern: pattern, probability: probability ?? 1, attempt: attempt)
    }

    private mutating func frameFault(_ entry: Entry) throws(Halt) -> FrameFault? {
        guard case .mapping(let mapping) = entry.value else {
            let found = Self.kind(of: entry.value)
            try report(entry.value.mark, "'frames' must be a map, not \(found): write 'frames: {drop: 0.01}'")
            return nil
        }
        let fields = try fields(of: mapping, keys: FaultKeys.frames, what: "'frames'")
        let fault = FrameFault(
            drop: try probability(fields["drop"]) ?? 0,
            duplicate: try probability(fields["duplicate"]) ?? 0,
            corrupt: try probability(fields["corrupt"]) ?? 0,
            delay: try duration(fields["delay"]) ?? .zero,
            disconnect: try probability(fields["disconnect"]) ?? 0,
            from: try duration(fields["from"], allowsZero: true) ?? .zero,
            length: try duration(fields["for"])
        )
        if fields.isComplete,
            !["drop", "delay", "duplicate", "corrupt", "disconnect"].contains(where: { fields[$0] != nil })
        {
            try report(entry.keyMark, "'frames' does nothing: give it drop, delay, duplicate, corrupt or disconnect")
        }
        return fault
    }

    // MARK: Values

    private mutating func word(_ entry: Entry, among words: [String]) throws(Halt) -> String? {
        guard let text = try text(entry.value, what: "'\(entry.key)'") else { return nil }
        if words.contains(text) { return text }
        let near = EditDistance.nearest(to: text, among: words).map { "; did you mean '\($0)'?" } ?? ""
        let known = words.count > 1 ? "one of \(words.joined(separator: ", "))" : words[0]
        try report(entry.value.mark, "'\(entry.key)' must be \(known), not '\(text)'\(near)")
        return nil
    }

    /// A number from 0, exclusive, to 1.
    private mutating func probability(_ entry: Entry?) throws(Halt) -> Double? {
        guard let entry else { return nil }
        if case .scalar(let scalar) = entry.value {
            switch CoreScalar(scalar) {
            case .integer(let json), .float(let json):
                if let value = Double(json), value > 0, value <= 1 { return value }
            default: break
            }
            try report(scalar.mark, "'\(entry.key)' is a probability: more than 0, at most 1, not '\(scalar.string)'")
        } else {
            try report(entry.value.mark, "'\(entry.key)' must be a number, not \(Self.kind(of: entry.value))")
        }
        return nil
    }
}
