/// One thing to say about a batch file, with the place it speaks of.
package struct BatchDiagnostic: Sendable, Equatable, CustomStringConvertible {
    package var file: String
    /// Counts from 1; `nil` when the file as a whole is meant, such as one that cannot be read.
    package var line: Int?
    /// Counts Unicode scalars from 1; `nil` exactly when `line` is.
    package var column: Int?
    /// What is wrong and what to do about it, one line.
    package var message: String
    /// The line that is meant with a caret under the place; `nil` without a place.
    package var frame: String?

    package init(file: String, line: Int? = nil, column: Int? = nil, message: String, frame: String? = nil) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
        self.frame = frame
    }

    /// `file:line:column: message`, without the code frame.
    package var headline: String {
        guard let line, let column else { return "\(file): \(message)" }
        return "\(file):\(line):\(column): \(message)"
    }

    package var description: String {
        guard let frame else { return headline }
        return headline + "\n" + frame
    }
}

/// Why a batch file cannot be run: everything that was found wrong with it, so that one look mends all of it.
package struct BatchFileError: Error, Equatable, CustomStringConvertible {
    /// How many errors are told at most.
    package static let diagnosticsMax = 20

    /// In the order of the file, never empty.
    package var diagnostics: [BatchDiagnostic]
    /// Reading stopped at `diagnosticsMax`; there may be more.
    package var isTruncated: Bool

    package init(_ diagnostics: [BatchDiagnostic], isTruncated: Bool = false) {
        self.diagnostics = diagnostics
        self.isTruncated = isTruncated
    }

    /// An error about the file as a whole.
    package init(file: String, message: String) {
        self.init([BatchDiagnostic(file: file, message: message)])
    }

    package var description: String {
        var text = ""
        for diagnostic in diagnostics {
            if !text.isEmpty { text += "\n" }
            text += diagnostic.description
        }
        if isTruncated {
            text += "\nonly the first \(diagnostics.count) errors are shown"
        }
        return text
    }
}
