/// The JSON argument of the calls of a `cohort map --call`, with the replacement strings of `CommandTemplate`.
///
/// - Inside a JSON string, a replacement string is replaced by the value with JSON's escapes.
/// - Outside of strings, `{#}` is the item's number, and `{1}`, `{2/.}`, … stand for a whole JSON value: the value as it is if it is
///   JSON itself (`12`, `true`, `[1]`), a string otherwise. `{}` is JSON's empty object there.
/// - A template has a replacement string, or all calls would be the same.
/// - Without a template the argument is the value as a string, or a list of strings if there are several sources.
package struct CallTemplate: Sendable, Equatable {
    private enum Piece: Sendable, Equatable {
        case literal([UInt8])
        /// Inside a string.
        case text(Replacement)
        /// In place of a value.
        case value(Replacement)
    }

    package let function: String
    /// `nil` for the values themselves.
    private let pieces: [Piece]?

    /// - Parameters:
    ///   - arguments: JSON text with replacement strings; `nil` passes the values themselves.
    ///   - sourceCount: how many input sources there are, 1 or more.
    package init(function: String, arguments: String?, sourceCount: Int) throws(TemplateError) {
        if function.isEmpty { throw TemplateError("the function's name is empty: name a function") }
        self.function = function
        guard let arguments else {
            pieces = nil
            return
        }
        let pieces = try Self.pieces(of: Array(arguments.utf8), sourceCount: sourceCount)
        self.pieces = pieces
        let probe = MapItem(number: 1, values: Array(repeating: Array("x".utf8), count: sourceCount))
        guard JSONText.isValid(try Self.render(pieces, probe)) else {
            throw TemplateError("'\(arguments)' is no JSON: strings need double quotes, such as {\"file\": \"{}\"}")
        }
        if pieces.allSatisfy({ if case .literal = $0 { true } else { false } }) {
            throw TemplateError(
                "'\(arguments)' has no replacement string, so that all calls would be the same: write {1} for the value, or "
                    + "\"{}\" for it as a string"
            )
        }
    }

    /// The call for an item. Throws for a value that is not UTF-8, which JSON cannot hold.
    package func renderedWork(for item: MapItem) throws(TemplateError) -> Work {
        for value in item.values where String(validating: value, as: UTF8.self) == nil {
            let shown = String(decoding: value, as: UTF8.self)
            throw TemplateError("value '\(shown)' of item \(item.number) is not UTF-8, which JSON cannot hold")
        }
        if let pieces {
            return .call(function: function, arguments: try Self.render(pieces, item))
        }
        if item.values.count == 1 {
            return .call(function: function, arguments: JSONText.string(item.values[0]))
        }
        var output = [UInt8(ascii: "[")]
        for (index, value) in item.values.enumerated() {
            if index > 0 { output.append(UInt8(ascii: ",")) }
            output += JSONText.string(value)
        }
        output.append(UInt8(ascii: "]"))
        return .call(function: function, arguments: output)
    }

    private static func pieces(of text: [UInt8], sourceCount: Int) throws(TemplateError) -> [Piece] {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var rest = text[...]
        var isInString = false
        while let byte = rest.first {
            var found: Replacement?
            if byte == UInt8(ascii: "{") {
                let before = rest
                found = try Replacement.take(from: &rest, sourceCount: sourceCount)
                if !isInString, found == .all(.whole) {
                    found = nil
                    rest = before
                }
            }
            if let found {
                if found == .slot {
                    throw TemplateError("'{%}' is for commands: a call learns its slot from its context")
                }
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = []
                pieces.append(isInString ? .text(found) : .value(found))
                continue
            }
            if isInString, byte == UInt8(ascii: "\\") {
                // An escaped quote does not end the string.
                literal += rest.prefix(2)
                rest = rest.dropFirst(2)
                continue
            }
            if byte == UInt8(ascii: "\"") { isInString.toggle() }
            literal.append(byte)
            rest = rest.dropFirst()
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private static func render(_ pieces: [Piece], _ item: MapItem) throws(TemplateError) -> [UInt8] {
        var output: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): output += bytes
            case .text(let replacement): JSONText.appendEscaped(text(of: replacement, item), to: &output)
            case .value(.number): output += String(item.number).utf8
            case .value(let replacement):
                let value = text(of: replacement, item)
                output += JSONText.isValid(value) ? value : JSONText.string(value)
            }
        }
        return output
    }

    /// What a replacement string stands for, several values with spaces between.
    private static func text(of replacement: Replacement, _ item: MapItem) -> [UInt8] {
        switch replacement {
        case .number: return Array(String(item.number).utf8)
        case .source(let source, let part): return Array(part.of(item.values[source]))
        case .slot: return []
        case .all(let part):
            var output: [UInt8] = []
            for (index, value) in item.values.enumerated() {
                if index > 0 { output.append(UInt8(ascii: " ")) }
                output += part.of(value)
            }
            return output
        }
    }
}
