internal import Yams

/// The text of a batch file and what is needed to point into it.
struct SourceText {
    let fileName: String
    let text: String

    /// The longest piece of a line that a frame shows, in Unicode scalars.
    private static let frameWidthMax = 160

    func location(_ mark: Mark?) -> SourceLocation {
        SourceLocation(file: fileName, line: mark?.line ?? 1, column: mark?.column ?? 1)
    }

    /// Words of the file that stand in a message may have line breaks in them.
    private static func oneLine(_ message: String) -> String {
        guard message.contains(where: \.isNewline) else { return message }
        return String(message.flatMap { $0.isNewline ? "\\n" : String($0) })
    }

    func diagnostic(line: Int, column: Int, _ message: String) -> BatchDiagnostic {
        var line = line
        var column = column
        // The parser puts the end of the text on a line of its own.
        if line > 1, self.line(line) == nil, let last = self.line(line - 1) {
            line -= 1
            column = last.count + 1
        }
        return BatchDiagnostic(
            file: fileName,
            line: line,
            column: column,
            message: Self.oneLine(message),
            frame: frame(line: line, column: column)
        )
    }

    /// The line with a caret under the column, or `nil` if the text has no such line.
    ///
    /// Long lines are cut around the column, and control characters are shown as `?`: a file must not steer the terminal.
    private func frame(line: Int, column: Int) -> String? {
        guard let scalars = self.line(line) else { return nil }
        let place = min(max(column - 1, 0), scalars.count)
        let start = max(0, place - Self.frameWidthMax / 2)
        let end = min(scalars.count, start + Self.frameWidthMax)
        var shown = String.UnicodeScalarView()
        var padding = ""
        for index in start..<end {
            let scalar = scalars[index]
            let isControl = scalar.properties.generalCategory == .control
            shown.append(scalar == "\t" ? scalar : isControl ? "?" : scalar)
            if index < place { padding += scalar == "\t" ? "\t" : " " }
        }
        let number = String(line)
        let gutter = String(repeating: " ", count: number.count)
        return "  \(number) | \(String(shown))\n  \(gutter) | \(padding)^"
    }

    /// The scalars of a line without its end. Lines end where the YAML parser ends them, or its line numbers would not fit.
    func line(_ number: Int) -> [Unicode.Scalar]? {
        var current = 1
        var scalars: [Unicode.Scalar] = []
        var afterReturn = false
        for scalar in text.unicodeScalars {
            if afterReturn {
                afterReturn = false
                if scalar == "\n" { continue }
            }
            switch scalar {
            case "\r", "\n", "\u{85}", "\u{2028}", "\u{2029}":
                if current == number { return scalars }
                current += 1
                afterReturn = scalar == "\r"
            default:
                if current == number { scalars.append(scalar) }
            }
        }
        return current == number ? scalars : nil
    }
}
