internal import Testing

@testable internal import ZeroMQ

@Suite("Socket options and errors", .timeLimit(.minutes(5)))
struct SocketOptionTests {
    private let shared: SharedContext

    init() throws {
        shared = try SharedContext()
    }

    private func expect<Value: Equatable>(
        _ option: SocketOption<Value>,
        keeps values: Value...,
        on kind: Socket.Kind = .dealer,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let socket = try Socket(kind, in: shared.context)
        for value in values {
            try socket.set(option, to: value)
            #expect(try socket.get(option) == value, "\(option.name)", sourceLocation: sourceLocation)
        }
    }

    @Test("every option that can be read gives back what was set, in its own type")
    func roundTrips() throws {
        try expect(.sendHighWaterMark, keeps: 0, 7)
        try expect(.receiveHighWaterMark, keeps: 0, 7)
        try expect(.backlog, keeps: 5)
        try expect(.maxMessageSize, keeps: -1, 64 << 20, 5 << 32)
        try expect(.immediate, keeps: true, false)
        try expect(.ipv6, keeps: true, false)
        try expect(.zapEnforceDomain, keeps: true, false)
        try expect(.linger, keeps: nil, .seconds(2), .zero)
        try expect(.sendTimeout, keeps: nil, .milliseconds(3))
        try expect(.receiveTimeout, keeps: nil, .milliseconds(3))
        try expect(.reconnectInterval, keeps: nil, .milliseconds(150))
        try expect(.reconnectIntervalMax, keeps: .seconds(5), .zero)
        try expect(.handshakeInterval, keeps: .seconds(3), .zero)
        try expect(.heartbeatInterval, keeps: .milliseconds(200), .zero)
        try expect(.heartbeatTimeout, keeps: .milliseconds(500), .zero)
        try expect(.connectTimeout, keeps: .seconds(30), .zero)
        try expect(.tcpMaxRetransmitTimeout, keeps: .seconds(20), .zero)
        try expect(.routingID, keeps: [1], [UInt8](repeating: 9, count: 255))
        try expect(.zapDomain, keeps: "pool")
        let keys = try Curve.keyPair()
        try expect(.curvePublicKey, keeps: keys.publicKey)
        try expect(.curveSecretKey, keeps: keys.secretKey)
        try expect(.curveServerKey, keeps: keys.publicKey)
        try expect(.curveServer, keeps: true, false)
    }

    @Test("a new socket lingers for no time unless it is told to")
    func linger() throws {
        for kind in Socket.Kind.allCases {
            #expect(try Socket(kind, in: shared.context).get(.linger) == .zero)
        }
        #expect(try Socket(.dealer, in: shared.context, linger: .seconds(1)).get(.linger) == .seconds(1))
        #expect(try Socket(.dealer, in: shared.context, linger: nil).get(.linger) == nil)
    }

    @Test("times are cut as the protocol needs it")
    func rounding() throws {
        let socket = try Socket(.dealer, in: shared.context)
        try socket.set(.heartbeatTTL, to: .milliseconds(1550))
        #expect(try socket.get(.heartbeatTTL) == .milliseconds(1500))
        try socket.set(.heartbeatTTL, to: .milliseconds(99))
        #expect(try socket.get(.heartbeatTTL) == .zero)
        try socket.set(.linger, to: .microseconds(1))
        #expect(try socket.get(.linger) == .milliseconds(1), "a short time is not none")
    }

    @Test("options of a router can be set, and only on a router")
    func routerOptions() throws {
        let router = try Socket(.router, in: shared.context)
        try router.set(.routerMandatory, to: true)
        try router.set(.routerHandover, to: true)
        let dealer = try Socket(.dealer, in: shared.context)
        let error = #expect(throws: ZeroMQError.self) { try dealer.set(.routerMandatory, to: true) }
        #expect(
            error?.description
                == "cannot set routerMandatory of a dealer socket: the option or its value does not fit"
        )
    }

    @Test("values out of range are refused with what is expected, and secrets are not told")
    func badValues() throws {
        let socket = try Socket(.dealer, in: shared.context)
        func message<Value>(_ option: SocketOption<Value>, _ value: Value) -> String? {
            let error = #expect(throws: ZeroMQError.self) { try socket.set(option, to: value) }
            #expect(error?.code == .invalidArgument)
            return error?.description
        }
        #expect(message(.backlog, 1 << 40) == "cannot set backlog: expected a number of 32 bits")
        #expect(message(.handshakeInterval, .seconds(-1))?.hasSuffix("expected a time from 0 to 24 days") == true)
        #expect(message(.linger, .seconds(1 << 40))?.hasSuffix("expected a time from 0 to 24 days, or nil") == true)
        #expect(message(.routingID, []) != nil)
        #expect(message(.routingID, [0, 1]) != nil)
        #expect(message(.routingID, [UInt8](repeating: 1, count: 256)) != nil)
        #expect(message(.zapDomain, "a\0b") != nil)
        #expect(message(.zapDomain, "") != nil)
        #expect(message(.sendHighWaterMark, -1) != nil)
        #expect(
            message(.curveSecretKey, "my secret") == "cannot set curveSecretKey: expected a key of 40 Z85 characters"
        )
        #expect(throws: ZeroMQError.self) {
            _ = try Socket(.dealer, in: shared.context, linger: .seconds(-1))
        }
        #expect(throws: ZeroMQError.self) { _ = try Context(ioThreads: -1) }
        #expect(throws: ZeroMQError.self) { _ = try Context(maxSockets: 0) }
    }

    @Test("errors name the endpoint and say why")
    func endpointErrors() throws {
        let socket = try Socket(.router, in: shared.context)
        try socket.bind("tcp://127.0.0.1:*")
        let taken = try socket.lastEndpoint
        #expect(!taken.contains("*"))
        func error(_ body: () throws(ZeroMQError) -> Void) -> ZeroMQError? {
            #expect(throws: ZeroMQError.self) { try body() }
        }

        let inUse = error { () throws(ZeroMQError) in try socket.bind(taken) }
        #expect(inUse?.code == .addressInUse)
        #expect(inUse?.description == "cannot bind \(taken): address already in use")

        let nonsense = error { () throws(ZeroMQError) in try socket.connect("nonsense") }
        #expect(nonsense?.code == .invalidArgument)
        #expect(nonsense?.description.hasPrefix("cannot connect to nonsense: expected an endpoint such as") == true)

        let transport = error { () throws(ZeroMQError) in try socket.bind("smoke://signal") }
        #expect(transport?.code == .notSupported)
        #expect(transport?.description == "cannot bind smoke://signal: the transport is not known")

        let path = "ipc:///" + String(repeating: "x", count: 120)
        let long = error { () throws(ZeroMQError) in try socket.bind(path) }
        #expect(long?.code == .invalidArgument)
        #expect(long?.description == "cannot bind \(path): the path of an ipc endpoint has at most 107 bytes")

        let interface = error { () throws(ZeroMQError) in try socket.bind("tcp://nowhere0:1") }
        #expect(interface?.code == .addressNotAvailable)

        let missing = error { () throws(ZeroMQError) in try socket.disconnect("tcp://127.0.0.1:1") }
        #expect(missing?.description == "cannot disconnect from tcp://127.0.0.1:1: it was not in use")

        let zero = error { () throws(ZeroMQError) in try socket.bind("ipc:///tmp/a\0b") }
        #expect(zero?.description == "cannot bind \"ipc:///tmp/a\\0b\": an endpoint has no zero bytes")
    }

    @Test("what was unbound can be bound again")
    func unbind() throws {
        let first = try Socket(.router, in: shared.context)
        try first.bind("inproc://again")
        try first.unbind("inproc://again")
        let second = try Socket(.router, in: shared.context)
        try second.bind("inproc://again")
        #expect(try second.lastEndpoint == "inproc://again")
    }
}
