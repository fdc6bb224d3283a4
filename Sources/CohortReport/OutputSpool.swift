/// Holds what one task has written to stdout and stderr, in the order in which it came, until it can be printed.
///
/// Small output stays in memory, the rest goes to the store's file: a task that writes gigabytes costs 64 bytes of
/// memory for each MiB. Not thread-safe.
package final class OutputSpool {
    // A log of records: stream (1 byte), length (8 bytes, little-endian), bytes. The log is in `log` until it is too
    // large, then in `blocks` of the store's file, headers included, so that a task which changes between its streams
    // at every byte costs no memory either.

    private static let headerSize = 9

    private let store: SpoolStore
    private var log: [UInt8] = []
    /// Where the last record in `log` begins.
    private var lastRecord: Int?
    private var blocks: [UInt32] = []
    /// Bytes of the log in `blocks`.
    private var blockBytes = 0
    /// Bytes that the task wrote and that are held here.
    private(set) package var count = 0

    package init(store: SpoolStore) {
        self.store = store
    }

    deinit {
        store.release(log.count)
        store.free(blocks)
    }

    package var isEmpty: Bool { count == 0 }

    /// Takes charge of a chunk. After an error nothing of it is held, and all that came before is.
    package func append(_ stream: TaskStream, _ bytes: RawSpan) throws(ReportError) {
        guard bytes.byteCount > 0 else { return }
        if blocks.isEmpty {
            if appendInMemory(stream, bytes) {
                count += bytes.byteCount
                return
            }
            try moveToFile()
        }
        var record: [UInt8] = []
        record.reserveCapacity(Self.headerSize + bytes.byteCount)
        Self.appendHeader(stream, length: bytes.byteCount, to: &record)
        bytes.withUnsafeBytes { record.append(contentsOf: $0) }
        try appendToFile(record)
        count += bytes.byteCount
    }

    /// Hands out all that is held, in order and in pieces, and lets go of it. After an error everything is still held.
    package func drain(
        _ body: (TaskStream, RawSpan) throws(ReportError) -> Void
    ) throws(ReportError) {
        try forEachPiece(body)
        store.release(log.count)
        store.free(blocks)
        log = []
        lastRecord = nil
        blocks = []
        blockBytes = 0
        count = 0
    }

    /// The last bytes of one stream, at most `limit`. Reads all that is held.
    package func tail(_ stream: TaskStream, _ limit: Int) throws(ReportError) -> [UInt8] {
        var tail: [UInt8] = []
        try forEachPiece { piece, bytes throws(ReportError) in
            guard piece == stream else { return }
            bytes.withUnsafeBytes { tail.append(contentsOf: $0.suffix(limit)) }
            // Seldom, so that a long stream of small pieces is not moved at each of them.
            if tail.count > 2 * limit + 4_096 { tail.removeFirst(tail.count - limit) }
        }
        return Array(tail.suffix(limit))
    }

    // MARK: - The log

    private func appendInMemory(_ stream: TaskStream, _ bytes: RawSpan) -> Bool {
        let open = lastRecord.flatMap { log[$0] == stream.rawValue ? $0 : nil }
        let needed = bytes.byteCount + (open == nil ? Self.headerSize : 0)
        guard log.count + needed <= store.memoryPerTask, store.reserve(needed) else { return false }
        if let open {
            Self.setLength(log.count - open - Self.headerSize + bytes.byteCount, in: &log, at: open + 1)
        } else {
            lastRecord = log.count
            Self.appendHeader(stream, length: bytes.byteCount, to: &log)
        }
        bytes.withUnsafeBytes { log.append(contentsOf: $0) }
        return true
    }

    private func moveToFile() throws(ReportError) {
        guard !log.isEmpty else { return }
        try appendToFile(log)
        store.release(log.count)
        log = []
        lastRecord = nil
    }

    /// Counts what is written only when all of it is: after an error the next record takes its place.
    private func appendToFile(_ bytes: [UInt8]) throws(ReportError) {
        var end = blockBytes
        var done = 0
        while done < bytes.count {
            let offset = end % SpoolStore.blockSize
            if end == blocks.count * SpoolStore.blockSize { blocks.append(store.allocateBlock()) }
            let piece = min(bytes.count - done, SpoolStore.blockSize - offset)
            try store.write(
                bytes.span.bytes.extracting(done..<done + piece),
                toBlock: blocks[end / SpoolStore.blockSize],
                at: offset
            )
            done += piece
            end += piece
        }
        blockBytes = end
    }

    private func forEachPiece(
        _ body: (TaskStream, RawSpan) throws(ReportError) -> Void
    ) throws(ReportError) {
        var parser = RecordParser()
        let inMemory = log
        try parser.parse(inMemory.span.bytes, body)
        guard blockBytes > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: SpoolStore.blockSize)
        for (place, block) in blocks.enumerated() {
            let length = min(SpoolStore.blockSize, blockBytes - place * SpoolStore.blockSize)
            // The last block may have been allocated by an append that failed.
            guard length > 0 else { break }
            var failure: ReportError?
            buffer.withUnsafeMutableBytes { bytes in
                do throws(ReportError) {
                    try store.read(UnsafeMutableRawBufferPointer(rebasing: bytes[..<length]), fromBlock: block)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            try parser.parse(buffer.span.bytes.extracting(0..<length), body)
        }
    }

    // MARK: - Headers

    private static func appendHeader(_ stream: TaskStream, length: Int, to log: inout [UInt8]) {
        log.append(stream.rawValue)
        let place = log.count
        log.append(contentsOf: repeatElement(0, count: 8))
        setLength(length, in: &log, at: place)
    }

    private static func setLength(_ length: Int, in log: inout [UInt8], at place: Int) {
        for byte in 0..<8 { log[place + byte] = UInt8(truncatingIfNeeded: length >> (8 * byte)) }
    }

    /// Cuts a log that comes in pieces into the bytes of its records.
    private struct RecordParser {
        private var stream = TaskStream.stdout
        private var header = 0
        private var length = 0
        private var remaining = 0

        mutating func parse(
            _ bytes: RawSpan,
            _ body: (TaskStream, RawSpan) throws(ReportError) -> Void
        ) throws(ReportError) {
            var at = 0
            while at < bytes.byteCount {
                if remaining > 0 {
                    let end = at + min(remaining, bytes.byteCount - at)
                    try body(stream, bytes.extracting(at..<end))
                    remaining -= end - at
                    at = end
                } else {
                    take(headerByte: bytes.unsafeLoad(fromByteOffset: at, as: UInt8.self))
                    at += 1
                }
            }
        }

        private mutating func take(headerByte byte: UInt8) {
            if header == 0 {
                stream = byte == TaskStream.stderr.rawValue ? .stderr : .stdout
            } else {
                length |= Int(byte) << (8 * (header - 1))
            }
            header += 1
            guard header == OutputSpool.headerSize else { return }
            remaining = length
            header = 0
            length = 0
        }
    }
}
