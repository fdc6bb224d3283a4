internal import CCohortProcess
internal import CohortProcess
internal import Glibc
internal import Synchronization

/// Lines on their way to a stream of this process: a thread of their own writes them, in order, so that nobody else waits for
/// whoever reads them, or does not.
///
/// Lives until `finish`.
package final class LineQueue: TextOutputStream, Sendable {
    private struct State {
        var pending: [UInt8] = []
        /// Lines that came after those and found no room.
        var dropped = 0
        var isEnding = false
    }

    private let descriptor: Int32
    private let capacity: Int
    private let note: @Sendable (_ dropped: Int) -> String
    private let state = Mutex(State())
    /// Readable for the thread when there is something to do.
    private let wake = eventfd(0, Int32(EFD_CLOEXEC))
    /// Readable when everything has been written.
    private let done = eventfd(0, Int32(EFD_CLOEXEC))

    /// - Parameters:
    ///   - descriptor: stays open.
    ///   - capacity: how many bytes may wait; lines for which there is no room are dropped and counted.
    ///   - note: the line that stands in the place of dropped ones.
    package init(
        to descriptor: Int32,
        capacity: Int = 1 << 20,
        note: @escaping @Sendable (_ dropped: Int) -> String
    ) throws {
        self.descriptor = descriptor
        self.capacity = capacity
        self.note = note
        guard wake >= 0, done >= 0 else { throw ReportError.file(path: "an eventfd", action: "make", errno: errno) }
        try BlockingThread.start(named: "cohort-log") { [self] in serve() }
    }

    deinit { for descriptor in [wake, done] { close(descriptor) } }

    /// Takes in a line, with its end. Never waits for the reader.
    package func write(_ line: String) {
        let mustWake = state.withLock { state in
            // Where one is missing, those that follow are missing as well: the note tells the place.
            guard state.dropped == 0, state.pending.count + line.utf8.count <= capacity else {
                state.dropped += 1
                // One that is longer than all that may wait is told of as well.
                return state.dropped == 1 && state.pending.isEmpty
            }
            defer { state.pending += line.utf8 }
            return state.pending.isEmpty
        }
        if mustWake { Self.signal(wake) }
    }

    /// Waits until all lines have been written, but not for longer than this. What comes later is not written.
    package func finish(within limit: Duration) {
        state.withLock { $0.isEnding = true }
        Self.signal(wake)
        var item = pollfd(fd: done, events: Int16(POLLIN), revents: 0)
        let (seconds, attoseconds) = limit.components
        poll(&item, 1, Int32(clamping: seconds * 1_000 + attoseconds / 1_000_000_000_000_000))
    }

    private static func signal(_ descriptor: Int32) {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor, &one, 8)
    }

    // MARK: The thread

    private func serve() {
        var isEnding = false
        while !isEnding {
            var count: UInt64 = 0
            _ = read(wake, &count, 8)
            var (bytes, dropped): ([UInt8], Int)
            (bytes, dropped, isEnding) = state.withLock { state in
                defer {
                    state.pending = []
                    state.dropped = 0
                }
                return (state.pending, state.dropped, state.isEnding)
            }
            if dropped > 0 { bytes += note(dropped).utf8 }
            // Where nobody can read it, there is nobody to be told.
            _ = FileIO.writeAll(bytes.span.bytes, to: descriptor)
        }
        Self.signal(done)
    }
}
