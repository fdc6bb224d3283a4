/// Text from what a program wrote.
package enum OutputText {
    /// Decodes bytes that need not be UTF-8; what is not becomes U+FFFD.
    ///
    /// `isTail` says that bytes before these were dropped: the rest of a character that was cut in two then goes as well,
    /// rather than showing as up to three U+FFFD.
    package static func decode(_ bytes: some Collection<UInt8>, isTail: Bool = false) -> String {
        guard isTail else { return String(decoding: bytes, as: UTF8.self) }
        let isContinuation = { (byte: UInt8) in byte & 0b1100_0000 == 0b1000_0000 }
        let cut = bytes.prefix(3).prefix(while: isContinuation).count
        return String(decoding: bytes.dropFirst(cut), as: UTF8.self)
    }
}
