extension Duration {
    /// Seconds, rounded to the microsecond first: what is written to JSON then reads `1.02`, not `1.0199999999999998`.
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        let microseconds = (Double(attoseconds) / 1e12).rounded()
        return (Double(seconds) * 1e6 + microseconds) / 1e6
    }

    /// The inverse of `inSeconds`; `nil` for what no clock shows: an infinite number, NaN, or more than 10 million years.
    init?(inSeconds seconds: Double) {
        guard seconds.magnitude < 3e14 else { return nil }
        let whole = seconds.rounded(.towardZero)
        let microseconds = ((seconds - whole) * 1e6).rounded()
        self = .seconds(Int64(whole)) + .microseconds(Int64(microseconds))
    }
}

extension KeyedDecodingContainer {
    func decodeSeconds(forKey key: Key) throws -> Duration {
        guard let duration = Duration(inSeconds: try decode(Double.self, forKey: key)) else {
            throw DecodingError.dataCorruptedError(
                forKey: key,
                in: self,
                debugDescription: "the number of seconds is out of range"
            )
        }
        return duration
    }

    func decodeSecondsIfPresent(forKey key: Key) throws -> Duration? {
        guard contains(key), try !decodeNil(forKey: key) else { return nil }
        return try decodeSeconds(forKey: key)
    }
}
