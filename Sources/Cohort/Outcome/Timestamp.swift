/// A point of civil time in UTC, exact to the millisecond; in JSON an ISO 8601 string such as
/// `2026-11-19T19:09:33.120Z`.
public struct Timestamp: Sendable, Hashable, Comparable {
    /// Milliseconds since 1970-01-01T00:00:00Z; leap seconds are not counted.
    public var milliseconds: Int64

    /// A time by its distance from the epoch; negative before it.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// Earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Timestamp: CustomStringConvertible {
    private static let millisecondsPerDay: Int64 = 86_400_000

    /// ISO 8601 in UTC with milliseconds.
    public var description: String {
        var (days, rest) = milliseconds.quotientAndRemainder(dividingBy: Self.millisecondsPerDay)
        if rest < 0 {
            days -= 1
            rest += Self.millisecondsPerDay
        }
        let (year, month, day) = Self.civil(daysSinceEpoch: days)
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        let time = "\(padded(rest / 3_600_000, 2)):\(padded(rest / 60_000 % 60, 2)):\(padded(rest / 1_000 % 60, 2))"
        return "\(date)T\(time).\(padded(rest % 1_000, 3))Z"
    }

    private func padded(_ value: Int64, _ width: Int) -> String {
        let digits = String(value)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }

    /// Parses `YYYY-MM-DDTHH:MM:SS`, an optional fraction, then `Z` or an offset such as `+02:00`.
    ///
    /// - Returns: `nil` for anything else, and for a day, hour or offset that does not exist.
    public init?(_ text: String) {
        var rest = Substring(text)
        func number(_ digits: Int, after separator: Character? = nil) -> Int64? {
            if let separator {
                guard rest.first == separator else { return nil }
                rest.removeFirst()
            }
            let prefix = rest.prefix(digits)
            guard prefix.utf8.count == digits, prefix.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
            rest.removeFirst(digits)
            return Int64(prefix)
        }
        guard let year = number(4), let month = number(2, after: "-"), let day = number(2, after: "-"),
            let hour = number(2, after: "T"), let minute = number(2, after: ":"), let second = number(2, after: ":"),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var fraction: Int64 = 0
        if rest.first == "." {
            let digits = rest.dropFirst().prefix { $0.isASCII && $0.isNumber }
            guard let thousandths = Int64((digits + "000").prefix(3)), !digits.isEmpty else { return nil }
            fraction = thousandths
            rest = rest[digits.endIndex...]
        }
        var offset: Int64 = 0
        if rest == "Z" {
            rest = ""
        } else {
            let sign: Int64 = rest.first == "-" ? -1 : 1
            guard let hours = number(2, after: sign < 0 ? "-" : "+"), let minutes = number(2, after: ":"),
                hours < 24, minutes < 60
            else { return nil }
            offset = sign * (hours * 60 + minutes)
        }
        let days = Self.days(year: year, month: month, day: day)
        guard rest.isEmpty, Self.civil(daysSinceEpoch: days) == (year, month, day) else { return nil }
        let minutes = (days * 24 + hour) * 60 + minute - offset
        self.init(milliseconds: (minutes * 60 + second) * 1_000 + fraction)
    }
}

// MARK: - The calendar

extension Timestamp {
    // Years are counted from March, so that the leap day is the last of its year, and in eras of 400 years, after which
    // the Gregorian calendar repeats: 146,097 days.

    private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let marchYear = month <= 2 ? year - 1 : year
        let era = (marchYear >= 0 ? marchYear : marchYear - 399) / 400
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func civil(daysSinceEpoch: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let days = daysSinceEpoch + 719_468
        let era = (days >= 0 ? days : days - 146_096) / 146_097
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

extension Timestamp: Codable {
    /// Reads an ISO 8601 string.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let timestamp = Timestamp(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "'\(text)' is not a time such as 2026-11-19T19:09:33.120Z"
            )
        }
        self = timestamp
    }

    /// Writes `description`.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
