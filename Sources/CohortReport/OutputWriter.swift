internal import Glibc

/// Writes to one of this process's own streams, in large pieces.
///
/// After an error a caller does not know how much has been written. The process must ignore `SIGPIPE`.
struct OutputWriter {
    private static let capacity = 64 << 10

    private let stream: TaskStream
    private let descriptor: Int32
    private let watch: WriteWatch
    private var buffer: [UInt8] = []
    /// The last byte written was a line break, or none was written yet.
    private(set) var isAtLineStart = true

    init(stream: TaskStream, descriptor: Int32, watch: WriteWatch) {
        self.stream = stream
        self.descriptor = descriptor
        self.watch = watch
    }

    mutating func write(_ bytes: RawSpan) throws(ReportError) {
        guard bytes.byteCount > 0 else { return }
        isAtLineStart = bytes.unsafeLoad(fromByteOffset: bytes.byteCount - 1, as: UInt8.self) == UInt8(ascii: "\n")
        if buffer.count + bytes.byteCount > Self.capacity { try flush() }
        if bytes.byteCount >= Self.capacity {
            try send(bytes)
        } else {
            bytes.withUnsafeBytes { buffer.append(contentsOf: $0) }
        }
    }

    /// Each line that begins in these bytes gets the prefix.
    mutating func write(_ bytes: RawSpan, prefix: [UInt8]) throws(ReportError) {
        var at = 0
        while at < bytes.byteCount {
            if isAtLineStart { try write(prefix.span.bytes) }
            let rest = bytes.extracting(at..<bytes.byteCount)
            let end = at + (rest.firstOffset(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? rest.byteCount)
            try write(bytes.extracting(at..<end))
            at = end
        }
    }

    mutating func endLine() throws(ReportError) {
        if !isAtLineStart { try write([UInt8(ascii: "\n")].span.bytes) }
    }

    mutating func flush() throws(ReportError) {
        guard !buffer.isEmpty else { return }
        try send(buffer.span.bytes)
        buffer.removeAll(keepingCapacity: true)
    }

    private func send(_ bytes: RawSpan) throws(ReportError) {
        try StreamOutput.write(bytes, to: stream, descriptor, watch)
    }
}

/// Writing to this process's own streams.
package enum StreamOutput {
    package static func write(
        _ bytes: RawSpan,
        to stream: TaskStream,
        _ descriptor: Int32,
        _ watch: WriteWatch
    ) throws(ReportError) {
        switch FileIO.writeAll(bytes, to: descriptor, watch: watch) {
        case 0: return
        case EPIPE: throw .outputClosed(stream)
        // What nobody reads is dropped, and the rest is done as ever: files, the report on another stream, the end.
        case ECANCELED: return
        case let code: throw .output(stream, errno: code)
        }
    }
}

extension RawSpan {
    func firstOffset(of byte: UInt8) -> Int? {
        withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let place = memchr(base, Int32(byte), bytes.count) else { return nil }
            return UnsafeRawPointer(place) - base
        }
    }

    func lastOffset(of byte: UInt8) -> Int? {
        withUnsafeBytes { $0.lastIndex(of: byte) }
    }
}
