internal import Glibc

extension Timestamp {
    /// The present, by this machine's civil clock.
    package static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time `duration` before this one.
    package func earlier(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(milliseconds: milliseconds - seconds * 1_000 - attoseconds / 1_000_000_000_000_000)
    }
}
