internal import Cohort

/// Durations as people read them.
package enum DurationText {
    /// Two or three significant figures: `3 ms`, `0.41 s`, `12.5 s`, `2 min 5 s`, `1 h 2 min`, `3 d 4 h`.
    package static func render(_ duration: Duration) -> String {
        let seconds = max(0, duration.inSeconds)
        if seconds < 0.0995 {
            let milliseconds = Int((seconds * 1_000).rounded())
            return milliseconds == 0 ? "0 s" : "\(milliseconds) ms"
        }
        if seconds < 9.995 { return decimal(seconds, places: 2) + " s" }
        if seconds < 59.95 { return decimal(seconds, places: 1) + " s" }
        // Beyond this no clock goes, and an integer would overflow.
        let whole = Int(min(seconds, 1e15).rounded())
        switch whole {
        case ..<3_600: return pair(whole / 60, "min", whole % 60, "s")
        case ..<86_400: return pair(whole / 3_600, "h", whole % 3_600 / 60, "min")
        default: return pair(whole / 86_400, "d", whole % 86_400 / 3_600, "h")
        }
    }

    private static func pair(_ large: Int, _ largeUnit: String, _ small: Int, _ smallUnit: String) -> String {
        small == 0 ? "\(large) \(largeUnit)" : "\(large) \(largeUnit) \(small) \(smallUnit)"
    }

    /// Rounded to so many places, without zeros at the end.
    static func decimal(_ value: Double, places: Int) -> String {
        var text = fixed(value, places: places)
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return text
    }

    /// Rounded to exactly so many places, at least one; `value` is not negative.
    static func fixed(_ value: Double, places: Int) -> String {
        let scale = (0..<places).reduce(1) { scale, _ in scale * 10 }
        let scaled = Int(min(value * Double(scale), 9e15).rounded())
        let fraction = String(scaled % scale)
        return "\(scaled / scale)." + String(repeating: "0", count: places - fraction.count) + fraction
    }
}
