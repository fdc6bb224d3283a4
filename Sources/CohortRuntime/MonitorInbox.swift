internal import Synchronization
internal import ZeroMQ

/// Events of a connection on their way from the thread that watches it to the loop.
final class MonitorInbox: Sendable {
    /// All that explains why nobody answers, or tells of a break.
    static let kinds: [SocketMonitor.Event.Kind] = [
        .connected, .disconnected, .handshakeSucceeded, .handshakeFailedNoDetail, .handshakeFailedProtocol,
        .handshakeFailedAuth,
    ]

    private let events = Mutex<[SocketMonitor.Event]>([])
    /// Looked at in every turn of the loop, and so without the lock.
    private let count = Atomic(0)

    var hasEvents: Bool { count.load(ordering: .acquiring) > 0 }

    func put(_ event: SocketMonitor.Event) {
        events.withLock { $0.append(event) }
        count.add(1, ordering: .releasing)
    }

    func takeAll() -> [SocketMonitor.Event] {
        let all = events.withLock { events in
            defer { events.removeAll() }
            return events
        }
        count.subtract(all.count, ordering: .relaxed)
        return all
    }
}
