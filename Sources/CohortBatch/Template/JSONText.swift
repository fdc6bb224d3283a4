/// Writing and checking JSON text.
enum JSONText {
    /// The deepest nesting that is written or accepted.
    static let depthMax = 64

    /// Appends `text` with what JSON strings need escaped, without the quotes around it.
    static func appendEscaped(_ text: some Sequence<UInt8>, to output: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""): output += "\\\"".utf8
            case UInt8(ascii: "\\"): output += "\\\\".utf8
            case 0x0A: output += "\\n".utf8
            case 0x0D: output += "\\r".utf8
            case 0x09: output += "\\t".utf8
            case 0x00..<0x20:
                let digits = String(byte, radix: 16)
                output += "\\u".utf8
                output += String(repeating: "0", count: 4 - digits.count).utf8
                output += digits.utf8
            default: output.append(byte)
            }
        }
    }

    /// `text` as a JSON string.
    static func string(_ text: some Sequence<UInt8>) -> [UInt8] {
        var output = [UInt8(ascii: "\"")]
        appendEscaped(text, to: &output)
        output.append(UInt8(ascii: "\""))
        return output
    }

    /// Whether `text` is one JSON value, not nested deeper than `depthMax`.
    static func isValid(_ text: [UInt8]) -> Bool {
        var checker = JSONChecker(text)
        return checker.takeDocument()
    }
}

/// Reads over JSON text by RFC 8259's grammar. It keeps nothing: only whether the text is valid is asked.
private struct JSONChecker {
    private let bytes: [UInt8]
    private var index = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func takeDocument() -> Bool {
        guard String(validating: bytes, as: UTF8.self) != nil, takeValue(depth: 0) else { return false }
        skipSpace()
        return index == bytes.count
    }

    private var next: UInt8? {
        index < bytes.count ? bytes[index] : nil
    }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            index += 1
        }
    }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard index + count <= bytes.count else { return false }
        for offset in 0..<count where text.utf8Start[offset] != bytes[index + offset] {
            return false
        }
        index += count
        return true
    }

    private mutating func takeValue(depth: Int) -> Bool {
        guard depth <= JSONText.depthMax else { return false }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return takeItems(closing: UInt8(ascii: "}"), keyed: true, depth: depth)
        case UInt8(ascii: "["): return takeItems(closing: UInt8(ascii: "]"), keyed: false, depth: depth)
        case UInt8(ascii: "\""): return takeString()
        case UInt8(ascii: "t"): return take("true")
        case UInt8(ascii: "f"): return take("false")
        case UInt8(ascii: "n"): return take("null")
        default: return takeNumber()
        }
    }

    private mutating func takeItems(closing: UInt8, keyed: Bool, depth: Int) -> Bool {
        index += 1
        skipSpace()
        if next == closing {
            index += 1
            return true
        }
        while true {
            if keyed {
                skipSpace()
                guard takeString() else { return false }
                skipSpace()
                guard take(":") else { return false }
            }
            guard takeValue(depth: depth + 1) else { return false }
            skipSpace()
            if next == closing {
                index += 1
                return true
            }
            guard take(",") else { return false }
        }
    }

    private mutating func takeString() -> Bool {
        guard take("\"") else { return false }
        while let byte = next {
            index += 1
            switch byte {
            case UInt8(ascii: "\""): return true
            case 0x00..<0x20: return false
            case UInt8(ascii: "\\"):
                guard let escape = next else { return false }
                index += 1
                if escape == UInt8(ascii: "u") {
                    guard index + 4 <= bytes.count else { return false }
                    for digit in bytes[index..<(index + 4)] where !Unicode.Scalar(digit).properties.isASCIIHexDigit {
                        return false
                    }
                    index += 4
                } else if !"\"\\/bfnrt".utf8.contains(escape) {
                    return false
                }
            default: continue
            }
        }
        return false
    }

    private mutating func takeDigits() -> Bool {
        let start = index
        while let byte = next, ASCII.isDigit(byte) {
            index += 1
        }
        return index > start
    }

    private mutating func takeNumber() -> Bool {
        _ = take("-")
        if next == UInt8(ascii: "0") {
            index += 1
        } else if !takeDigits() {
            return false
        }
        if take(".") && !takeDigits() { return false }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            return takeDigits()
        }
        return true
    }
}
