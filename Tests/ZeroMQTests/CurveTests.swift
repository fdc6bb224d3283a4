internal import Testing

@testable internal import ZeroMQ

@Suite("CURVE", .timeLimit(.minutes(5)))
struct CurveTests {
    private let shared: SharedContext
    private let serverKeys: Curve.KeyPair

    init() throws {
        shared = try SharedContext()
        serverKeys = try Curve.keyPair()
    }

    private func server() throws -> Socket {
        let server = try Socket(.router, in: shared.context)
        try server.set(.curveServer, to: true)
        try server.set(.curveSecretKey, to: serverKeys.secretKey)
        return server
    }

    private func client(of serverKey: String) throws -> Socket {
        let keys = try Curve.keyPair()
        let client = try Socket(.dealer, in: shared.context)
        try client.set(.curvePublicKey, to: keys.publicKey)
        try client.set(.curveSecretKey, to: keys.secretKey)
        try client.set(.curveServerKey, to: serverKey)
        return client
    }

    @Test("the public key follows from the secret one, and a pair's text keeps the secret")
    func keys() throws {
        #expect(serverKeys.publicKey.utf8.count == Curve.keyLength)
        #expect(try Curve.publicKey(of: serverKeys.secretKey) == serverKeys.publicKey)
        #expect(try Curve.keyPair() != serverKeys)
        #expect(throws: ZeroMQError.self) { try Curve.publicKey(of: "short") }
        var dumped = ""
        dump(serverKeys, to: &dumped)
        for text in ["\(serverKeys)", String(reflecting: serverKeys), dumped] {
            #expect(!text.contains(serverKeys.secretKey))
        }
    }

    @Test("messages pass both ways", arguments: Transport.allCases)
    func roundTrip(over transport: Transport) throws {
        let directory = try TemporaryDirectory()
        let server = try server()
        try server.bind(transport.endpoint(in: directory))
        let client = try client(of: serverKeys.publicKey)
        try client.connect(try server.lastEndpoint)
        let big = [UInt8](repeating: 5, count: 100_000)
        #expect(try client.trySend([big, [1]]) == .sent)
        let received = try server.next()
        #expect(Array(received.dropFirst()) == [big, [1]])
        #expect(try server.trySend(to: received[0], [[2], big]) == .sent)
        #expect(try client.next() == [[2], big])
    }

    @Test("a client without security is turned away, and both ends are told")
    func mismatch() throws {
        let server = try server()
        try server.bind("tcp://127.0.0.1:*")
        let serverMonitor = try SocketMonitor(of: server)
        let client = try Socket(.dealer, in: shared.context)
        let clientMonitor = try SocketMonitor(of: client)
        try client.connect(try server.lastEndpoint)
        let event = try #require(try serverMonitor.events(upTo: .handshakeFailedProtocol).last)
        #expect(event.explanation == "the greeting failed: the peer uses another security mechanism")
        #expect(try clientMonitor.events(upTo: .handshakeFailedProtocol).last?.explanation == event.explanation)
    }

    @Test("a client that expects another server is told that the keys do not fit")
    func wrongServer() throws {
        let server = try server()
        try server.bind("tcp://127.0.0.1:*")
        let monitor = try SocketMonitor(of: server)
        let client = try client(of: try Curve.keyPair().publicKey)
        try client.connect(try server.lastEndpoint)
        let event = try #require(try monitor.events(upTo: .handshakeFailedProtocol).last)
        #expect(event.explanation == "the greeting failed: the keys do not fit")
    }
}
