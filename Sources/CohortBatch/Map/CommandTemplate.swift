/// The command of a `cohort map` with its replacement strings, in GNU parallel's grammar.
///
/// The words of the command are joined by spaces into a line for `sh -c`, in which each value is quoted as one word. As in
/// parallel, `{}` is appended where the command has no replacement string at all; and where the very first word holds one, the
/// values are (parts of) commands themselves and are put in without quotes.
package struct CommandTemplate: Sendable, Equatable {
    enum Piece: Equatable, Sendable {
        case literal([UInt8])
        case replacement(Replacement)
    }

    let pieces: [Piece]
    /// Values go in as they are, because they are commands.
    let valuesAreCommands: Bool
    /// How to run it without a shell, if that comes to the same.
    let directWords: DirectWords?

    /// Whether `{%}` occurs: the shell line then reads `COHORT_SLOT` from its environment, as the slot is known only when it runs.
    package var needsSlot: Bool {
        pieces.contains(.replacement(.slot))
    }

    /// - Parameters:
    ///   - command: the words before the first input source; may be empty, and then the values are the commands.
    ///   - sourceCount: how many input sources there are, 1 or more.
    package init(command: [[UInt8]], sourceCount: Int) throws(TemplateError) {
        var line: [UInt8] = []
        for (index, word) in command.enumerated() {
            if word.contains(0) { throw TemplateError("the command has a NUL byte, which no program can be given") }
            if index > 0 { line.append(UInt8(ascii: " ")) }
            line += word
        }
        var pieces = try Self.pieces(of: line, sourceCount: sourceCount)
        if !pieces.contains(where: { if case .replacement = $0 { true } else { false } }) {
            if !command.isEmpty { pieces.append(.literal([UInt8(ascii: " ")])) }
            pieces.append(.replacement(.all(.whole)))
        }
        self.pieces = pieces
        valuesAreCommands = Self.firstWordHasReplacement(pieces)
        directWords = valuesAreCommands ? nil : DirectWords(pieces)
    }

    /// `init` for words that are text.
    package init(command: [String], sourceCount: Int) throws(TemplateError) {
        var bytes: [[UInt8]] = []
        for word in command {
            bytes.append(Array(word.utf8))
        }
        try self.init(command: bytes, sourceCount: sourceCount)
    }

    /// The line for `sh -c`, without NUL bytes if the values have none.
    package func render(_ item: MapItem) -> [UInt8] {
        var output: [UInt8] = []
        var quotes = QuoteState()
        for piece in pieces {
            switch piece {
            case .literal(let bytes):
                quotes.read(bytes)
                output += bytes
            case .replacement(.number):
                output += String(item.number).utf8
            case .replacement(.slot):
                output += quotes.slotExpansion.utf8
            case .replacement(.all(let part)):
                for (index, value) in item.values.enumerated() {
                    if index > 0 { output.append(UInt8(ascii: " ")) }
                    append(part.of(value), to: &output, &quotes)
                }
            case .replacement(.source(let source, let part)):
                append(part.of(item.values[source]), to: &output, &quotes)
            }
        }
        return output
    }

    /// What to run for an item: the program itself where a shell would do nothing but start it, the shell line otherwise.
    package func renderedWork(for item: MapItem) -> Work {
        if let words = directWords?.render(item) {
            return .argv(words)
        }
        return .shell(render(item))
    }

    private func append(_ value: ArraySlice<UInt8>, to output: inout [UInt8], _ quotes: inout QuoteState) {
        if valuesAreCommands {
            quotes.read(value)
            output += value
        } else {
            ShellQuote.append(Array(value), to: &output)
        }
    }

    static func pieces(of line: [UInt8], sourceCount: Int) throws(TemplateError) -> [Piece] {
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var rest = line[...]
        while let byte = rest.first {
            if byte == UInt8(ascii: "{"), let found = try Replacement.take(from: &rest, sourceCount: sourceCount) {
                if !literal.isEmpty { pieces.append(.literal(literal)) }
                literal = []
                pieces.append(.replacement(found))
            } else {
                literal.append(byte)
                rest = rest.dropFirst()
            }
        }
        if !literal.isEmpty { pieces.append(.literal(literal)) }
        return pieces
    }

    private static func firstWordHasReplacement(_ pieces: [Piece]) -> Bool {
        for piece in pieces {
            switch piece {
            case .replacement: return true
            case .literal(let bytes):
                if bytes.contains(where: { $0 == 0x20 || (0x09...0x0D).contains($0) }) { return false }
            }
        }
        return false
    }
}

/// Inside which quotes the text read so far has come to, by the rules of `sh`.
///
/// Quoted values need not be read: they are closed in themselves and leave the state as it was.
private struct QuoteState {
    private enum State {
        case none
        case single
        case double
    }

    private var state = State.none
    private var isEscaped = false

    mutating func read(_ bytes: some Sequence<UInt8>) {
        for byte in bytes {
            if isEscaped {
                isEscaped = false
                continue
            }
            switch (state, byte) {
            case (.none, UInt8(ascii: "'")): state = .single
            case (.none, UInt8(ascii: "\"")): state = .double
            case (.single, UInt8(ascii: "'")), (.double, UInt8(ascii: "\"")): state = .none
            case (.none, UInt8(ascii: "\\")), (.double, UInt8(ascii: "\\")): isEscaped = true
            default: break
            }
        }
    }

    /// The slot's number, written so that the shell expands it here and keeps the quotes as they are.
    var slotExpansion: String {
        switch state {
        case .none: "\"$COHORT_SLOT\""
        case .single: "'\"$COHORT_SLOT\"'"
        case .double: "${COHORT_SLOT}"
        }
    }
}
