internal import CohortProcess
internal import Glibc

/// The thread of a ``CallPool``: everything it does, and everything that only it touches.
final class CallPoolLoop {
    /// What a descriptor in the poller is, in the low bits of its token; the host's number stands above.
    enum Role: UInt64 {
        case socket = 0
        case process = 1
        case standardOutput = 2
        case standardError = 3
    }

    static let inboxToken = UInt64.max

    let configuration: CallPool.Configuration
    let poller: Poller
    var hosts: [PooledHost] = []
    /// Hosts whose process has ended, and of which something may be left.
    var endedHosts: [EndedHost] = []
    /// Events of this turn.
    var events: [CallEvent] = []
    /// Ids to be reported as returned at the end of this turn.
    var returned: [UInt64] = []
    /// Calls for which no host was free.
    var waiting: [CallRequest] = []
    /// Calls that must have ended at some time.
    var stops: [CallStop] = []
    /// Hosts that were killed before they were ready, since one has last said anything.
    var killedStarts = 0
    let inbox: CallPoolInbox
    private let onEvents: @Sendable ([CallEvent]) -> Void
    private var lastHostNumber: UInt64 = 0
    private var isStopping = false

    init(
        _ configuration: CallPool.Configuration,
        inbox: CallPoolInbox,
        poller: Poller,
        onEvents: @escaping @Sendable ([CallEvent]) -> Void
    ) {
        self.configuration = configuration
        self.inbox = inbox
        self.poller = poller
        self.onEvents = onEvents
        poller.add(inbox.descriptor, token: Self.inboxToken)
    }

    func run() {
        var ready: [Poller.Event] = []
        while !isStopping {
            ready.removeAll(keepingCapacity: true)
            poller.wait(until: nextDeadline, into: &ready)
            for event in ready {
                handle(event)
            }
            enforceStops()
            placeWaiting()
            dismissIdleHosts()
            for host in hosts { send(host) }
            report()
        }
        // What has ended before has ended in its own way, and whoever has asked for the stop ends what is left of it.
        endedHosts.forEach(settleCalls)
        report()
        for host in hosts {
            host.kill(because: .unresponsive)
        }
        for host in hosts {
            _ = host.reap()
        }
    }

    func makeHostNumber() -> UInt64 {
        lastHostNumber += 1
        return lastHostNumber
    }

    private func report() {
        if !returned.isEmpty {
            events.append(.returned(returned))
            returned.removeAll(keepingCapacity: true)
        }
        guard !events.isEmpty else { return }
        onEvents(events)
        events.removeAll(keepingCapacity: true)
    }

    // MARK: What happens

    private func handle(_ event: Poller.Event) {
        if event.token == Self.inboxToken {
            for request in inbox.take() { handle(request) }
            return
        }
        // A host may have ended earlier in the same turn.
        let number = event.token >> 2
        guard let role = Role(rawValue: event.token & 3), let host = hosts.first(where: { $0.number == number })
        else { return }
        switch role {
        case .socket:
            if event.isWritable { send(host) }
            if event.isReadable { receive(from: host) }
        case .process:
            finish(host)
        case .standardOutput:
            readOutput(of: host, 0)
        case .standardError:
            readOutput(of: host, 1)
        }
    }

    private func handle(_ request: CallPoolInbox.Request) {
        switch request {
        case .submit(let calls):
            for call in calls { submit(call) }
        case .cancel(let id, let grace, let reason):
            cancel(id, grace: grace, reason: reason)
        case .kill(let id):
            kill(id)
        case .recall(let ids):
            for id in ids { recall(id) }
        case .proceed(let id):
            proceed(id)
        case .grant(let id, let bytes):
            grant(id, bytes)
        case .gone(let number):
            for host in endedHosts where host.host.number == number { settleCalls(of: host) }
            endedHosts.removeAll { $0.host.number == number }
        case .stop:
            isStopping = true
        }
    }

    private var nextDeadline: UInt64? {
        let stop = stops.map(\.deadline).min()
        let idle = hosts.lazy.filter { $0.load == 0 && $0.ending == nil }.map { $0.idleSince }.min()
        let dismissal = idle.map { $0.saturatingAdd(configuration.idleLimit.clampedNanoseconds) }
        guard let stop else { return dismissal }
        return dismissal.map { min($0, stop) } ?? stop
    }

    private func dismissIdleHosts() {
        guard hosts.contains(where: { $0.load == 0 && $0.ending == nil }) else { return }
        let now = MonotonicClock.nanoseconds()
        let limit = configuration.idleLimit.clampedNanoseconds
        for host in hosts where host.load == 0 && host.ending == nil && host.idleSince.saturatingAdd(limit) <= now {
            host.dismiss()
        }
    }

    // MARK: Sockets

    private func send(_ host: PooledHost) {
        guard host.hasOrders, !host.isDisconnected else { return }
        host.send()
        if host.hasOrders != host.isBlocked {
            host.isBlocked = host.hasOrders
            poller.set(host.socket, token: host.token(.socket), writable: host.isBlocked)
        }
    }
}

extension PooledHost {
    func token(_ role: CallPoolLoop.Role) -> UInt64 {
        number << 2 | role.rawValue
    }
}

/// A cancel that is to be enforced.
struct CallStop {
    let host: UInt64
    let sequence: UInt64
    /// When to look next.
    var deadline: UInt64
    /// When the grace ended; nil while it lasts.
    var graceEnd: UInt64?
}
