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
    /// The signal after which nobody waits for a reader any more.
    package private(set) var stopSignal: Int32?
    /// To whom nothing more is written, since it has not read in time after that: it would be told parts with gaps.
    private(set) var deserted: Set<Int32> = []

    /// Terminals, opened once more so that writing to them never waits.
    private var terminals: [Int32: Int32] = [:]

    package init() {}

    deinit { for own in terminals.values { close(own) } }

    /// - Parameters:
    ///   - descriptor: becomes readable when a signal has come.
    ///   - take: called then, amid a write that nobody reads: takes the signals in and deals with them. What it writes itself
    ///     is lost if there is no room. Returns the signal after which nobody waits for a reader any more.
    package func begin(_ descriptor: Int32, _ take: @escaping () -> Int32?) {
        self.descriptor = descriptor
        self.take = take
    }

    /// Nobody waits for a reader any more.
    package func stop(after signal: Int32) { stopSignal = stopSignal ?? signal }

    func signalsCame() {
        isTaking = true
        defer { isTaking = false }
        if let signal = take() { stop(after: signal) }
    }

    /// How long a write waits: for what is written while signals are dealt with not at all, after the last signal for as long
    /// as somebody needs who does read.
    var milliseconds: Int32 { isTaking ? 0 : stopSignal == nil ? -1 : 500 }

    func desert(_ descriptor: Int32) { deserted.insert(descriptor) }

    /// How something is written to without having to wait for its reader after all.
    struct Way {
        var descriptor: Int32
        /// Bytes at a time, when it is ready.
        var portion = Int.max
    }

    /// - Returns: `nil` if it is no descriptor, with the reason in `errno`.
    func way(to descriptor: Int32) -> Way? {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { return nil }
        switch status.st_mode & S_IFMT {
        // Whoever writes to a file waits for no reader.
        case S_IFREG: return Way(descriptor: descriptor)
        case S_IFCHR: return isatty(descriptor) == 1 ? way(toTerminal: descriptor) : Way(descriptor: descriptor)
        // A pipe that is ready has room for so many.
        default: return Way(descriptor: descriptor, portion: Int(PIPE_BUF))
        }
    }

    /// A terminal that is ready may have room for one byte. The shell's description of it must not be changed, so there is one
    /// of our own.
    private func way(toTerminal descriptor: Int32) -> Way {
        if let own = terminals[descriptor] { return Way(descriptor: own) }
        let own = open("/proc/self/fd/\(descriptor)", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
        // That of another user cannot be opened; a line is what mostly fits.
        guard own >= 0 else { return Way(descriptor: descriptor, portion: 80) }
        terminals[descriptor] = own
        return Way(descriptor: own)
    }
}
