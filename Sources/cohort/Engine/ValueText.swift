internal import Cohort

/// The value of a call as a line of output: a string as its text, anything else as JSON.
enum ValueText {
    static func line(_ value: ArraySlice<UInt8>) -> [UInt8] {
        let newline = UInt8(ascii: "\n")
        let quote = UInt8(ascii: "\"")
        guard value.first == quote else { return Array(value) + [newline] }
        let inner = value.dropFirst().dropLast()
        // Most strings have nothing escaped, and then they are their own text.
        if value.count >= 2, value.last == quote, !inner.contains(UInt8(ascii: "\\")) {
            return Array(inner) + [newline]
        }
        guard case .string(let text) = try? JSONValue(parsing: value) else { return Array(value) + [newline] }
        return Array(text.utf8) + [newline]
    }
}
