/// Why a file of keys, or a file that lists them, cannot be used: the file, the place, what is wrong and what to do.
package struct KeyFileError: Error, Sendable, Equatable, CustomStringConvertible {
    package var file: String
    /// Line and column, from 1; `nil` when the file as a whole is meant.
    package var place: TextPlace?
    package var message: String

    package init(_ file: String, _ place: TextPlace? = nil, _ message: String) {
        self.file = file
        self.place = place
        self.message = message
    }

    package var description: String {
        guard let place else { return "\(file): \(message)" }
        return "\(file):\(place.line):\(place.column): \(message)"
    }
}

/// A place in a text; both count from 1, columns in Unicode scalars.
package struct TextPlace: Sendable, Hashable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
        self.line = line
        self.column = column
    }
}
