/// How often a program that dies may be started again: so many times in so long, then it is given up.
///
/// The delay before a start doubles with each one in the period, and is drawn at random, so that many workers that die of
/// one cause do not come back at one moment.
package struct RestartBudget: Sendable, Equatable {
    package static let standard = RestartBudget(limit: 5, period: .seconds(60))
    package static let none = RestartBudget(limit: 0, period: .seconds(60))

    /// The longest delay of the first start, and of any.
    static let shortestDelay = Duration.milliseconds(50)
    static let longestDelay = Duration.seconds(5)

    package let limit: Int
    package let period: Duration
    /// When the program was started again, within the period, oldest first.
    private var starts: [Duration] = []

    package init(limit: Int, period: Duration) {
        self.limit = limit
        self.period = period
    }

    /// Reads `5/60s`: so many in so long, in ms, s, m or h; or `0` for none. Nil if it is neither.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let limit = Int(parts[0]), (0...1_000_000).contains(limit) else { return nil }
        guard parts.count == 2 else {
            guard limit == 0 else { return nil }
            self = .none
            return
        }
        let digits = parts[1].prefix { $0.isASCII && $0.isNumber }
        let unit: Duration
        switch parts[1].dropFirst(digits.count) {
        case "ms": unit = .milliseconds(1)
        case "s", "": unit = .seconds(1)
        case "m": unit = .seconds(60)
        case "h": unit = .seconds(3_600)
        default: return nil
        }
        guard let count = Int(digits), (1...1_000_000_000).contains(count) else { return nil }
        self.init(limit: limit, period: unit * count)
    }

    /// Takes a start from the budget.
    ///
    /// - Parameters:
    ///   - now: on any clock that only goes forward.
    ///   - jitter: from 0 to 1, drawn at random.
    /// - Returns: how long to wait before it; nil if there is none left.
    package mutating func takeStart(at now: Duration, jitter: Double) -> Duration? {
        starts.removeAll { now - $0 >= period }
        guard starts.count < limit else { return nil }
        let longest = min(Self.shortestDelay * (1 << min(starts.count, 16)), Self.longestDelay)
        starts.append(now)
        return longest * jitter
    }
}
