internal import Glibc

/// Lets writes to this process's own streams wait for their readers without being deaf to signals, which arrive at a descriptor.
///
/// A terminal that has been stopped and a pager that nobody scrolls read nothing, for as long as they like. Not thread-safe.
package final class WriteWatch {
    /// Readable when a signal has come; -1 while none is waited for.
    private(set) var descriptor: Int32 = -1
    private var take: () -> Int32? = { nil }
    /// Signals are being dealt with: what is written meanwhile waits for nobody.
    private(set) var isTaking = false
    /// The signal after which nothing more is written.
    package private(set) var stopSignal: Int32?

    package init() {}

    /// - Parameters:
    ///   - descriptor: becomes readable when a signal has come.
    ///   - take: called then, amid a write: takes the signals in and deals with them. What it writes itself is lost
    ///     if there is no room. Returns the signal
    ///     after which nothing is to be written any more.
    package func begin(_ descriptor: Int32, _ take: @escaping () -> Int32?) {
        self.descriptor = descriptor
        self.take = take
    }

    func signalsCame() {
        isTaking = true
        defer { isTaking = false }
        stopSignal = stopSignal ?? take()
    }

    /// How much can be written to a descriptor that is ready, without having to wait after all; `nil` if it
    /// is none, with the reason in `errno`.
    static func portion(of descriptor: Int32) -> Int? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        return switch status.st_mode & S_IFMT {
        // Whoever writes to a file waits for no reader.
        case S_IFREG: .max
        // A terminal tells that it has room, and not for how much.
        case S_IFCHR: 256
        default: Int(PIPE_BUF)
        }
    }
}
