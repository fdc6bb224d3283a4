/// Text from outside, made fit for a terminal: nothing in it moves the cursor, rings or turns the direction of writing.
package enum TerminalText {
    /// The text as lines. Colours are taken out, tabs become spaces; all other control characters are made visible.
    ///
    /// A carriage return ends a line as a line feed does, so that of a redrawn progress bar every state is a line.
    package static func lines(_ text: String) -> [String] {
        var lines: [String] = []
        var line = ""
        var column = 0
        var scalars = Substring(text).unicodeScalars
        while let scalar = scalars.popFirst() {
            switch scalar {
            case "\r", "\n":
                if scalar == "\r", scalars.first == "\n" { scalars.removeFirst() }
                lines.append(line)
                line = ""
                column = 0
            case "\t":
                let count = 8 - column % 8
                line.append(contentsOf: repeatElement(" ", count: count))
                column += count
            case "\u{1b}" where skipColour(in: &scalars):
                break
            default:
                if let stand = visible(scalar) {
                    line += stand
                    column += stand.unicodeScalars.count
                } else {
                    line.unicodeScalars.append(scalar)
                    column += 1
                }
            }
        }
        if !line.isEmpty { lines.append(line) }
        return lines
    }

    /// The text in one line; line breaks in it show as `␊` and `␍`.
    package static func harmless(_ text: String) -> String {
        var line = ""
        for scalar in text.unicodeScalars {
            if let stand = visible(scalar) { line += stand } else { line.unicodeScalars.append(scalar) }
        }
        return line
    }

    /// What stands for a scalar that must not reach the terminal; `nil` if it may.
    private static func visible(_ scalar: Unicode.Scalar) -> String? {
        switch scalar.value {
        case 0x00..<0x20: String(Unicode.Scalar(0x2400 + scalar.value)!)
        case 0x7f: "␡"
        // C1 controls; marks that turn the direction; line separators.
        case 0x80..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
            "<U+\(String(repeating: "0", count: scalar.value < 0x100 ? 2 : scalar.value < 0x1000 ? 1 : 0))"
                + "\(String(scalar.value, radix: 16, uppercase: true))>"
        default: nil
        }
    }

    /// Takes the rest of an escape sequence that only sets colours (`ESC [ … m`); leaves anything else untouched.
    private static func skipColour(in scalars: inout Substring.UnicodeScalarView) -> Bool {
        guard scalars.first == "[" else { return false }
        let rest = scalars.dropFirst().drop { ("0"..."9").contains($0) || $0 == ";" || $0 == ":" }
        guard rest.first == "m" else { return false }
        scalars = rest.dropFirst()
        return true
    }
}

// MARK: - Columns

extension TerminalText {
    /// How many columns of a terminal the text takes.
    package static func width(_ text: String) -> Int {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return text.utf8.count }
        return text.reduce(0) { $0 + width($1) }
    }

    private static func width(_ character: Character) -> Int {
        guard let first = character.unicodeScalars.first, !first.isASCII else { return 1 }
        switch first.properties.generalCategory {
        case .nonspacingMark, .enclosingMark, .format: return 0
        default: break
        }
        let isEmoji = first.properties.isEmojiPresentation || character.unicodeScalars.contains("\u{fe0f}")
        return isEmoji || isWide(first.value) ? 2 : 1
    }

    /// East Asian characters of double width.
    private static func isWide(_ value: UInt32) -> Bool {
        switch value {
        case 0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xa960...0xa97f, 0xac00...0xd7a3, 0xf900...0xfaff,
            0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x20000...0x3fffd:
            true
        default: false
        }
    }

    /// The text cut to so many columns, with `…` at its end if something is missing.
    package static func truncated(_ text: String, columns: Int) -> String {
        guard width(text) > columns else { return text }
        return columns < 1 ? "" : prefix(text[...], columns: columns - 1) + "…"
    }

    /// The text in pieces of at most so many columns; at least one piece.
    ///
    /// Breaks at the last space of a line, which is then left out, unless that would leave more than half of it empty.
    package static func wrapped(_ text: String, columns: Int) -> [String] {
        var pieces: [String] = []
        var rest = text[...]
        repeat {
            var piece = prefix(rest, columns: columns)
            // A character that is wider than the whole line goes out all the same.
            if piece.isEmpty { piece = rest.prefix(1) }
            var next = piece.endIndex
            if next < rest.endIndex, rest[next] == " " {
                next = rest.index(after: next)
            } else if next < rest.endIndex, let space = piece.lastIndex(of: " "),
                width(String(piece[..<space])) > columns / 2
            {
                piece = piece[..<space]
                next = rest.index(after: space)
            }
            pieces.append(String(piece))
            rest = rest[next...]
        } while !rest.isEmpty
        return pieces
    }

    private static func prefix(_ text: Substring, columns: Int) -> Substring {
        var taken = 0
        let end = text.indices.first { index in
            taken += width(text[index])
            return taken > columns
        }
        return text[..<(end ?? text.endIndex)]
    }
}
