internal import Yams

/// A scalar typed by YAML 1.2's core schema: `no` is a word, not false, and dates are text.
enum CoreScalar: Equatable {
    case null
    case bool(Bool)
    /// The digits as JSON writes them, so that numbers of any size survive.
    case integer(json: String)
    case float(json: String)
    /// Infinity or not a number, which JSON cannot say.
    case notFinite
    case string
    /// The scalar has a tag that is none of the core schema's, or that its text does not fit.
    case badTag(String)

    init(_ scalar: Node.Scalar) {
        let tag = Tag.Name(rawValue: scalar.tag.rawValue)
        switch tag {
        case .implicit:
            self = scalar.style == .plain ? Self.resolve(scalar.string) : .string
        case .str, .nonSpecific:
            self = .string
        case .null, .bool, .int, .float:
            let resolved = Self.resolve(scalar.string)
            let fits =
                switch resolved {
                case .null: tag == .null
                case .bool: tag == .bool
                case .integer: tag == .int || tag == .float
                case .float, .notFinite: tag == .float
                case .string, .badTag: false
                }
            self = fits ? resolved : .badTag(tag.rawValue)
        default:
            self = .badTag(tag.rawValue)
        }
    }

    /// Types the text of a plain scalar.
    static func resolve(_ text: String) -> CoreScalar {
        switch text {
        case "", "~", "null", "Null", "NULL": return .null
        case "true", "True", "TRUE": return .bool(true)
        case "false", "False", "FALSE": return .bool(false)
        case ".nan", ".NaN", ".NAN": return .notFinite
        default: break
        }
        // Nearly every scalar is a word: one look at the first byte spares the rest.
        guard let first = text.utf8.first, (0x30...0x39).contains(first) || [0x2B, 0x2D, 0x2E].contains(first) else {
            return .string
        }
        if let json = prefixedInteger(text) { return .integer(json: json) }
        return number(text)
    }

    /// `0x1F` and `0o17`.
    private static func prefixedInteger(_ text: String) -> String? {
        let radix = text.hasPrefix("0x") ? 16 : text.hasPrefix("0o") ? 8 : 0
        guard radix != 0 else { return nil }
        let digits = text.dropFirst(2)
        guard let first = digits.first, first.isHexDigit, let value = UInt64(digits, radix: radix) else { return nil }
        return String(value)
    }

    /// Decimal integers and floats, by the schema's two patterns.
    private static func number(_ text: String) -> CoreScalar {
        var rest = Array(text.utf8)[...]
        let sign = rest.first == UInt8(ascii: "-") ? "-" : ""
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        if [".inf", ".Inf", ".INF"].contains(where: { rest.elementsEqual($0.utf8) }) { return .notFinite }
        func takeDigits() -> ArraySlice<UInt8> {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            rest = rest.dropFirst(digits.count)
            return digits
        }
        let whole = takeDigits()
        // JSON has no leading zeros, and needs at least one digit.
        let trimmed = String(decoding: whole.drop { $0 == UInt8(ascii: "0") }, as: UTF8.self)
        let wholeText = sign + (trimmed.isEmpty ? "0" : trimmed)
        if rest.isEmpty { return whole.isEmpty ? .string : .integer(json: wholeText) }
        var fractionText = "0"
        if rest.first == UInt8(ascii: ".") {
            rest = rest.dropFirst()
            let fraction = takeDigits()
            if whole.isEmpty && fraction.isEmpty { return .string }
            if !fraction.isEmpty { fractionText = String(decoding: fraction, as: UTF8.self) }
        } else if whole.isEmpty {
            return .string
        }
        var exponentText = ""
        if rest.first == UInt8(ascii: "e") || rest.first == UInt8(ascii: "E") {
            rest = rest.dropFirst()
            exponentText = "e"
            if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
                exponentText += rest.first == UInt8(ascii: "-") ? "-" : "+"
                rest = rest.dropFirst()
            }
            let exponent = takeDigits()
            if exponent.isEmpty { return .string }
            exponentText += String(decoding: exponent, as: UTF8.self)
        }
        return rest.isEmpty ? .float(json: wholeText + "." + fractionText + exponentText) : .string
    }
}
