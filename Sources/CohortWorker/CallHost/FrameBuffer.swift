/// Bytes of a stream that were received and not yet consumed, always contiguous.
struct FrameBuffer: ~Copyable {
    private var memory: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private let usualCapacity: Int

    init(capacity: Int) {
        memory = .allocate(byteCount: capacity, alignment: 16)
        usualCapacity = capacity
    }

    deinit {
        memory.deallocate()
    }

    /// Lets `receive` write to the free space and returns its result, the number of bytes it has written if positive.
    mutating func fill(_ receive: (UnsafeMutableRawBufferPointer) -> Int) -> Int {
        if start == end {
            start = 0
            end = 0
            if memory.count > usualCapacity { resize(to: usualCapacity) }
        } else if start > 0, memory.count - end < usualCapacity / 4 {
            resize(to: memory.count)
        }
        let count = receive(UnsafeMutableRawBufferPointer(rebasing: memory[end...]))
        if count > 0 { end += count }
        return count
    }

    /// The next `count` bytes, if they are all there; valid until the next mutation.
    borrowing func peek(_ count: Int) -> UnsafeRawPointer? {
        guard end - start >= count, let base = memory.baseAddress else { return nil }
        return UnsafeRawPointer(base + start)
    }

    mutating func consume(_ count: Int) {
        start += count
    }

    /// Makes room for a frame of `count` bytes that begins with the next one.
    mutating func reserve(_ count: Int) {
        if memory.count - start >= count { return }
        resize(to: max(count, memory.count))
    }

    private mutating func resize(to capacity: Int) {
        let held = UnsafeRawBufferPointer(rebasing: memory[start..<end])
        if capacity == memory.count {
            memory.copyMemory(from: held)
        } else {
            let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
            larger.copyMemory(from: held)
            memory.deallocate()
            memory = larger
        }
        end -= start
        start = 0
    }
}
