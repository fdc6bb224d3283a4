internal import Glibc

/// System calls on file descriptors, complete and with `errno` as the result.
package enum FileIO {
    /// Writes everything, however often the kernel takes only a part; waits on a descriptor that does not block.
    ///
    /// - Returns: 0, or the `errno` of the write that failed.
    package static func writeAll(_ bytes: RawSpan, to descriptor: Int32) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let written = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if written >= 0 {
                    done += written
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&entry, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Writes everything, and deals with signals while the other end takes nothing.
    ///
    /// - Returns: 0, or the `errno` of the write that failed; `ECANCELED` if nobody has read it and a signal has come.
    static func writeAll(_ bytes: RawSpan, to descriptor: Int32, watch: WriteWatch) -> Int32 {
        if watch.deserted.contains(descriptor) { return ECANCELED }
        guard let way = watch.way(to: descriptor) else { return errno }
        var items = [
            pollfd(fd: way.descriptor, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: watch.descriptor, events: Int16(POLLIN), revents: 0),
        ]
        return bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let ready = poll(&items, watch.isTaking ? 1 : 2, watch.milliseconds)
                if ready == 0, watch.isTaking { return EAGAIN }
                if ready == 0 {
                    watch.desert(descriptor)
                    return ECANCELED
                }
                guard ready > 0 else { continue }
                // Whoever reads is told everything; the signal is heard soon enough.
                guard items[0].revents != 0 else {
                    watch.signalsCame()
                    continue
                }
                let count = min(way.portion, buffer.count - done)
                let written = Glibc.write(way.descriptor, buffer.baseAddress! + done, count)
                if written >= 0 {
                    done += written
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    if watch.isTaking { return EAGAIN }
                    // A terminal may say that it has room, and have none for a line.
                    if poll(&items[1], 1, 10) > 0 {
                        watch.signalsCame()
                    } else if watch.stopSignal != nil {
                        watch.desert(descriptor)
                        return ECANCELED
                    }
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Writes everything at an offset of a file.
    ///
    /// - Returns: 0, or the `errno` of the write that failed.
    static func writeAll(_ bytes: RawSpan, to descriptor: Int32, at offset: Int) -> Int32 {
        bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let written = pwrite(descriptor, buffer.baseAddress! + done, buffer.count - done, offset + done)
                if written >= 0 {
                    done += written
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }

    /// Fills the buffer from an offset of a file.
    ///
    /// - Returns: 0, or the `errno` of the read that failed; `EIO` if the file is shorter.
    static func readAll(_ buffer: UnsafeMutableRawBufferPointer, from descriptor: Int32, at offset: Int) -> Int32 {
        var done = 0
        while done < buffer.count {
            let count = pread(descriptor, buffer.baseAddress! + done, buffer.count - done, offset + done)
            if count > 0 {
                done += count
            } else if count == 0 {
                return EIO
            } else if errno != EINTR {
                return errno
            }
        }
        return 0
    }

    /// Opens a file of the user; `action` is what the error says that could not be done.
    static func open(
        _ path: String,
        _ flags: Int32,
        action: String = "open"
    ) throws(ReportError) -> Int32 {
        while true {
            let descriptor = Glibc.open(path, flags | O_CLOEXEC, 0o666)
            if descriptor >= 0 { return descriptor }
            if errno != EINTR { throw ReportError.file(path: path, action: action, errno: errno) }
        }
    }

    /// Opens the file, writes everything and closes it.
    static func write(_ bytes: RawSpan, toFile path: String, _ flags: Int32) throws(ReportError) {
        let descriptor = try open(path, O_WRONLY | flags)
        var failure = writeAll(bytes, to: descriptor)
        // A file system over the network may tell only now that it is full.
        if close(descriptor) != 0, failure == 0, errno != EINTR { failure = errno }
        if failure != 0 { throw ReportError.file(path: path, action: "write to", errno: failure) }
    }
}
