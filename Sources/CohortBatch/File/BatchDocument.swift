internal import Yams

/// The YAML or JSON document of a file: text in, tree of nodes with positions out.
enum BatchDocument {
    /// A syntax error with its place, without the file's name.
    struct SyntaxError: Error {
        var line: Int
        var column: Int
        var message: String
    }

    /// Parses the one document of `text`; `nil` if the text holds none.
    static func compose(_ text: String) throws(SyntaxError) -> Node? {
        let readable = joiningSurrogates(text)
        try AliasGuard.check(readable)
        return try parse(readable)
    }

    /// Parses without resolving scalars, which keeps the parser off its regular expressions: `CoreScalar` resolves them.
    static func parse(_ text: String) throws(SyntaxError) -> Node? {
        do {
            return try Parser(yaml: text, resolver: .basic, constructor: .default, encoding: .utf8).singleRoot()
        } catch let error as YamlError {
            throw translate(error, text: text)
        } catch {
            throw SyntaxError(line: 1, column: 1, message: "not valid YAML: \(error)")
        }
    }

    // MARK: JSON's own escapes

    /// Joins the escaped surrogate pairs of a JSON text (`\ud83d\ude00`) into YAML's one escape (`\U0001F600`).
    ///
    /// JSON writes characters beyond the basic plane as pairs, and YAML knows no pairs. In a JSON text a backslash
    /// stands in strings only, so that nothing else can be hit.
    private static func joiningSurrogates(_ text: String) -> String {
        let bytes = Array(text.utf8)
        let first = bytes.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) }
        guard first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return text }
        var output: [UInt8] = []
        var index = 0
        var copied = 0
        while let backslash = bytes[index...].firstIndex(of: UInt8(ascii: "\\")) {
            if let high = escapedUnit(bytes, at: backslash), high & 0xFC00 == 0xD800,
                let low = escapedUnit(bytes, at: backslash + 6), low & 0xFC00 == 0xDC00
            {
                let scalar = 0x10000 + (high & 0x3FF) << 10 + low & 0x3FF
                let digits = String(scalar, radix: 16, uppercase: true)
                output += bytes[copied..<backslash]
                output += "\\U".utf8
                output += String(repeating: "0", count: 8 - digits.count).utf8
                output += digits.utf8
                index = backslash + 12
                copied = index
            } else {
                index = min(backslash + 2, bytes.count)
            }
        }
        if copied == 0 { return text }
        output += bytes[copied...]
        return String(decoding: output, as: UTF8.self)
    }

    /// The code unit of a `\uXXXX` escape.
    private static func escapedUnit(_ bytes: [UInt8], at index: Int) -> UInt32? {
        guard index + 6 <= bytes.count, bytes[index] == UInt8(ascii: "\\"), bytes[index + 1] == UInt8(ascii: "u") else {
            return nil
        }
        let digits = bytes[(index + 2)..<(index + 6)]
        guard digits.allSatisfy({ Unicode.Scalar($0).properties.isASCIIHexDigit }) else { return nil }
        return UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    // MARK: Errors

    private static func translate(_ error: YamlError, text: String) -> SyntaxError {
        switch error {
        case .scanner(_, let problem, let mark, _) where problem.contains("nesting level"),
            .parser(_, let problem, let mark, _) where problem.contains("nesting level"):
            return SyntaxError(
                line: mark.line,
                column: mark.column,
                message: "the file is nested too deeply to be read"
            )
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let hint = hint(problem: problem, mark: mark, text: text)
            let lead = context.map { "\($0.text): " } ?? ""
            return SyntaxError(
                line: mark.line,
                column: mark.column,
                message: "not valid YAML: \(lead)\(problem)\(hint)"
            )
        case .composer(_, let problem, let mark, _):
            let message =
                problem.contains("another document")
                ? "a second document starts here: a file holds one, so put each in a file of its own"
                : problem.contains("undefined alias")
                    ? "this alias has no anchor before it: define '&name' first, or quote the text"
                    : "not valid YAML: \(problem)"
            return SyntaxError(line: mark.line, column: mark.column, message: message)
        case .duplicatedKeysInMapping(let duplicates, let context):
            return duplicate(keys: duplicates, first: context.mark, text: text)
        case .reader(let problem, let offset, _, _):
            let place = position(ofCharacter: offset, in: text)
            return SyntaxError(line: place.line, column: place.column, message: "not valid YAML: \(problem)")
        case .memory:
            return SyntaxError(line: 1, column: 1, message: "the file is nested too deeply to be read")
        default:
            return SyntaxError(line: 1, column: 1, message: "not valid YAML: \(error)")
        }
    }

    private static func hint(problem: String, mark: Mark, text: String) -> String {
        if problem.contains("cannot start any token") {
            let line = SourceText(fileName: "", text: text).line(mark.line) ?? []
            guard mark.column >= 1, mark.column <= line.count else { return "" }
            let found = line[mark.column - 1]
            return found == "\t"
                ? "; indent with spaces, not with tabs" : "; quote the text that starts with '\(found)'"
        }
        if problem.contains("mapping values are not allowed") {
            return "; check the indentation, or quote the text if ': ' belongs to it"
        }
        return ""
    }

    /// The parser tells where the key stands first; people look for the second one.
    private static func duplicate(keys: [String], first: Mark, text: String) -> SyntaxError {
        let key = keys.first ?? ""
        var message = "duplicate key '\(key)'"
        let source = SourceText(fileName: "", text: text)
        var number = first.line
        // Looking only so far keeps a file of a million lines from being searched again and again.
        while number < first.line + 1_000 {
            number += 1
            guard let line = source.line(number) else { break }
            let indent = line.prefix { $0 == " " }.count
            if indent == line.count || line[indent] == "#" { continue }
            if indent < first.column - 1 { break }
            let rest = String(String.UnicodeScalarView(line[indent...]))
            if indent == first.column - 1, ["", "\"", "'"].contains(where: { rest.hasPrefix("\($0)\(key)\($0):") }) {
                message += ": line \(first.line) has it already; remove one"
                return SyntaxError(line: number, column: first.column, message: message)
            }
        }
        return SyntaxError(line: first.line, column: first.column, message: message + ": remove one")
    }

    private static func position(ofCharacter offset: Int?, in text: String) -> (line: Int, column: Int) {
        guard let offset, let end = text.index(text.startIndex, offsetBy: offset, limitedBy: text.endIndex) else {
            return (1, 1)
        }
        var line = 1
        var column = 1
        for character in text[..<end] {
            if character.isNewline {
                line += 1
                column = 1
            } else {
                column += character.unicodeScalars.count
            }
        }
        return (line, column)
    }
}
