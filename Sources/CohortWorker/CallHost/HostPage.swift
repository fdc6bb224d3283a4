internal import Glibc
internal import Synchronization

/// Memory that a call host shares with the pool: what must be known of a host that died without a word.
///
/// - `executing`: the call whose function may be running. The host sets it before the function's first instruction and
///   changes it only after the whole reply is in the outbox.
/// - `written` and the outbox: every byte that the host sends goes through a ring here first. What it had no time to send is
///   read out of the ring, so that no finished call is taken for a lost one.
/// - `doomed`: set by the pool before it kills a host for the call that executes. The host begins no call while it is
///   set, so the kill cannot hit the next call instead.
/// - `taken`, one per output stream: how much the pool has read from the host's stdout or stderr, twice over, plus one
///   while it is reading. With what is left in the pipe it tells the host how much a call has written.
///
/// The memory is unnamed and goes with the last process that maps it.
final class HostPage: Sendable {
    private enum Layout {
        static let magic: UInt64 = 0x3154_524f_484f_4301
        static let executing = 64
        static let written = 72
        static let doomed = 128
        static let taken = [192, 256]
        static let ring = 4_096
        static let size = ring + ringCapacity
    }

    /// Bytes in the outbox; a power of two.
    static let ringCapacity = 256 << 10

    private let memory: SharedMemory

    private init(_ memory: SharedMemory) {
        self.memory = memory
    }

    private var base: UnsafeMutableRawPointer { memory.base }

    /// Makes a page; returns it with the close-on-exec descriptor to pass on.
    static func make() throws(CallPoolError) -> (page: HostPage, descriptor: Int32) {
        let (memory, descriptor) = try SharedMemory.make(size: Layout.size, magic: Layout.magic)
        return (HostPage(memory), descriptor)
    }

    /// Maps the page that the pool has passed; nil if `descriptor` is none.
    static func open(_ descriptor: Int32) -> HostPage? {
        SharedMemory.open(descriptor, size: Layout.size, magic: Layout.magic).map(HostPage.init)
    }

    // The order between `executing` and `doomed` decides who is killed: each side stores its own and then loads the other's.

    var executing: UInt64 {
        get { memory.word(Layout.executing).pointee.load(ordering: .sequentiallyConsistent) }
        set { memory.word(Layout.executing).pointee.store(newValue, ordering: .sequentiallyConsistent) }
    }

    var isDoomed: Bool {
        get { memory.word(Layout.doomed).pointee.load(ordering: .sequentiallyConsistent) != 0 }
        set { memory.word(Layout.doomed).pointee.store(newValue ? 1 : 0, ordering: .sequentiallyConsistent) }
    }

    /// Bytes that the host has put into its outbox or sent past it, in its whole life.
    var written: UInt64 {
        get { memory.word(Layout.written).pointee.load(ordering: .acquiring) }
        set { memory.word(Layout.written).pointee.store(newValue, ordering: .releasing) }
    }

    func taken(_ stream: Int) -> UInt64 {
        memory.word(Layout.taken[stream]).pointee.load(ordering: .sequentiallyConsistent)
    }

    func setTaken(_ stream: Int, _ value: UInt64) {
        memory.word(Layout.taken[stream]).pointee.store(value, ordering: .sequentiallyConsistent)
    }

    /// Copies `bytes` into the outbox at stream position `position`; `written` is for the caller to move.
    func copyIn(_ bytes: UnsafeRawBufferPointer, at position: UInt64) {
        guard let source = bytes.baseAddress else { return }
        let (offset, first) = span(at: position, count: bytes.count)
        (base + Layout.ring + offset).copyMemory(from: source, byteCount: first)
        if first < bytes.count {
            (base + Layout.ring).copyMemory(from: source + first, byteCount: bytes.count - first)
        }
    }

    /// The bytes from stream position `position` up to `end`, or up to where the ring wraps around.
    func chunk(from position: UInt64, to end: UInt64) -> UnsafeRawBufferPointer {
        let (offset, first) = span(at: position, count: Int(end - position))
        return UnsafeRawBufferPointer(start: base + Layout.ring + offset, count: first)
    }

    private func span(at position: UInt64, count: Int) -> (offset: Int, first: Int) {
        let offset = Int(position & UInt64(Self.ringCapacity - 1))
        return (offset, min(count, Self.ringCapacity - offset))
    }
}
