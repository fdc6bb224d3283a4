internal import Glibc

/// Why a program could not be started.
package struct SpawnError: Error, Hashable, CustomStringConvertible {
    package enum Code: Hashable, Sendable {
        /// An empty command line, or text that no program can be given.
        case invalidRequest
        /// There is no such program, or no interpreter for it.
        case notFound
        /// It exists, but cannot be executed.
        case notExecutable
        /// The working directory cannot be entered.
        case workingDirectory
        /// A descriptor could not be passed on.
        case descriptor
        /// The system refused another process.
        case system
    }

    package let code: Code
    /// The system's error number; 0 if the request was refused before any system call.
    package let errno: Int32
    /// One line, without an end mark, that names the program or directory.
    package let description: String
}

extension SpawnError {
    static func invalidRequest(_ description: String) -> SpawnError {
        SpawnError(code: .invalidRequest, errno: 0, description: description)
    }

    /// `intent` completes "cannot …".
    package static func system(_ intent: String, _ number: Int32) -> SpawnError {
        SpawnError(code: .system, errno: number, description: "cannot \(intent): \(errorText(number))")
    }
}

/// The system's words for an error number, in lower case as they stand inside a sentence.
func errorText(_ number: Int32) -> String {
    let text = String(cString: strerror(number))
    return text.prefix(1).lowercased() + text.dropFirst()
}
