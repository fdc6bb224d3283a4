internal import CZeroMQ
internal import Glibc

/// The poll set of a loop: sockets and descriptors by token, and the `eventfd` that other threads wake the loop with.
///
/// Confined to the loop's thread.
@safe
final class LoopPoller {
    /// A source that has something.
    enum Ready {
        case socket(Int)
        case descriptor(Int, events: Int16)
    }

    private enum Source {
        case socket(SocketLiveness)
        case descriptor(Int32, events: Int16)
    }

    private struct Registration {
        let token: Int
        let source: Source
        var isEnabled = true
        var hasFailed = false
        // Tells a registration from a later one with the same token.
        let serial: Int

        var isOpen: Bool {
            switch source {
            case .socket(let liveness): unsafe liveness.handle != nil
            case .descriptor: true
            }
        }
    }

    private let wakeDescriptor: Int32
    private var registrations: [Registration] = []
    private var serial = 0

    // What zmq_poll is given; rebuilt only after a change. The first item is the wake-up, item i + 1 is polled[i].
    private var items: [zmq_pollitem_t] = unsafe []
    private var polled: [Registration] = []
    private var isStale = true

    init(wakeDescriptor: Int32) {
        self.wakeDescriptor = wakeDescriptor
    }

    /// How many sources the last poll looked at.
    var count: Int { polled.count }

    func register(_ socket: borrowing Socket, token: Int) {
        add(.socket(socket.liveness), token)
    }

    func register(descriptor: Int32, events: Int16, token: Int) {
        add(.descriptor(descriptor, events: events), token)
    }

    func deregister(_ token: Int) {
        registrations.removeAll { $0.token == token }
        isStale = true
    }

    func setPolling(_ token: Int, isEnabled: Bool) {
        guard let index = registrations.firstIndex(where: { $0.token == token }),
            registrations[index].isEnabled != isEnabled
        else { return }
        registrations[index].isEnabled = isEnabled
        isStale = true
    }

    func removeAll() {
        registrations = []
        polled = []
        unsafe items = unsafe []
        isStale = true
    }

    /// Waits until a source is ready, the loop is woken, or the time is over.
    ///
    /// - Parameter milliseconds: -1 is for ever.
    func poll(milliseconds: Int) {
        // A socket that was closed without being deregistered must not be looked at again.
        if isStale || polled.contains(where: { !$0.isOpen }) { rebuild() }
        let result = unsafe items.withUnsafeMutableBufferPointer {
            unsafe zmq_poll($0.baseAddress, Int32($0.count), milliseconds)
        }
        if result < 0 {
            let errno = zmq_errno()
            for index in unsafe items.indices { unsafe items[index].revents = 0 }
            if errno != EINTR { isolateFailures() }
        } else if unsafe items[0].revents != 0 {
            var value: UInt64 = 0
            // Only resets the counter; it does not matter what it was.
            _ = unsafe read(wakeDescriptor, &value, MemoryLayout<UInt64>.size)
        }
    }

    /// What the last poll found at an index below ``count``, unless a handler has taken it out of the set since.
    func ready(at index: Int) -> Ready? {
        let events = unsafe items[index + 1].revents
        guard events != 0 else { return nil }
        let registration = polled[index]
        guard !isStale || isCurrent(registration), registration.isOpen else { return nil }
        switch registration.source {
        case .socket: return .socket(registration.token)
        case .descriptor: return .descriptor(registration.token, events: Self.systemEvents(events))
        }
    }

    private func add(_ source: Source, _ token: Int) {
        registrations.removeAll { $0.token == token }
        serial += 1
        registrations.append(Registration(token: token, source: source, serial: serial))
        isStale = true
    }

    private func isCurrent(_ registration: Registration) -> Bool {
        registrations.contains { $0.serial == registration.serial && $0.isEnabled }
    }

    private func rebuild() {
        registrations.removeAll { !$0.isOpen }
        polled = registrations.filter { $0.isEnabled && !$0.hasFailed }
        unsafe items = unsafe [zmq_pollitem_t(socket: nil, fd: wakeDescriptor, events: Int16(ZMQ_POLLIN), revents: 0)]
        for registration in polled {
            switch registration.source {
            case .socket(let liveness):
                unsafe items.append(
                    zmq_pollitem_t(socket: liveness.handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
                )
            case .descriptor(let descriptor, let events):
                let events = Self.libraryEvents(events)
                unsafe items.append(zmq_pollitem_t(socket: nil, fd: descriptor, events: events, revents: 0))
            }
        }
        isStale = false
    }

    /// After a poll that failed as a whole: reports each socket that cannot be polled as ready, and polls it no more, or the
    /// loop would spin on it. The handler learns the reason when it receives.
    private func isolateFailures() {
        var isExplained = false
        for (index, registration) in polled.enumerated() {
            guard case .socket(let liveness) = registration.source, !Self.canPoll(liveness) else { continue }
            unsafe items[index + 1].revents = Int16(ZMQ_POLLIN)
            isExplained = true
            isStale = true
            for other in registrations.indices where registrations[other].serial == registration.serial {
                registrations[other].hasFailed = true
            }
        }
        // The kernel is short of memory for the moment: try again, but do not spin.
        if !isExplained { usleep(1000) }
    }

    private static func canPoll(_ liveness: SocketLiveness) -> Bool {
        var events: Int32 = 0
        var size = MemoryLayout<Int32>.size
        return unsafe zmq_getsockopt(liveness.handle, ZMQ_EVENTS, &events, &size) == 0
    }

    // libzmq has flags of its own for poll(2)'s.
    private static let flags: [(system: Int16, library: Int16)] = [
        (Int16(POLLIN), Int16(ZMQ_POLLIN)), (Int16(POLLOUT), Int16(ZMQ_POLLOUT)),
        (Int16(POLLERR), Int16(ZMQ_POLLERR)), (Int16(POLLPRI), Int16(ZMQ_POLLPRI)),
    ]

    private static func libraryEvents(_ events: Int16) -> Int16 {
        flags.reduce(0) { events & $1.system != 0 ? $0 | $1.library : $0 }
    }

    private static func systemEvents(_ events: Int16) -> Int16 {
        flags.reduce(0) { events & $1.library != 0 ? $0 | $1.system : $0 }
    }
}
