/// An error of a call as it is reported: what was thrown, in text, each part within its bound.
package struct CallFailure: Error, Sendable, Equatable {
    package static let maximumTypeBytes = 256
    package static let maximumTextBytes = 16 << 10

    /// Name of the error's type, without its module: at most 256 bytes.
    package let type: String
    /// What the error says of itself: at most 16 KiB.
    package let message: String
    /// What a debugger would show of it, if that is more: at most 16 KiB.
    package let trace: String

    package init(type: String, message: String, trace: String = "") {
        self.type = Self.bounded(type, to: Self.maximumTypeBytes)
        self.message = Self.bounded(message, to: Self.maximumTextBytes)
        self.trace = Self.bounded(trace, to: Self.maximumTextBytes)
    }

    /// Describes an error that a function threw.
    package init(describing error: any Error) {
        let message = String(describing: error)
        let details = String(reflecting: error)
        let type = Self.typeName(String(reflecting: Swift.type(of: error)))
        self.init(type: type, message: message, trace: details == message ? "" : details)
    }

    /// `Module.Outer.Inner` as `Outer.Inner`; the compiler's notes on where a private type was declared go as well.
    static func typeName(_ reflected: String) -> String {
        var name = reflected[...]
        if let dot = name.firstIndex(of: "."), !name[..<dot].contains("<") {
            name = name[name.index(after: dot)...]
        }
        var result = ""
        while let start = name.firstIndex(of: "("), let end = name[start...].firstIndex(of: ")") {
            result += name[..<start]
            name = name[name.index(after: end)...]
            if name.first == "." { name = name.dropFirst() }
        }
        return result + name
    }

    private static func bounded(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let mark = "…"
        var end = text.utf8.index(text.startIndex, offsetBy: limit - mark.utf8.count)
        while end.samePosition(in: text.unicodeScalars) == nil {
            end = text.utf8.index(before: end)
        }
        return text[..<end] + mark
    }
}
