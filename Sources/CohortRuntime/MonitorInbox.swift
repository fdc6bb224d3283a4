internal import CohortCore
internal import Synchronization
internal import ZeroMQ

/// Events of a connection on their way from the thread that watches it to the loop.
final class MonitorInbox: Sendable {
    /// All that explains why nobody answers, or tells of a break.
    static let kinds: [SocketMonitor.Event.Kind] = [
        .connected, .disconnected, .handshakeSucceeded, .handshakeFailedNoDetail, .handshakeFailedProtocol,
        .handshakeFailedAuth,
    ]

    /// An event, and when it was told: the loop may come to it much later.
    typealias Entry = (event: SocketMonitor.Event, at: Instant)

    private let events = Mutex<[Entry]>([])
    /// Looked at in every turn of the loop, and so without the lock.
    private let count = Atomic(0)

    var hasEvents: Bool { count.load(ordering: .acquiring) > 0 }

    func put(_ event: SocketMonitor.Event) {
        let now = Instant.now
        events.withLock { $0.append((event, now)) }
        count.add(1, ordering: .releasing)
    }

    func takeAll() -> [Entry] {
        let all = events.withLock { events in
            defer { events.removeAll() }
            return events
        }
        count.subtract(all.count, ordering: .relaxed)
        return all
    }
}
