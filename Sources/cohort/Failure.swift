@preconcurrency internal import Glibc

/// An error that ends the command, told in one line: what, where, what to do.
struct Failure: Error {
    enum Status: Int32 {
        /// Wrong usage or bad input; nothing was run.
        case usage = 2
        /// The coordinator was lost or cannot be reached.
        case coordinator = 3
        /// Something here failed: a full disk, a lost file.
        case here = 1
    }

    var status: Status
    var message: String

    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }

    func report() { Self.note("cohort: \(message)") }

    /// A line for whoever looks, beside what goes to standard output.
    static func note(_ text: String) { fputs(text + "\n", stderr) }
}

/// Ends the process with a status that says how a group ended; everything has been told already.
struct ExitStatusError: Error {
    var code: Int32
}
