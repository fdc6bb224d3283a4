internal import CCohortProcess
internal import Glibc

/// epoll with a word of the owner's for each descriptor.
final class Poller: Sendable {
    struct Event {
        let token: UInt64
        let isWritable: Bool
        /// There is something to read, if only the end.
        let isReadable: Bool
    }

    private static let eventsAtATime: Int32 = 64
    private let descriptor: Int32

    init() throws(CallPoolError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        if descriptor < 0 { throw CallPoolError(step: "epoll_create1", errno: errno) }
    }

    deinit {
        close(descriptor)
    }

    func add(_ watched: Int32, token: UInt64) {
        control(EPOLL_CTL_ADD, watched, token, EPOLLIN.rawValue)
    }

    func set(_ watched: Int32, token: UInt64, writable: Bool) {
        control(EPOLL_CTL_MOD, watched, token, EPOLLIN.rawValue | (writable ? EPOLLOUT.rawValue : 0))
    }

    func remove(_ watched: Int32) {
        control(EPOLL_CTL_DEL, watched, 0, 0)
    }

    private func control(_ operation: Int32, _ watched: Int32, _ token: UInt64, _ interest: UInt32) {
        var event = epoll_event(events: interest, data: epoll_data_t(u64: token))
        epoll_ctl(descriptor, operation, watched, &event)
    }

    /// Waits for events until the monotonic clock shows `deadline` (nil: for ever), and appends them.
    func wait(until deadline: UInt64?, into events: inout [Event]) {
        let timeout = deadline.map { deadline in
            let now = MonotonicClock.nanoseconds()
            // Upwards, or the last fraction of a millisecond would be spent spinning.
            let milliseconds = deadline > now ? (deadline - now) / 1_000_000 + 1 : 0
            return Int32(clamping: milliseconds)
        }
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Int(Self.eventsAtATime)) { buffer in
            let count = epoll_wait(descriptor, buffer.baseAddress, Self.eventsAtATime, timeout ?? -1)
            for event in buffer.prefix(Int(max(count, 0))) {
                let isWritable = event.events & EPOLLOUT.rawValue != 0
                let isReadable = event.events & ~EPOLLOUT.rawValue != 0
                events.append(Event(token: event.data.u64, isWritable: isWritable, isReadable: isReadable))
            }
        }
    }
}
