/// How JSON is laid out.
public enum JSONLayout: Sendable {
    /// One line without a line break in it, so that one value a line can be read back (`jsonl`).
    case line
    /// Two spaces a level, one member or element a line.
    case indented
}

/// A type that has one JSON form whose members come in a fixed order.
///
/// `JSONEncoder` sorts or shuffles the members of an object. People read these documents, so they are written from
/// `json`, which keeps its order; encoding with an `Encoder` yields the same members.
public protocol JSONRepresentable: Sendable, Encodable {
    var json: JSONValue { get }
}

extension JSONRepresentable {
    /// The value as JSON text, without a final line break.
    public func jsonText(_ layout: JSONLayout = .indented) -> String {
        json.text(layout)
    }

    /// Encodes the members of `json`.
    public func encode(to encoder: any Encoder) throws {
        try json.encode(to: encoder)
    }
}

extension JSONValue {
    /// The value as JSON text, without a final line break.
    ///
    /// Control characters are escaped, those above ASCII too, so that the text is harmless on a terminal. Infinite
    /// numbers and NaN, which JSON cannot express, become `null`.
    public func text(_ layout: JSONLayout = .line) -> String {
        var writer = JSONTextWriter(layout: layout)
        writer.write(self)
        return String(decoding: writer.bytes, as: UTF8.self)
    }
}

extension JSONValue: CustomStringConvertible {
    /// The value as one line of JSON.
    public var description: String { text(.line) }
}

/// Appends JSON to a buffer of UTF-8.
private struct JSONTextWriter {
    private(set) var bytes: [UInt8] = []
    private let layout: JSONLayout
    private var depth = 0

    init(layout: JSONLayout) {
        self.layout = layout
    }

    mutating func write(_ value: JSONValue) {
        switch value {
        case .null: write(verbatim: "null")
        case .bool(let value): write(verbatim: value ? "true" : "false")
        case .int(let value): write(verbatim: String(value))
        case .double(let value): write(verbatim: value.isFinite ? value.description : "null")
        case .string(let value): write(string: value)
        case .array(let elements):
            write(list: elements, open: "[", close: "]") { writer, element in writer.write(element) }
        case .object(let object):
            write(list: object.members, open: "{", close: "}") { writer, member in
                writer.write(string: member.key)
                writer.write(verbatim: ": ")
                writer.write(member.value)
            }
        }
    }

    private mutating func write<Element>(
        list: [Element],
        open: String,
        close: String,
        _ body: (inout JSONTextWriter, Element) -> Void
    ) {
        write(verbatim: open)
        depth += 1
        for (place, element) in list.enumerated() {
            if place > 0 { write(verbatim: layout == .line ? ", " : ",") }
            breakLine()
            body(&self, element)
        }
        depth -= 1
        if !list.isEmpty { breakLine() }
        write(verbatim: close)
    }

    private mutating func breakLine() {
        guard layout == .indented else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * depth))
    }

    private mutating func write(verbatim text: String) {
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func write(string: String) {
        bytes.append(UInt8(ascii: "\""))
        var previous: UInt8 = 0
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case UInt8(ascii: "\n"): write(verbatim: "\\n")
            case UInt8(ascii: "\r"): write(verbatim: "\\r")
            case UInt8(ascii: "\t"): write(verbatim: "\\t")
            case 0x00..<0x20, 0x7f: writeEscape(byte)
            case 0x80...0x9f where previous == 0xc2:
                // U+0080…U+009F, two bytes in UTF-8: take the first back.
                bytes.removeLast()
                writeEscape(byte)
            default: bytes.append(byte)
            }
            previous = byte
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// `\u00` and two digits.
    private mutating func writeEscape(_ byte: UInt8) {
        write(verbatim: byte < 0x10 ? "\\u000" : "\\u00")
        write(verbatim: String(byte, radix: 16))
    }
}
