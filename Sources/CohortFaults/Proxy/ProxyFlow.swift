internal import CohortCore
internal import Glibc

/// One direction of a connection through the proxy: what was read from one side and is to be written to the other.
struct ProxyFlow {
    enum Ending {
        /// The sender has gone: what it has said still goes on.
        case drained
        /// The connection is of no use any more.
        case failed
    }

    /// Bytes that wait before no more are read.
    private static let capacity = 32 << 20
    /// The largest frame of the protocol, and room for its surroundings.
    private static let frameLimit = (64 << 20) + 4_096

    private var splitter = MessageSplitter(limit: frameLimit)
    /// What happens to messages; nothing while there is none.
    var faults: MessageFaults?
    private var queue: [(due: Instant, bytes: [UInt8])] = []
    private var head = 0
    /// Bytes of the first in the queue that have been written.
    private var written = 0
    private var queuedBytes = 0
    private(set) var isAtEnd = false
    /// What was done to messages since somebody asked.
    private var counts = MessageCounts()

    var wantsToRead: Bool { !isAtEnd && queuedBytes < Self.capacity }
    var isEmpty: Bool { head == queue.count }
    /// When the first in the queue may leave.
    private var due: Instant? { isEmpty ? nil : queue[head].due }

    /// When there is something to do that the sockets do not tell of.
    func nextDeadline(after now: Instant) -> Instant? { due.flatMap { $0 > now ? $0 : nil } }

    mutating func takeCounts() -> MessageCounts {
        defer { counts = MessageCounts() }
        return counts
    }

    mutating func breaks(at now: Instant) -> Bool { faults?.breaks(at: now) ?? false }

    // MARK: In

    mutating func read(from descriptor: Int32, at now: Instant) -> Ending? {
        var count = 0
        withUnsafeTemporaryAllocation(byteCount: 256 << 10, alignment: 1) { buffer in
            count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
            if count > 0 { splitter.append(buffer[..<count]) }
        }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        if count <= 0 {
            isAtEnd = true
            return .drained
        }
        do {
            while let piece = try splitter.next() { take(piece, at: now) }
            return nil
        } catch {
            return .failed
        }
    }

    private mutating func take(_ piece: MessageSplitter.Piece, at now: Instant) {
        guard case .message(var bytes, let bodies) = piece else { return enqueue(piece.bytes, at: now) }
        guard let fate = faults?.next(at: now) else {
            counts.passed += 1
            return enqueue(bytes, at: now)
        }
        if fate.isCorrupted, fate.copies > 0 {
            MessageFaults.corrupt(&bytes, bodies: bodies)
            counts.corrupted += 1
        }
        switch fate.copies {
        case 0: counts.dropped += 1
        case 1: if fate.delay == .zero, !fate.isCorrupted { counts.passed += 1 }
        default: counts.duplicated += 1
        }
        if fate.delay > .zero, fate.copies > 0 { counts.delayed += 1 }
        for _ in 0..<fate.copies { enqueue(bytes, at: now.advanced(by: fate.delay)) }
    }

    private mutating func enqueue(_ bytes: [UInt8], at due: Instant) {
        // In one connection nothing overtakes anything.
        queue.append((max(due, queue.last?.due ?? due), bytes))
        queuedBytes += bytes.count
    }

    // MARK: Out

    func hasDue(at now: Instant) -> Bool { due.map { $0 <= now } ?? false }

    /// Writes what is due, as far as the other side takes it.
    mutating func write(to descriptor: Int32, at now: Instant) -> Ending? {
        while hasDue(at: now) {
            // On the proxy's thread SIGPIPE is a mere EPIPE.
            let offset = written
            let count = queue[head].bytes.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0 {
                if errno == EINTR { continue }
                return errno == EAGAIN ? nil : .failed
            }
            written += count
            guard written == queue[head].bytes.count else { continue }
            queuedBytes -= written
            written = 0
            queue[head].bytes = []
            head += 1
            if head == queue.count || head >= 1_024 {
                queue.removeSubrange(..<head)
                head = 0
            }
        }
        return nil
    }
}
