/// Why a text is not JSON, and where.
public struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Bytes before the place of the error.
    public var offset: Int
    /// From 1.
    public var line: Int
    /// From 1, in bytes.
    public var column: Int
    /// What is wrong there.
    public var reason: String

    /// The place and the reason in one line.
    public var description: String { "not JSON at line \(line), column \(column): \(reason)" }
}

extension JSONValue {
    /// How many arrays and objects may lie within each other.
    public static let maximumDepth = 512

    /// Parses one JSON text (RFC 8259), with white space around it and nothing else.
    ///
    /// Members keep their order. Of several with the same name the last one counts. Half a surrogate pair becomes
    /// U+FFFD.
    public init(parsing text: some Sequence<UInt8>) throws(JSONSyntaxError) {
        var parser = JSONParser(bytes: Array(text))
        self = try parser.parseDocument()
    }

    /// Parses one JSON text (RFC 8259), with white space around it and nothing else.
    public init(parsing text: String) throws(JSONSyntaxError) {
        try self.init(parsing: text.utf8)
    }
}

private struct JSONParser {
    private let bytes: [UInt8]
    private var at = 0
    private var depth = 0

    init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func parseDocument() throws(JSONSyntaxError) -> JSONValue {
        let value = try parseValue()
        skipSpace()
        guard at == bytes.count else { throw failure("unexpected text after the value") }
        return value
    }

    private mutating func parseValue() throws(JSONSyntaxError) -> JSONValue {
        skipSpace()
        guard let first = peek else { throw failure("a value is missing at the end") }
        switch first {
        case UInt8(ascii: "{"): return try nested { parser throws(JSONSyntaxError) in try parser.parseObject() }
        case UInt8(ascii: "["): return try nested { parser throws(JSONSyntaxError) in try parser.parseArray() }
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "t"): return try parse(word: "true", as: .bool(true))
        case UInt8(ascii: "f"): return try parse(word: "false", as: .bool(false))
        case UInt8(ascii: "n"): return try parse(word: "null", as: .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try parseNumber()
        default: throw failure("a value cannot begin like this")
        }
    }

    private mutating func nested(
        _ body: (inout JSONParser) throws(JSONSyntaxError) -> JSONValue
    ) throws(JSONSyntaxError) -> JSONValue {
        guard depth < JSONValue.maximumDepth else {
            throw failure("more than \(JSONValue.maximumDepth) arrays and objects within each other")
        }
        depth += 1
        at += 1
        let value = try body(&self)
        depth -= 1
        return value
    }

    private mutating func parseObject() throws(JSONSyntaxError) -> JSONValue {
        var members: [JSONObject.Member] = []
        skipSpace()
        if take("}") { return .object(JSONObject()) }
        repeat {
            skipSpace()
            guard peek == UInt8(ascii: "\"") else { throw failure("a member's name in double quotes is missing") }
            let key = try parseString()
            skipSpace()
            guard take(":") else { throw failure("':' is missing after the member's name") }
            members.append(JSONObject.Member(key: key, value: try parseValue()))
            skipSpace()
        } while take(",")
        guard take("}") else { throw failure("',' or '}' is missing") }
        return .object(JSONObject(members))
    }

    private mutating func parseArray() throws(JSONSyntaxError) -> JSONValue {
        var elements: [JSONValue] = []
        skipSpace()
        if take("]") { return .array([]) }
        repeat {
            elements.append(try parseValue())
            skipSpace()
        } while take(",")
        guard take("]") else { throw failure("',' or ']' is missing") }
        return .array(elements)
    }

    private mutating func parse(word: StaticString, as value: JSONValue) throws(JSONSyntaxError) -> JSONValue {
        let end = at + word.utf8CodeUnitCount
        guard end <= bytes.count, bytes[at..<end].elementsEqual(String(describing: word).utf8) else {
            throw failure("a value cannot begin like this")
        }
        at = end
        return value
    }

    // MARK: - Numbers

    private mutating func parseNumber() throws(JSONSyntaxError) -> JSONValue {
        let start = at
        _ = take("-")
        if !take("0") { try skipDigits() }
        var isWhole = true
        if take(".") {
            isWhole = false
            try skipDigits()
        }
        if take("e") || take("E") {
            isWhole = false
            if !take("+") { _ = take("-") }
            try skipDigits()
        }
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        if isWhole, let int = Int(text) { return .int(int) }
        guard let double = Double(text), double.isFinite else {
            at = start
            throw failure("the number is too large")
        }
        return .double(double)
    }

    private mutating func skipDigits() throws(JSONSyntaxError) {
        let start = at
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { at += 1 }
        guard at > start else { throw failure("a digit is missing") }
    }

    // MARK: - Strings

    private mutating func parseString() throws(JSONSyntaxError) -> String {
        let start = at
        at += 1
        var text: [UInt8] = []
        while let byte = peek {
            switch byte {
            case UInt8(ascii: "\""):
                at += 1
                guard let string = String(validating: text, as: UTF8.self) else {
                    at = start
                    throw failure("the string is not UTF-8")
                }
                return string
            case UInt8(ascii: "\\"):
                at += 1
                try parseEscape(into: &text)
            case 0..<0x20:
                throw failure("a control character in a string must be escaped")
            default:
                text.append(byte)
                at += 1
            }
        }
        at = start
        throw failure("the string does not end")
    }

    private mutating func parseEscape(into text: inout [UInt8]) throws(JSONSyntaxError) {
        guard let escape = peek else { throw failure("the string does not end") }
        at += 1
        switch escape {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(escape)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0c)
        case UInt8(ascii: "n"): text.append(0x0a)
        case UInt8(ascii: "r"): text.append(0x0d)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"): text.append(contentsOf: UTF8.encode(try parseScalar())!)
        default:
            at -= 1
            throw failure("no such escape")
        }
    }

    private mutating func parseScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try parseFourDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        let afterFirst = at
        if (0xD800..<0xDC00).contains(first), take("\\"), take("u") {
            let second = try parseFourDigits()
            if (0xDC00..<0xE000).contains(second) {
                let value = 0x10000 + ((UInt32(first) - 0xD800) << 10) + (UInt32(second) - 0xDC00)
                return Unicode.Scalar(value)!
            }
        }
        // What follows is not the other half: it stands for itself.
        at = afterFirst
        return "\u{FFFD}"
    }

    private mutating func parseFourDigits() throws(JSONSyntaxError) -> UInt16 {
        let end = at + 4
        guard end <= bytes.count else { throw failure("four hexadecimal digits are missing") }
        var value: UInt16 = 0
        while at < end {
            guard let digit = Character(Unicode.Scalar(bytes[at])).hexDigitValue else {
                throw failure("four hexadecimal digits are missing")
            }
            value = value << 4 | UInt16(digit)
            at += 1
        }
        return value
    }

    // MARK: - Bytes

    private var peek: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: scalar) else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while let byte = peek, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { at += 1 }
    }

    private func failure(_ reason: String) -> JSONSyntaxError {
        let before = bytes[..<min(at, bytes.count)]
        let newline = UInt8(ascii: "\n")
        let line = before.count { $0 == newline } + 1
        let lineStart = before.lastIndex(of: newline).map { $0 + 1 } ?? 0
        return JSONSyntaxError(offset: before.count, line: line, column: before.count - lineStart + 1, reason: reason)
    }
}
