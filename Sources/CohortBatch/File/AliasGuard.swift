internal import Yams

/// Refuses aliases where they could make parsing itself explode: as keys of maps.
///
/// Nested aliases let a file of a kilobyte stand for billions of values. As values they share storage and `BatchReader`
/// counts what it visits; as keys the parser hashes them in full, before anybody can count. So the text is parsed once
/// with every alias turned into a plain word of the same length, and only what passes is parsed for real.
enum AliasGuard {
    static func check(_ text: String) throws(BatchDocument.SyntaxError) {
        guard let masked = masking(text), let root = try BatchDocument.parse(masked) else { return }
        let stars = starPositions(in: text)
        try walk(root, isKey: false, stars: stars)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        ASCII.continuesIdentifier(byte) || byte == UInt8(ascii: "-")
    }

    /// `text` with `_` for every `*` that a name follows; `nil` if there is none. What it does to the insides of strings is
    /// of no consequence: only the shape of this parse is used.
    private static func masking(_ text: String) -> String? {
        var bytes = Array(text.utf8)
        var found = false
        for index in bytes.indices.dropLast() where bytes[index] == UInt8(ascii: "*") && isNameByte(bytes[index + 1]) {
            bytes[index] = UInt8(ascii: "_")
            found = true
        }
        return found ? String(decoding: bytes, as: UTF8.self) : nil
    }

    private struct Position: Hashable {
        var line: Int
        var column: Int
    }

    /// Where the masked stars stand, with the alias that each starts.
    private static func starPositions(in text: String) -> [Position: String] {
        var positions: [Position: String] = [:]
        var line = 1
        var column = 1
        var afterReturn = false
        let scalars = text.unicodeScalars
        for index in scalars.indices {
            let scalar = scalars[index]
            defer { afterReturn = scalar == "\r" }
            switch scalar {
            case "\n" where afterReturn:
                break
            case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}":
                line += 1
                column = 1
            default:
                if scalar == "*" {
                    let name = scalars[scalars.index(after: index)...].prefix {
                        $0.isASCII && isNameByte(UInt8($0.value))
                    }
                    if !name.isEmpty { positions[Position(line: line, column: column)] = String(name) }
                }
                column += 1
            }
        }
        return positions
    }

    private static func walk(_ node: Node, isKey: Bool, stars: [Position: String]) throws(BatchDocument.SyntaxError) {
        switch node {
        case .scalar(let scalar):
            guard scalar.style == .plain, let mark = scalar.mark,
                let name = stars[Position(line: mark.line, column: mark.column)]
            else { return }
            if isKey {
                throw BatchDocument.SyntaxError(
                    line: mark.line,
                    column: mark.column,
                    message: "an alias cannot be a key: write the key out"
                )
            }
            if scalar.string != "_" + name {
                throw BatchDocument.SyntaxError(
                    line: mark.line,
                    column: mark.column,
                    message: "'*\(name)' is an alias and nothing may follow it: quote the text if it is none"
                )
            }
        case .sequence(let sequence):
            if isKey { throw complexKey(node.mark) }
            for child in sequence {
                try walk(child, isKey: false, stars: stars)
            }
        case .mapping(let mapping):
            if isKey { throw complexKey(node.mark) }
            for (key, value) in mapping {
                try walk(key, isKey: true, stars: stars)
                try walk(value, isKey: false, stars: stars)
            }
        case .alias:
            return
        }
    }

    private static func complexKey(_ mark: Mark?) -> BatchDocument.SyntaxError {
        BatchDocument.SyntaxError(
            line: mark?.line ?? 1,
            column: mark?.column ?? 1,
            message: "a key must be a word, not a list or a map"
        )
    }
}
