internal import Testing

@testable internal import ZeroMQ

@Suite("Socket monitors", .timeLimit(.minutes(5)))
struct SocketMonitorTests {
    private let shared: SharedContext

    init() throws {
        shared = try SharedContext()
    }

    @Test("both ends of a connection tell its whole life")
    func connectionLife() throws {
        let server = try Socket(.router, in: shared.context)
        let serverMonitor = try SocketMonitor(of: server)
        try server.bind("tcp://127.0.0.1:*")
        let endpoint = try server.lastEndpoint
        let listening = try #require(try serverMonitor.events(upTo: .listening).last)
        #expect(listening.address == endpoint)
        #expect(listening.value > 0)
        do {
            let client = try Socket(.dealer, in: shared.context)
            let monitor = try SocketMonitor(of: client)
            try client.connect(endpoint)
            let kinds = try monitor.events(upTo: .handshakeSucceeded).map(\.kind)
            #expect(kinds == [.connectDelayed, .connected, .handshakeSucceeded])
            // Whoever hangs up before the server has seen his half of the greeting has failed in it.
            let accepted = try serverMonitor.events(upTo: .handshakeSucceeded).map(\.kind)
            #expect(accepted == [.accepted, .handshakeSucceeded])
        }
        #expect(try serverMonitor.events(upTo: .disconnected).map(\.kind) == [.disconnected])
        server.close()
        #expect(try serverMonitor.events(upTo: .monitorStopped).last?.kind == .monitorStopped)
    }

    @Test("a refused connection is told, with the time of the next try")
    func refused() throws {
        let server = try PlainServer(isListening: false)
        let client = try Socket(.dealer, in: shared.context)
        try client.set(.reconnectInterval, to: .milliseconds(40))
        let monitor = try SocketMonitor(of: client)
        let endpoint = "tcp://127.0.0.1:\(server.port)"
        try client.connect(endpoint)
        let events = try monitor.events(upTo: .connectRetried)
        #expect(events.map(\.kind) == [.connectDelayed, .closed, .connectRetried])
        #expect(events.allSatisfy { $0.address == endpoint })
        let last = try #require(events.last)
        #expect(last.value >= 40)
        #expect(last.description == "\(endpoint): connection failed, next try in \(last.value) ms")
    }

    @Test("a server that speaks another protocol is told as a failed handshake")
    func foreignServer() throws {
        let server = try PlainServer(isListening: true)
        try spawnThread(name: "http", isDetached: true) {
            server.answer("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        let client = try Socket(.dealer, in: shared.context)
        let monitor = try SocketMonitor(of: client)
        try client.connect("tcp://127.0.0.1:\(server.port)")
        let events = try monitor.events(upTo: .handshakeFailedNoDetail)
        #expect(!events.map(\.kind).contains(.handshakeSucceeded))
        #expect(events.last?.explanation.hasPrefix("the peer did not complete the greeting") == true)
    }

    @Test("a monitor tells only what it was asked for")
    func selection() throws {
        let server = try Socket(.router, in: shared.context)
        let monitor = try SocketMonitor(of: server, events: [.handshakeSucceeded])
        try server.bind("tcp://127.0.0.1:*")
        let client = try Socket(.dealer, in: shared.context)
        try client.connect(try server.lastEndpoint)
        #expect(try monitor.events(upTo: .handshakeSucceeded).count == 1)
    }

    @Test("a socket goes on without its monitor, and a new one takes its place")
    func replacement() throws {
        let server = try Socket(.router, in: shared.context)
        let client = try Socket(.dealer, in: shared.context)
        do {
            let first = try SocketMonitor(of: server)
            let second = try SocketMonitor(of: server)
            #expect(try first.events(upTo: .monitorStopped).count == 1)
            first.close()
            try server.bind("tcp://127.0.0.1:*")
            #expect(try second.events(upTo: .listening).count == 1)
        }
        try client.connect(try server.lastEndpoint)
        #expect(try client.trySend(text("hello")) == .sent)
        #expect(try server.next().last == Array("hello".utf8))
        #expect(try SocketMonitor(of: server).tryReceive() == nil)
    }
}

extension SocketMonitor {
    fileprivate consuming func close() {}
}
