internal import CCohortProcess
package import CohortBatch
package import CohortCore
internal import CohortProcess
internal import CohortRuntime
internal import Glibc
internal import Synchronization

/// Stands between a coordinator and its peers, and does to their messages what a plan says.
///
/// Each connection of a peer is one of its own to the coordinator, so that what breaks on one side breaks on the other, as
/// it would without anything in between; only messages are touched, never the connection's own greeting, commands and heartbeats.
/// Both sides are Unix sockets without keys.
package final class FaultProxy: Sendable {
    /// What other threads see and say.
    private struct Shared {
        var counts = MessageCounts()
        var isArmed = false
        var begun: Instant?
    }

    private let listener: Int32
    private let coordinator: String
    private let faults: [FrameFault]
    private let seed: UInt64
    private let shared = Mutex(Shared())
    private let isStopping = Atomic(false)
    /// The thread wakes when one of these ends is closed, and closes the other when it is done.
    private let wake: (reading: Int32, writing: Int32)
    private let done: (reading: Int32, writing: Int32)

    /// Listens at `path`, and connects whoever comes to the coordinator at the other one.
    package init(at path: String, to coordinator: String, faults: [FrameFault], seed: UInt64) throws(ChaosError) {
        self.coordinator = coordinator
        self.faults = faults
        self.seed = seed
        wake = try Self.pipe()
        done = try Self.pipe()
        listener = UnixSocket.open()
        guard listener >= 0 else { throw .system("open a socket", errno) }
        guard UnixSocket.bind(listener, path), listen(listener, 128) == 0 else {
            throw .system("listen at \(path)", errno)
        }
        do {
            try BlockingThread.start(named: "cohort-proxy") { [self] in serve() }
        } catch {
            throw .failed("cannot start the proxy: \(error)")
        }
    }

    private static func pipe() throws(ChaosError) -> (reading: Int32, writing: Int32) {
        var ends: (reading: Int32, writing: Int32) = (-1, -1)
        guard cohort_pipe(&ends.reading, &ends.writing) == 0 else { throw .system("open a pipe", errno) }
        return ends
    }

    /// With the next connection, that of the client with the batch, the plan's times begin to count. Until then everything passes.
    package func arm() { shared.withLock { $0.isArmed = true } }

    /// When the plan's times began to count; `nil` before.
    package var begun: Instant? { shared.withLock { $0.begun } }

    /// What was done to messages so far.
    package var counts: MessageCounts { shared.withLock { $0.counts } }

    /// Breaks all connections and waits until the thread has ended. Once only.
    package func stop() {
        isStopping.store(true, ordering: .releasing)
        close(wake.writing)
        _ = Descriptors.wait(for: [done.reading])
        close(done.reading)
        close(wake.reading)
        close(listener)
    }

    // MARK: The thread

    private func serve() {
        var links: [ProxyLink] = []
        var served = 0
        while !isStopping.load(ordering: .acquiring) {
            var items = [
                pollfd(fd: wake.reading, events: Int16(POLLIN), revents: 0),
                pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            ]
            let now = Instant.now
            for link in links { items += link.pollItems(at: now) }
            poll(
                &items,
                nfds_t(items.count),
                Self.milliseconds(until: links.compactMap { $0.nextDeadline(after: now) }.min(), now)
            )
            let later = Instant.now
            for (index, link) in links.enumerated() { link.turn(Array(items[(2 + 2 * index)...].prefix(2)), at: later) }
            note(links)
            links.removeAll { $0.isClosed }
            if items[1].revents != 0, let link = accept(served) {
                served += 1
                links.append(link)
                shared.withLock { if $0.isArmed { $0.begun = $0.begun ?? later } }
            }
            if let begun { for link in links { link.begin(faults, at: begun) } }
        }
        note(links)
        for link in links { link.close() }
        close(done.writing)
    }

    private func note(_ links: [ProxyLink]) {
        var sum = MessageCounts()
        for link in links { sum += link.takeCounts() }
        shared.withLock { $0.counts += sum }
    }

    private func accept(_ number: Int) -> ProxyLink? {
        let peer = Glibc.accept(listener, nil, nil)
        guard peer >= 0 else { return nil }
        _ = fcntl(peer, F_SETFD, FD_CLOEXEC)
        cohort_set_nonblocking(peer)
        let upstream = UnixSocket.open()
        guard upstream >= 0, UnixSocket.connect(upstream, coordinator) else {
            // Nobody listens there: the peer is to see what it would see.
            if upstream >= 0 { close(upstream) }
            close(peer)
            return nil
        }
        return ProxyLink(peer: peer, coordinator: upstream, seed: seed, number: number)
    }

    private static func milliseconds(until due: Instant?, _ now: Instant) -> Int32 {
        guard let due else { return -1 }
        return Int32(min((due.since(now).nanoseconds + 999_999) / 1_000_000, 60_000))
    }
}

/// Sockets with a path.
enum UnixSocket {
    static func open() -> Int32 {
        socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue), 0)
    }

    static func bind(_ descriptor: Int32, _ path: String) -> Bool {
        withAddress(path) { Glibc.bind(descriptor, $0, $1) == 0 }
    }

    static func connect(_ descriptor: Int32, _ path: String) -> Bool {
        withAddress(path) { Glibc.connect(descriptor, $0, $1) == 0 }
    }

    private static func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Bool) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return false
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
    }
}
