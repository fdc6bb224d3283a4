internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

@Suite("An authentication handler", .timeLimit(.minutes(5)))
struct AuthenticatorTests {
    private let shared: SharedContext
    private let serverKeys: Curve.KeyPair

    init() throws {
        shared = try SharedContext()
        serverKeys = try Curve.keyPair()
    }

    private func server(on transport: Transport, in directory: TemporaryDirectory) throws -> Socket {
        let server = try Socket(.router, in: shared.context)
        try server.set(.curveServer, to: true)
        try server.set(.curveSecretKey, to: serverKeys.secretKey)
        try server.set(.zapDomain, to: "test")
        try server.set(.zapEnforceDomain, to: true)
        try server.bind(transport.endpoint(in: directory))
        return server
    }

    private func client(_ keys: Curve.KeyPair) throws -> Socket {
        let client = try Socket(.dealer, in: shared.context)
        try client.set(.curvePublicKey, to: keys.publicKey)
        try client.set(.curveSecretKey, to: keys.secretKey)
        try client.set(.curveServerKey, to: serverKeys.publicKey)
        return client
    }

    @Test("lets known keys in, under the name that it gives them", arguments: Transport.allCases)
    func admission(over transport: Transport) throws {
        let directory = try TemporaryDirectory()
        let keys = try Curve.keyPair()
        let requests = Mutex<[AuthenticationRequest]>([])
        let authenticator = try Authenticator(in: shared.context) { request in
            requests.withLock { $0.append(request) }
            return request.publicKey == keys.publicKey ? .admit(userID: "ada") : .deny(reason: "unknown")
        }
        let server = try server(on: transport, in: directory)
        let client = try client(keys)
        try client.connect(try server.lastEndpoint)
        #expect(try client.trySend(text("hello", "world")) == .sent)
        #expect(try server.next().count == 3)
        #expect(server.lastReceivedProperty("User-Id") == "ada")
        #expect(server.lastReceivedProperty("Nonsense") == nil)
        let request = try #require(requests.withLock { $0 }.first)
        #expect(request.domain == "test")
        #expect(request.mechanism == "CURVE")
        #expect(request.publicKey == keys.publicKey)
        if transport == .tcp { #expect(request.address == "127.0.0.1") }
        withExtendedLifetime(authenticator) {}
    }

    @Test("turns others away, who are told", arguments: Transport.allCases)
    func refusal(over transport: Transport) throws {
        let directory = try TemporaryDirectory()
        let authenticator = try Authenticator(in: shared.context) { _ in .deny(reason: "unknown") }
        let server = try server(on: transport, in: directory)
        let client = try client(try Curve.keyPair())
        let monitor = try SocketMonitor(of: client)
        try client.connect(try server.lastEndpoint)
        #expect(try client.trySend(text("let me in")) == .sent)
        #expect(try monitor.events(upTo: .handshakeFailedAuth).last?.value == 400)
        #expect(try server.tryReceiveMultipart(maxFrames: 4) == nil)
        withExtendedLifetime(authenticator) {}
    }

    @Test("nobody comes in when it has gone")
    func absence() throws {
        let directory = try TemporaryDirectory()
        do {
            let authenticator = try Authenticator(in: shared.context) { _ in .admit(userID: "anybody") }
            withExtendedLifetime(authenticator) {}
        }
        let server = try server(on: .tcp, in: directory)
        // libzmq closes the handler's socket in its own time: a request that still reaches it is never answered.
        try server.set(.handshakeInterval, to: .milliseconds(500))
        let monitor = try SocketMonitor(of: server)
        let client = try client(try Curve.keyPair())
        try client.connect(try server.lastEndpoint)
        #expect(try client.trySend(text("let me in")) == .sent)
        _ = try monitor.events(upTo: .handshakeFailedNoDetail)
        #expect(try server.tryReceiveMultipart(maxFrames: 4) == nil)
    }

    @Test("keys are told from other text")
    func keyText() throws {
        #expect(Curve.isKey(serverKeys.publicKey))
        #expect(!Curve.isKey(String(serverKeys.publicKey.dropLast())))
        #expect(!Curve.isKey(String(repeating: "\"", count: 40)))
        #expect(!Curve.isKey(String(repeating: "é", count: 20)))
        #expect(Curve.text(ofKey: [UInt8](repeating: 0, count: 32)) == String(repeating: "0", count: 40))
        #expect(Curve.text(ofKey: [1, 2, 3]) == nil)
    }
}
