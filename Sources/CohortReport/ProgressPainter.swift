internal import Glibc

/// Keeps one line of progress at the bottom of a terminal.
///
/// Whoever writes anything else to the terminal calls `clear()` before, and makes sure that what it writes ends in a
/// line break: the next drawing begins at the left edge. A terminal that has gone is no error; nothing more is drawn.
package final class ProgressPainter {
    /// At most ten drawings a second.
    package static let interval: Duration = .milliseconds(100)

    private let descriptor: Int32
    private let columns: () -> Int?
    private let watch: WriteWatch
    private var meter = RateMeter()
    private var lastDrawing: ContinuousClock.Instant?
    private var isDrawn = false
    private var hasFailed = false

    /// - Parameters:
    ///   - descriptor: The terminal; stays open.
    ///   - columns: Asked before each drawing, as the window may change; `nil` stands for 80.
    ///   - watch: Of signals, while the terminal is stopped.
    package init(descriptor: Int32, columns: (() -> Int?)? = nil, watch: WriteWatch = WriteWatch()) {
        self.descriptor = descriptor
        self.watch = watch
        self.columns = columns ?? { TerminalSize.columns(of: descriptor) }
    }

    /// When the next drawing is allowed; a caller with a newer snapshot need not come earlier.
    package var nextDrawing: ContinuousClock.Instant? { lastDrawing.map { $0 + Self.interval } }

    /// Draws the snapshot unless the last drawing is too fresh. A snapshot without a rate gets the one measured here.
    package func update(_ snapshot: ProgressSnapshot, at now: ContinuousClock.Instant) {
        if let nextDrawing, now < nextDrawing { return }
        lastDrawing = now
        meter.record(done: snapshot.done, at: now)
        var snapshot = snapshot
        snapshot.rate = snapshot.rate ?? meter.rate
        // A line that fills the last column would make some terminals scroll.
        let width = max(1, (columns() ?? 80) - 1)
        write("\r" + ProgressLine.render(snapshot, width: width) + "\u{1b}[K")
        isDrawn = true
    }

    /// Takes the line off the terminal.
    package func clear() {
        guard isDrawn else { return }
        isDrawn = false
        write("\r\u{1b}[K")
    }

    private func write(_ text: String) {
        guard !hasFailed else { return }
        let failure = FileIO.writeAll(Array(text.utf8).span.bytes, to: descriptor, watch: watch)
        // Amid a signal there may be no room for it; later there may.
        hasFailed = failure != 0 && failure != EAGAIN
    }
}

/// The size of a terminal.
package enum TerminalSize {
    /// - Returns: `nil` if the descriptor is not a terminal or does not know.
    package static func columns(of descriptor: Int32) -> Int? {
        var size = winsize()
        guard ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}

/// How many tasks end a second, lately: older samples count less and less, to a third after ten seconds.
package struct RateMeter: Sendable {
    private static let memory = 10.0

    private var last: (done: Int, at: ContinuousClock.Instant)?
    private var tasks = 0.0
    private var seconds = 0.0

    package init() {}

    /// `nil` until two samples have come.
    package var rate: Double? { seconds > 0 ? tasks / seconds : nil }

    package mutating func record(done: Int, at now: ContinuousClock.Instant) {
        defer { last = (done, now) }
        guard let last, now > last.at else { return }
        let passed = (now - last.at) / .seconds(1)
        let decay = exp(-passed / Self.memory)
        tasks = tasks * decay + Double(max(0, done - last.done))
        seconds = seconds * decay + passed
    }
}
