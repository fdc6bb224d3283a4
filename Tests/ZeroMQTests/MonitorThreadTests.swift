internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

@Suite("Monitors on threads of their own", .timeLimit(.minutes(5)))
struct MonitorThreadTests {
    private let shared: SharedContext

    init() throws {
        shared = try SharedContext()
    }

    @Test("tell of a connection that is lost, and go on with the next one")
    func breaks() async throws {
        let server = try Socket(.router, in: shared.context)
        try server.bind("tcp://127.0.0.1:*")
        let endpoint = try server.lastEndpoint
        let (events, continuation) = AsyncStream.makeStream(of: SocketMonitor.Event.Kind.self)
        try MonitorThread.start(on: server, events: [.handshakeSucceeded, .disconnected]) { event in
            continuation.yield(event.kind)
        }
        for _ in 0..<3 {
            let client = try Socket(.dealer, in: shared.context)
            try client.connect(endpoint)
            _ = try client.trySend([[1]])
            _ = try server.next()
            client.close()
        }
        var kinds: [SocketMonitor.Event.Kind] = []
        for await kind in events {
            kinds.append(kind)
            if kinds.count == 6 { break }
        }
        #expect(kinds.count { $0 == .disconnected } == 3)
    }

    @Test("are gone when their socket is, so that the context can end with what was sent last")
    func lastWords() throws {
        let server = try Socket(.router, in: shared.context)
        try server.bind("tcp://127.0.0.1:*")
        let endpoint = try server.lastEndpoint
        for number: UInt8 in 0..<20 {
            let context = try Context()
            do {
                let client = try Socket(.dealer, in: context, linger: .seconds(60))
                try MonitorThread.start(on: client, events: SocketMonitor.Event.Kind.allCases) { _ in }
                try client.connect(endpoint)
                _ = try client.trySend([[number]])
            }
            context.close()
            // It had been handed to the system when the context had ended.
            #expect(try server.next().last == [number])
        }
    }
}
