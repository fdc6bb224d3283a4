/// JSON text with places for values.
struct JSONTemplate {
    enum Piece: Equatable {
        case literal([UInt8])
        /// A variable inside a string.
        case text(Int)
        /// A variable that is a value of its own, with the type it has.
        case value(Int)
    }

    private(set) var pieces: [Piece] = []

    mutating func append(_ bytes: some Sequence<UInt8>) {
        if case .literal(var literal) = pieces.last {
            pieces.removeLast()
            literal += bytes
            pieces.append(.literal(literal))
        } else {
            pieces.append(.literal(Array(bytes)))
        }
    }

    /// A string; one that is nothing but a variable becomes the variable's value with its type.
    mutating func append(_ template: BraceTemplate) {
        if let variable = template.soleVariable {
            pieces.append(.value(variable))
            return
        }
        append(CollectionOfOne(UInt8(ascii: "\"")))
        for piece in template.pieces {
            switch piece {
            case .literal(let text):
                var escaped: [UInt8] = []
                JSONText.appendEscaped(text.utf8, to: &escaped)
                append(escaped)
            case .variable(let index):
                pieces.append(.text(index))
            }
        }
        append(CollectionOfOne(UInt8(ascii: "\"")))
    }

    func render(_ values: [ForEach.Value]) -> [UInt8] {
        if pieces.count == 1, case .literal(let bytes) = pieces[0] { return bytes }
        var output: [UInt8] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): output += bytes
            case .text(let index): JSONText.appendEscaped(values[index].text.utf8, to: &output)
            case .value(let index): output += values[index].json
            }
        }
        return output
    }
}
