/// A set of numbers that come about in order: a bit for each, and no room for long stretches of which none has come.
struct IndexBits {
    /// 64 numbers each, by the first of them divided by 64.
    private var words: [UInt32: UInt64] = [:]

    func contains(_ index: UInt32) -> Bool { words[index / 64, default: 0] & Self.bit(index) != 0 }

    /// - Returns: whether it was not there before.
    mutating func insert(_ index: UInt32) -> Bool {
        let bit = Self.bit(index)
        let before = words[index / 64, default: 0]
        guard before & bit == 0 else { return false }
        words[index / 64] = before | bit
        return true
    }

    private static func bit(_ index: UInt32) -> UInt64 { 1 << UInt64(index % 64) }
}
