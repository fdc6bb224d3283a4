internal import CohortBatch
internal import CohortCore
internal import Glibc

/// One connection of a peer, and the one to the coordinator that belongs to it.
final class ProxyLink {
    private static let second = TimeSpan.seconds(1)

    private let peer: Int32
    private let coordinator: Int32
    private let seed: UInt64
    private let number: Int
    private var toCoordinator: ProxyFlow
    private var toPeer: ProxyFlow
    /// When it is next decided whether the connection breaks; `nil` while the plan is silent.
    private var nextBreak: Instant?
    private var disconnected = 0
    private(set) var isClosed = false

    init(peer: Int32, coordinator: Int32, seed: UInt64, number: Int) {
        self.peer = peer
        self.coordinator = coordinator
        self.seed = seed
        self.number = number
        toCoordinator = ProxyFlow()
        toPeer = ProxyFlow()
    }

    /// From now on the plan holds. Only the first time counts.
    func begin(_ faults: [FrameFault], at begun: Instant) {
        guard nextBreak == nil, !faults.isEmpty else { return }
        let rules = faults.map { MessageFaults.Rule(fault: $0, begun: begun) }
        toCoordinator.faults = MessageFaults(rules, seed: seed, connection: number, direction: "in")
        toPeer.faults = MessageFaults(rules, seed: seed, connection: number, direction: "out")
        nextBreak = begun.advanced(by: Self.second)
    }

    func takeCounts() -> MessageCounts {
        var counts = toCoordinator.takeCounts()
        counts += toPeer.takeCounts()
        counts.disconnected += disconnected
        disconnected = 0
        return counts
    }

    // MARK: Turns

    /// What to wait for: the peer's side, then the coordinator's.
    func pollItems(at now: Instant) -> [pollfd] {
        [
            Self.item(peer, reads: toCoordinator.wantsToRead, writes: toPeer.hasDue(at: now)),
            Self.item(coordinator, reads: toPeer.wantsToRead, writes: toCoordinator.hasDue(at: now)),
        ]
    }

    private static func item(_ descriptor: Int32, reads: Bool, writes: Bool) -> pollfd {
        let events = (reads ? Int16(POLLIN) : 0) | (writes ? Int16(POLLOUT) : 0)
        // Without a wish poll would still tell of the end, again and again.
        return pollfd(fd: events == 0 ? -1 : descriptor, events: events, revents: 0)
    }

    /// When something is due that no socket tells of.
    func nextDeadline(after now: Instant) -> Instant? {
        [toCoordinator.nextDeadline(after: now), toPeer.nextDeadline(after: now), nextBreak].compactMap(\.self).min()
    }

    func turn(_ items: [pollfd], at now: Instant) {
        var endings: [ProxyFlow.Ending?] = []
        if items[0].revents != 0, toCoordinator.wantsToRead { endings.append(toCoordinator.read(from: peer, at: now)) }
        if items[1].revents != 0, toPeer.wantsToRead { endings.append(toPeer.read(from: coordinator, at: now)) }
        endings.append(toCoordinator.write(to: coordinator, at: now))
        endings.append(toPeer.write(to: peer, at: now))
        let isSpent = toCoordinator.isAtEnd && toCoordinator.isEmpty || toPeer.isAtEnd && toPeer.isEmpty
        if isSpent || endings.contains(.failed) { return close() }
        guard let due = nextBreak, due <= now else { return }
        nextBreak = due.advanced(by: Self.second)
        if toCoordinator.breaks(at: now) {
            disconnected += 1
            close()
        }
    }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        Glibc.close(peer)
        Glibc.close(coordinator)
    }
}
