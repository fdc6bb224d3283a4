/// Why the inputs of a `cohort map` cannot be used.
package struct MapInputError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do about it, one line.
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}

/// Why the command of a `cohort map` cannot be used, or not with one of the values.
package struct TemplateError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do about it, one line.
    package var message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
