/// Text with `{variable}` places, as the items of a `for_each` have it.
///
/// Only identifiers in braces count; other braces are text. `{{name}}` is the text `{name}`, and one more pair (`{{{name}}}`) puts
/// the value between braces. In a shell line `${name}` is the shell's own.
struct BraceTemplate {
    enum Piece: Equatable {
        case literal(String)
        /// Place of the variable in the item's `for_each`.
        case variable(Int)
    }

    /// A name in braces that no variable has.
    struct UnknownVariable: Error {
        var name: String
        var variables: [String]

        var message: String {
            let known = variables.map { "{\($0)}" }.joined(separator: ", ")
            let near = EditDistance.nearest(to: name, among: variables).map { "; did you mean '{\($0)}'?" } ?? ""
            return "unknown variable '{\(name)}': 'for_each' has \(known)\(near) (write '{{\(name)}}' for the text)"
        }
    }

    let pieces: [Piece]

    /// A text in which braces mean nothing.
    init(literal: String) {
        pieces = [.literal(literal)]
    }

    init(_ text: String, variables: [String], isShellLine: Bool = false) throws(UnknownVariable) {
        let bytes = Array(text.utf8)
        let open = UInt8(ascii: "{")
        let close = UInt8(ascii: "}")
        var pieces: [Piece] = []
        var literal: [UInt8] = []
        var index = 0
        while index < bytes.count {
            guard bytes[index] == open else {
                literal.append(bytes[index])
                index += 1
                continue
            }
            let opening = bytes[index...].prefix { $0 == open }.count
            let start = index + opening
            let name = bytes[start...].prefix(while: ASCII.continuesIdentifier)
            let closing = bytes[name.endIndex...].prefix { $0 == close }.count
            let pairs = min(opening, closing)
            let isShells = isShellLine && opening == 1 && literal.last == UInt8(ascii: "$")
            guard pairs > 0, let first = name.first, ASCII.startsIdentifier(first), !isShells else {
                literal += bytes[index..<name.endIndex]
                index = name.endIndex
                continue
            }
            // Braces without a partner are text, outside of those that have one; two pairs make one pair of text.
            literal += repeatElement(open, count: opening - pairs + pairs / 2)
            if pairs % 2 == 1 {
                let text = String(decoding: name, as: UTF8.self)
                guard let variable = variables.firstIndex(of: text) else {
                    throw UnknownVariable(name: text, variables: variables)
                }
                if !literal.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
                pieces.append(.variable(variable))
                literal = []
            } else {
                literal += name
            }
            literal += repeatElement(close, count: pairs / 2)
            index = name.endIndex + pairs
        }
        if !literal.isEmpty || pieces.isEmpty { pieces.append(.literal(String(decoding: literal, as: UTF8.self))) }
        self.pieces = pieces
    }

    var hasVariables: Bool {
        pieces.contains { if case .variable = $0 { true } else { false } }
    }

    /// The variable that is the whole of the text, if one is.
    var soleVariable: Int? {
        guard pieces.count == 1, case .variable(let index) = pieces[0] else { return nil }
        return index
    }

    /// The text with the values put in; `quoted` writes each of them as one word of the shell.
    func render(_ values: [ForEach.Value], quoted: Bool = false) -> String {
        if pieces.count == 1, case .literal(let text) = pieces[0] { return text }
        var output = ""
        for piece in pieces {
            switch piece {
            case .literal(let text): output += text
            case .variable(let index): output += quoted ? values[index].quoted : values[index].text
            }
        }
        return output
    }
}
