/// A stretch of what an attempt has written to both of its streams, in the order in which that came.
///
/// Offsets count the bytes of both streams together, from 0 at the attempt's first one.
package struct OutputStretch: Sendable, Equatable {
    /// Consecutive bytes of one stream.
    package struct Run: Sendable, Equatable {
        package var stream: OutputStream
        package var length: UInt32

        package init(stream: OutputStream, length: UInt32) {
            self.stream = stream
            self.length = length
        }
    }

    /// A run with its bytes.
    package struct Piece: Sendable, Equatable {
        package var stream: OutputStream
        package var offset: UInt64
        package var bytes: ArraySlice<UInt8>
    }

    /// Of the first byte.
    package private(set) var offset: UInt64
    package private(set) var runs: [Run]
    /// Of all runs, one behind the other.
    package private(set) var bytes: [UInt8]

    /// - Precondition: the runs are as long as the bytes.
    package init(offset: UInt64 = 0, runs: [Run] = [], bytes: [UInt8] = []) {
        self.offset = offset
        self.runs = runs
        self.bytes = bytes
    }

    package var isEmpty: Bool { bytes.isEmpty }

    /// The offset after the last byte.
    package var end: UInt64 { offset &+ UInt64(bytes.count) }

    package mutating func append(_ stream: OutputStream, _ new: [UInt8]) {
        guard !new.isEmpty else { return }
        bytes.append(contentsOf: new)
        let length = UInt32(new.count)
        if let last = runs.last, last.stream == stream, last.length <= .max - length {
            runs[runs.count - 1].length += length
        } else {
            runs.append(Run(stream: stream, length: length))
        }
    }

    /// Drops what comes before the position.
    package mutating func drop(upTo position: UInt64) {
        guard position > offset else { return }
        var left = Int(clamping: position - offset)
        guard left < bytes.count else {
            self = OutputStretch(offset: position)
            return
        }
        bytes.removeFirst(left)
        offset = position
        var gone = 0
        while left >= Int(runs[gone].length) {
            left -= Int(runs[gone].length)
            gone += 1
        }
        runs[gone].length -= UInt32(left)
        runs.removeFirst(gone)
    }

    /// What there is from the position on, or all of it if it begins later.
    package func pieces(from position: UInt64 = 0) -> [Piece] {
        var pieces: [Piece] = []
        var start = 0
        let first = position > offset ? Int(clamping: position - offset) : 0
        for run in runs {
            let end = start + Int(run.length)
            if end > first {
                let from = max(start, first)
                pieces.append(Piece(stream: run.stream, offset: offset &+ UInt64(from), bytes: bytes[from..<end]))
            }
            start = end
        }
        return pieces
    }
}
