/// A replacement string: `{}`, `{.}`, `{/}`, `{//}`, `{/.}`, the same with a position (`{2/.}`), `{#}` or `{%}`.
enum Replacement: Equatable {
    enum Part: Equatable {
        case whole
        case withoutExtension
        case base
        case directory
        case baseWithoutExtension

        func of(_ value: [UInt8]) -> ArraySlice<UInt8> {
            switch self {
            case .whole: value[...]
            case .withoutExtension: PathParts.withoutExtension(value[...])
            case .base: PathParts.base(of: value[...])
            case .directory: PathParts.directory(of: value[...])
            case .baseWithoutExtension: PathParts.withoutExtension(PathParts.base(of: value[...]))
            }
        }
    }

    /// Every value of the item, with spaces between.
    case all(Part)
    /// The value of one source, from 0.
    case source(Int, Part)
    /// The item's number.
    case number
    /// The slot that runs the task, known only when it runs.
    case slot

    /// Reads the replacement string at the start of `bytes`.
    ///
    /// - Returns: `nil` if the brace there is text.
    /// - Throws: `TemplateError` for a position that none of the sources has.
    static func take(
        from bytes: inout ArraySlice<UInt8>,
        sourceCount: Int
    ) throws(TemplateError) -> Replacement? {
        guard let end = bytes.firstIndex(of: UInt8(ascii: "}")), bytes.first == UInt8(ascii: "{") else { return nil }
        let body = bytes[(bytes.startIndex + 1)..<end]
        let isNegative = body.first == UInt8(ascii: "-")
        let digits = body.dropFirst(isNegative ? 1 : 0).prefix(while: ASCII.isDigit)
        let rest = body[digits.endIndex...]
        if digits.isEmpty && isNegative { return nil }
        if digits.isEmpty, let own: Replacement = ["#": .number, "%": .slot][String(decoding: rest, as: UTF8.self)] {
            bytes = bytes[(end + 1)...]
            return own
        }
        guard let part = part(rest) else { return nil }
        let text = String(decoding: bytes[...end], as: UTF8.self)
        bytes = bytes[(end + 1)...]
        if digits.isEmpty { return .all(part) }
        // More digits than an `Int` holds are a position that no source has.
        let position = Int(String(decoding: digits, as: UTF8.self)) ?? Int.max
        guard position >= 1, position <= sourceCount else {
            let sources = sourceCount == 1 ? "there is 1 input source" : "there are \(sourceCount) input sources"
            throw TemplateError("'\(text)' names no input source: \(sources), counted from 1")
        }
        return .source(isNegative ? sourceCount - position : position - 1, part)
    }

    private static func part(_ bytes: ArraySlice<UInt8>) -> Part? {
        switch String(decoding: bytes, as: UTF8.self) {
        case "": .whole
        case ".": .withoutExtension
        case "/": .base
        case "//": .directory
        case "/.": .baseWithoutExtension
        default: nil
        }
    }
}
