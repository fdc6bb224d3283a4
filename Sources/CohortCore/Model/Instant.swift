/// A point on the monotonic clock of one process, in nanoseconds.
///
/// Instants never travel: frames carry durations, and each receiver measures them on its own clock (ruling R13).
package struct Instant: Sendable, Hashable, Comparable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }

    /// The instant `span` later; saturates instead of overflowing, so an absurd deadline means "never".
    package func advanced(by span: TimeSpan) -> Instant {
        let (sum, overflow) = nanoseconds.addingReportingOverflow(span.nanoseconds)
        return Instant(nanoseconds: overflow ? .max : sum)
    }

    /// The time from `earlier` to this instant; zero if `earlier` lies ahead.
    package func since(_ earlier: Instant) -> TimeSpan {
        TimeSpan(nanoseconds: nanoseconds > earlier.nanoseconds ? nanoseconds - earlier.nanoseconds : 0)
    }
}

/// A length of time in nanoseconds, never negative.
///
/// `Duration` of the standard library counts attoseconds in 128 bits; records of which there are a million want eight bytes.
package struct TimeSpan: Sendable, Hashable, Comparable {
    package var nanoseconds: UInt64

    package init(nanoseconds: UInt64) {
        self.nanoseconds = nanoseconds
    }

    package init(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        guard seconds >= 0, attoseconds >= 0 else {
            self.nanoseconds = 0
            return
        }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carried) = whole.addingReportingOverflow(UInt64(attoseconds) / 1_000_000_000)
        self.nanoseconds = overflow || carried ? .max : sum
    }

    package var duration: Duration {
        .seconds(Int64(nanoseconds / 1_000_000_000)) + .nanoseconds(Int64(nanoseconds % 1_000_000_000))
    }

    package var seconds: Double { Double(nanoseconds) / 1e9 }

    /// For people: `10 s`, `0.3 s`.
    package var inWords: String {
        nanoseconds % 1_000_000_000 == 0 ? "\(nanoseconds / 1_000_000_000) s" : "\(seconds) s"
    }

    package var half: TimeSpan { TimeSpan(nanoseconds: nanoseconds / 2) }

    package static let zero = TimeSpan(nanoseconds: 0)

    package static func seconds(_ count: UInt64) -> TimeSpan {
        saturating(count, 1_000_000_000)
    }

    package static func milliseconds(_ count: UInt64) -> TimeSpan {
        saturating(count, 1_000_000)
    }

    /// An absurd number means "for ever", not whatever is left of it after the overflow.
    private static func saturating(_ count: UInt64, _ unit: UInt64) -> TimeSpan {
        let (product, overflow) = count.multipliedReportingOverflow(by: unit)
        return TimeSpan(nanoseconds: overflow ? .max : product)
    }

    package static func < (left: TimeSpan, right: TimeSpan) -> Bool { left.nanoseconds < right.nanoseconds }
}
