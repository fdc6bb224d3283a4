internal import Glibc

/// What a process says to whoever started it, on stderr.
package enum Notice {
    /// How long somebody who does not read it is waited for: a stopped terminal or a pager must not keep a process from its
    /// work, nor from ending.
    private static let patience: Int32 = 100

    /// Writes a line; drops it if there is no room for it.
    package static func say(_ line: String, to descriptor: Int32 = STDERR_FILENO) {
        var item = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard poll(&item, 1, patience) > 0 else { return }
        // A pipe that is ready has room for so many.
        let bytes = Array((line + "\n").utf8.prefix(Int(PIPE_BUF)))
        _ = write(descriptor, bytes, bytes.count)
    }
}
