/// A set of small numbers that come about in order: a bit for each.
struct IndexBits {
    private var words: [UInt64] = []

    func contains(_ index: UInt32) -> Bool {
        let word = Int(index / 64)
        return words.indices.contains(word) && words[word] & 1 << UInt64(index % 64) != 0
    }

    /// - Returns: whether it was not there before.
    mutating func insert(_ index: UInt32) -> Bool {
        let word = Int(index / 64)
        if word >= words.count { words.append(contentsOf: repeatElement(0, count: word + 1 - words.count)) }
        let bit: UInt64 = 1 << UInt64(index % 64)
        guard words[word] & bit == 0 else { return false }
        words[word] |= bit
        return true
    }
}
