internal import CohortProcess
internal import Glibc

/// What a host prints to stdout or stderr, on its way through a pipe to the call that printed it.
///
/// Bytes belong to the call whose end was the first to be reported with a position behind them. Before that is known they
/// are delivered to the running call if it ran throughout, and held otherwise.
struct HostStream {
    static let readBytes = 64 << 10

    let stream: ProcessEvent.Stream
    /// The pipe's reading end, non-blocking.
    let descriptor: Int32
    /// Place of this stream in the page.
    let index: Int
    /// Bytes taken from the pipe in the host's life.
    private(set) var taken: UInt64 = 0
    /// Bytes that were taken and are not yet attributed, the last of `taken`.
    private(set) var held: [UInt8] = []
    /// The poller watches the pipe.
    var isWatched = false

    init(_ stream: ProcessEvent.Stream, descriptor: Int32, index: Int) {
        self.stream = stream
        self.descriptor = descriptor
        self.index = index
    }

    /// Takes up to `limit` bytes out of the pipe, into `held`.
    mutating func read(_ page: HostPage, limit: Int) -> Int {
        let limit = min(limit, Self.readBytes)
        page.setTaken(index, taken << 1 | 1)
        let count = withUnsafeTemporaryAllocation(byteCount: limit, alignment: 16) { buffer in
            let count = Glibc.read(descriptor, buffer.baseAddress, limit)
            if count > 0 {
                held.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                taken += UInt64(count)
            }
            return count
        }
        page.setTaken(index, taken << 1)
        return count
    }

    /// Everything that was printed up to `end`, a position in the host's life, and not attributed before.
    mutating func collect(_ page: HostPage, upTo end: UInt64) -> [UInt8] {
        while taken < end {
            if read(page, limit: Int(clamping: end - taken)) <= 0 { break }
        }
        let start = taken - UInt64(held.count)
        guard start < end else { return [] }
        return takeHeld(Int(clamping: end - start))
    }

    /// Everything that is left in the pipe of a host that is gone.
    mutating func collectRest(_ page: HostPage) -> [UInt8] {
        while read(page, limit: Self.readBytes) > 0 {}
        return takeHeld(held.count)
    }

    /// The first `count` held bytes.
    mutating func takeHeld(_ count: Int) -> [UInt8] {
        if count >= held.count {
            defer { held = [] }
            return held
        }
        defer { held.removeFirst(count) }
        return Array(held[..<count])
    }
}
