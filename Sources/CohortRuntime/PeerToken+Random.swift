package import CohortCore

extension PeerToken {
    /// A fresh one.
    package static func random() -> PeerToken {
        var generator = SystemRandomNumberGenerator()
        return PeerToken(UInt64.random(in: 1 ... .max, using: &generator))
    }
}
