/// Why a state file cannot be used. The text names the file and says what to do.
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// It cannot be opened or made.
        case unavailable
        /// Another coordinator uses it.
        case inUse
        case readOnly
        /// The disk is full, or the file may not grow further.
        case full
        /// It is no state file, or damaged.
        case corrupt
        /// A later version of Cohort has written it.
        case newer
        /// A version of Cohort has written it whose files are not read any more.
        case older
        case failed
    }

    package var code: Code
    package var path: String
    package var description: String

    package init(_ code: Code, path: String, _ description: String) {
        self.code = code
        self.path = path
        self.description = description
    }
}
