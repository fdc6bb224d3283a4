internal import Glibc

/// A gate that is opened once, for threads to wait at.
@safe
final class Latch: Sendable {
    // POSIX semaphores are made for being shared by threads; only their address must not change.
    nonisolated(unsafe) private let semaphore: UnsafeMutablePointer<sem_t>

    init() {
        unsafe semaphore = .allocate(capacity: 1)
        unsafe semaphore.initialize(to: sem_t())
        // Fails only for a first value that is too big.
        unsafe sem_init(semaphore, 0, 0)
    }

    deinit {
        unsafe sem_destroy(semaphore)
        unsafe semaphore.deallocate()
    }

    /// Lets everybody through, now and later.
    func open() {
        unsafe sem_post(semaphore)
    }

    /// Blocks the thread until the latch is open.
    func wait() {
        while unsafe sem_wait(semaphore) != 0, errno == EINTR {}
        // For the next one who waits.
        unsafe sem_post(semaphore)
    }
}
