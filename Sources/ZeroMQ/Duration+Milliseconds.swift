extension Duration {
    /// Whole milliseconds, rounded up so that a short time never becomes none; nil if negative or above what a C `int` holds.
    var wholeMilliseconds: Int32? {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0, seconds <= Int64(Int32.max / 1000) else { return nil }
        let attosecondsInMillisecond: Int64 = 1_000_000_000_000_000
        let rounded = (attoseconds + attosecondsInMillisecond - 1) / attosecondsInMillisecond
        return Int32(exactly: seconds * 1000 + rounded)
    }
}
