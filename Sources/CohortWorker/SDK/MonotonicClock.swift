internal import CCohortProcess
internal import Glibc

/// The system's monotonic clock.
enum MonotonicClock {
    static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// From now to a reading of this clock; negative if that is past.
    static func timeLeft(until nanoseconds: UInt64) -> Duration {
        .nanoseconds(Int64(clamping: nanoseconds) - Int64(clamping: Self.nanoseconds()))
    }
}

extension UInt64 {
    /// The sum, or the greatest value there is.
    func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
