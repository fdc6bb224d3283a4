/// Durations as people write them: `500ms`, `30s`, `10m`, `2h`, `1h30m`, `1d`, or seconds as a number (`0.5`).
package enum CohortDuration {
    /// The longest duration there is, 100 years: nanoseconds of it fit an `Int64` with room for sums.
    package static let longest = Duration.seconds(36_500 * 86_400)

    private struct Unit {
        let name: String
        let nanoseconds: Int64
    }

    /// From the largest to the smallest: compound durations are written in this order.
    private static let units = [
        Unit(name: "d", nanoseconds: 86_400_000_000_000),
        Unit(name: "h", nanoseconds: 3_600_000_000_000),
        Unit(name: "m", nanoseconds: 60_000_000_000),
        Unit(name: "s", nanoseconds: 1_000_000_000),
        Unit(name: "ms", nanoseconds: 1_000_000),
    ]

    /// Reads a duration, exact to the nanosecond; digits beyond that are cut off.
    package static func parse(_ text: String) throws(DurationSyntaxError) -> Duration {
        var rest = Array(text.utf8)[...]
        guard !rest.isEmpty else { throw DurationSyntaxError(text: text, problem: .malformed) }
        var total: Int64 = 0
        var nextUnit = 0
        while !rest.isEmpty {
            guard let number = Decimal(takingFrom: &rest) else {
                throw DurationSyntaxError(text: text, problem: .malformed)
            }
            let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
            rest = rest.dropFirst(letters.count)
            let unit: Unit
            if letters.isEmpty {
                // A bare number is seconds, and then it is the whole of the text.
                guard nextUnit == 0, rest.isEmpty else { throw DurationSyntaxError(text: text, problem: .malformed) }
                unit = units[3]
            } else {
                let name = String(decoding: letters, as: UTF8.self)
                guard let place = units[nextUnit...].firstIndex(where: { $0.name == name }) else {
                    throw DurationSyntaxError(text: text, problem: .malformed)
                }
                unit = units[place]
                nextUnit = place + 1
            }
            guard let part = number.scaled(by: unit.nanoseconds) else {
                throw DurationSyntaxError(text: text, problem: .tooLong)
            }
            let sum = total.addingReportingOverflow(part)
            guard !sum.overflow else { throw DurationSyntaxError(text: text, problem: .tooLong) }
            total = sum.partialValue
        }
        let duration = Duration.nanoseconds(total)
        guard duration <= longest else { throw DurationSyntaxError(text: text, problem: .tooLong) }
        return duration
    }

    /// Writes a duration the way `parse` reads it, cut to milliseconds unless it is shorter than one: `1h30m`, `1s500ms`.
    package static func format(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let limited = max(0, min(seconds, longest.components.seconds))
        var rest = limited * 1_000_000_000 + max(0, attoseconds / 1_000_000_000)
        if rest > 0, rest < 1_000_000 {
            let digits = String(1_000_000_000 + rest).dropFirst()
            return "0." + digits
        }
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }

    /// An unsigned decimal number, kept as digits so that no binary fraction blurs it.
    private struct Decimal {
        var whole: Int64 = 0
        var fraction: Int64 = 0
        /// The power of ten that `fraction` counts in.
        var fractionScale: Int64 = 1
        var overflowed = false

        /// Takes digits with at most one point from the front; `nil` if there is no digit.
        init?(takingFrom bytes: inout ArraySlice<UInt8>) {
            var sawDigit = false
            var afterPoint = false
            while let byte = bytes.first {
                if byte == UInt8(ascii: "."), !afterPoint {
                    afterPoint = true
                } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                    sawDigit = true
                    let digit = Int64(byte - UInt8(ascii: "0"))
                    if !afterPoint {
                        let next = whole.multipliedReportingOverflow(by: 10)
                        let sum = next.partialValue.addingReportingOverflow(digit)
                        overflowed = overflowed || next.overflow || sum.overflow
                        whole = sum.partialValue
                    } else if fractionScale < 1_000_000_000 {
                        fraction = fraction * 10 + digit
                        fractionScale *= 10
                    }
                } else {
                    break
                }
                bytes = bytes.dropFirst()
            }
            if !sawDigit { return nil }
        }

        /// The number times `unit` nanoseconds; `nil` if it does not fit.
        func scaled(by unit: Int64) -> Int64? {
            let product = whole.multipliedReportingOverflow(by: unit)
            if overflowed || product.overflow { return nil }
            // `unit` may not be a multiple of the scale, nor `fraction * unit` fit 64 bits.
            let wide = fraction.multipliedFullWidth(by: unit)
            let part = fractionScale.dividingFullWidth(wide).quotient
            let sum = product.partialValue.addingReportingOverflow(part)
            return sum.overflow ? nil : sum.partialValue
        }
    }
}

/// Why a text is no duration.
package struct DurationSyntaxError: Error, Equatable, CustomStringConvertible {
    package enum Problem: Sendable {
        case malformed
        case tooLong
    }

    package var text: String
    package var problem: Problem

    package var description: String {
        switch problem {
        case .malformed: "bad duration '\(text)': use a number of seconds or a number with ms, s, m, h, d"
        case .tooLong: "bad duration '\(text)': it is longer than 100 years"
        }
    }
}
