internal import Glibc

/// Output, a log or a result could not be written.
package enum ReportError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Whoever read this stream of ours has gone, as in `cohort map … | head`. Nothing can be printed any more.
    case outputClosed(TaskStream)
    /// This signal came while the reader of a stream of ours took nothing, and nothing is printed any more.
    case interrupted(signal: Int32)
    /// Writing to a stream of ours failed with this `errno`.
    case output(TaskStream, errno: Int32)
    /// A file that the user named could not be opened or written.
    case file(path: String, action: String, errno: Int32)
    /// A directory for results has something in it, such as the file of that name.
    case notEmpty(path: String, name: String)
    /// Output that waits for its turn could not be put aside in the directory for temporary files.
    case spool(directory: String, action: String, errno: Int32)

    package var description: String {
        switch self {
        case .outputClosed(let stream): "the reader of \(Self.name(of: stream)) has gone"
        case .interrupted(let signal): "signal \(signal) has ended the output"
        case .output(let stream, let errno): "cannot write to \(Self.name(of: stream)): \(Self.text(errno))"
        case .file(let path, let action, let errno):
            "cannot \(action) \(TerminalText.harmless(path)): \(Self.text(errno))"
        case .notEmpty(let path, let name):
            "\(TerminalText.harmless(path)) has something in it already, such as '\(TerminalText.harmless(name))', and "
                + "the results of two runs would be mixed; name another directory, or give --force to replace what has "
                + "the same name"
        case .spool(let directory, let action, let errno):
            "cannot \(action) the output of tasks in \(TerminalText.harmless(directory)): \(Self.text(errno)); "
                + "set TMPDIR to a directory with room"
        }
    }

    private static func name(of stream: TaskStream) -> String {
        switch stream {
        case .stdout: "standard output"
        case .stderr: "standard error"
        }
    }

    private static func text(_ errno: Int32) -> String {
        strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
    }
}
