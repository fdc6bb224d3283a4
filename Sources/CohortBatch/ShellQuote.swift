/// Quoting for `sh`, in the form that GNU parallel prints.
package enum ShellQuote {
    /// Bytes that need no quotes anywhere in a shell line.
    static func isPlain(_ byte: UInt8) -> Bool {
        ASCII.isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
    }

    /// `word` written so that the shell reads exactly these bytes as one word.
    package static func quote(_ word: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(word.count + 2)
        append(word, to: &output)
        return output
    }

    package static func quote(_ word: String) -> String {
        String(decoding: quote(Array(word.utf8)), as: UTF8.self)
    }

    /// Runs of single quotes are the one thing that single quotes cannot hold: each stands between double quotes.
    static func append(_ word: [UInt8], to output: inout [UInt8]) {
        if word.isEmpty {
            output += "''".utf8
            return
        }
        if word.allSatisfy(isPlain) {
            output += word
            return
        }
        let quote = UInt8(ascii: "'")
        // A quote at either end would leave an empty pair beside it.
        let startsQuoted = word.first != quote
        let endsQuoted = word.last != quote
        if startsQuoted { output.append(quote) }
        for (index, byte) in word.enumerated() {
            if byte == quote {
                if index > 0 { output.append(quote) }
                output += "\"'\"".utf8
                if index < word.count - 1 { output.append(quote) }
            } else {
                output.append(byte)
            }
        }
        if endsQuoted { output.append(quote) }
    }
}
