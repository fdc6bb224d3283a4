internal import CohortBatch
internal import CohortProcess

/// Reads the value of an option or argument. What is thrown says what is right, and stands after what is wrong.
enum ValueForm {
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    /// How many tasks run at once.
    static let slots = number(1...4_096, such: 4)

    /// A whole number.
    static func number(_ range: ClosedRange<Int>, such example: Int) -> @Sendable (String) throws -> Int {
        { text in
            if let number = Int(text), range.contains(number) { return number }
            throw Invalid(
                description: "give a whole number from \(range.lowerBound) to \(range.upperBound), such as \(example)"
            )
        }
    }

    /// What random choices begin with.
    static func seed(_ text: String) throws -> UInt64 {
        if let seed = UInt64(text) { return seed }
        throw Invalid(description: "give a whole number from 0 to \(UInt64.max), such as 1")
    }

    /// A span of time.
    static func time(_ text: String) throws -> DurationArgument {
        do {
            return DurationArgument(duration: try CohortDuration.parse(text))
        } catch {
            throw Invalid(
                description: error.problem == .tooLong
                    ? "the longest time there is has \(CohortDuration.format(CohortDuration.longest))"
                    : "give a number of seconds, or a number with ms, s, m, h or d, such as 500ms, 30s or 1h30m"
            )
        }
    }

    /// A span of time in which something can happen.
    static func limit(_ text: String) throws -> DurationArgument {
        let time = try time(text)
        if time.duration <= .zero {
            throw Invalid(description: "it must be longer than 0, such as 30s")
        }
        return time
    }

    /// So many starts in so long.
    static func restarts(_ text: String) throws -> RestartBudget {
        if let budget = RestartBudget(text) { return budget }
        throw Invalid(description: "give how often in how long, in ms, s, m or h, such as 5/60s; or 0 for never")
    }

    /// A group that was opened by somebody else.
    static func group(_ text: String) throws -> GroupArgument {
        if let group = GroupArgument(text) { return group }
        throw Invalid(description: "give a group's number or name, such as 1; 'cohort status' lists them")
    }
}
