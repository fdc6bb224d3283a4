internal import CCohortProcess
internal import Glibc
internal import Synchronization

/// Memory that processes share, all zero at first. Its first eight bytes say what it holds.
///
/// It is unnamed and goes with the last process that maps it; pages that are not used take no room.
final class SharedMemory: Sendable {
    nonisolated(unsafe) let base: UnsafeMutableRawPointer
    private let size: Int

    private init?(_ descriptor: Int32, size: Int) {
        let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0)
        guard let memory, memory != MAP_FAILED else { return nil }
        base = memory
        self.size = size
    }

    deinit {
        munmap(base, size)
    }

    /// Makes so many bytes; returns them with the close-on-exec descriptor to pass on.
    static func make(size: Int, magic: UInt64) throws(CallPoolError) -> (memory: SharedMemory, descriptor: Int32) {
        let descriptor = cohort_shared_memory(size)
        guard descriptor >= 0 else { throw CallPoolError(step: "memfd_create", errno: errno) }
        guard let memory = SharedMemory(descriptor, size: size) else {
            let error = CallPoolError(step: "mmap", errno: errno)
            close(descriptor)
            throw error
        }
        memory.base.storeBytes(of: magic, as: UInt64.self)
        return (memory, descriptor)
    }

    /// Maps what was passed to this process; nil if `descriptor` is not for such memory.
    static func open(_ descriptor: Int32, size: Int, magic: UInt64) -> SharedMemory? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_size == size,
            let memory = SharedMemory(descriptor, size: size),
            memory.base.load(as: UInt64.self) == magic
        else { return nil }
        return memory
    }

    /// Eight bytes that change at one stroke.
    func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (base + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
