internal import FoundationEssentials

extension Timestamp {
    /// The present, by this machine's civil clock.
    package static var now: Timestamp {
        Timestamp(milliseconds: Int64((Date().timeIntervalSince1970 * 1_000).rounded(.down)))
    }

    /// The time from `earlier` to this one.
    package func since(_ earlier: Timestamp) -> Duration { .milliseconds(milliseconds - earlier.milliseconds) }

    /// The time `duration` before this one.
    package func earlier(by duration: Duration) -> Timestamp {
        let (seconds, attoseconds) = duration.components
        return Timestamp(milliseconds: milliseconds - seconds * 1_000 - attoseconds / 1_000_000_000_000_000)
    }
}
