internal import CohortCore
internal import CohortFuzzKit
internal import CohortWire
internal import Glibc
internal import TestSupport
internal import Testing
internal import ZeroMQ

extension CommandLineTests {
    @Suite("Hostile peers")
    struct HostilePeerTests {
        private let sandbox: Sandbox

        init() throws { sandbox = try Sandbox() }

        @Test(
            "10,000 random messages and raw garbage on the coordinator's port are counted drops; the batch there goes on"
        )
        func randomFrames() throws {
            let cluster = try Cluster(sandbox, options: ["--lease", "60s"])
            let worker = try cluster.worker("one")
            let started = try sandbox.gate("started")
            let go = try sandbox.gate("go")
            let file = try sandbox.write(
                "b.yaml",
                """
                tasks:
                  - {name: before, run: echo before}
                  - {name: during, run: "echo up > started; read x < go; echo survived"}
                  - {name: after, run: echo after}
                  - {name: call, call: demo.echo, args: called}
                """
            )
            let run = try cluster.start("run", file)
            try started.await(of: run)
            try Garbage(seed: 7).send(connections: 300, to: cluster.port)
            let count = 10_000
            try Garbage(seed: 8).send(messages: count, to: cluster.endpoint)
            // A quarter of the messages is well formed and of a session that is not known: that is answered, not counted. Of
            // the garbage, a part passes for messages of ZMTP 1.0.
            #expect(try cluster.status().badFrames > count / 2)
            let words = try cluster.cohort("status").standardOutput.split(whereSeparator: \.isWhitespace)
            let place = try #require(words.firstIndex(of: "dropped:"), "\(words)")
            #expect(try #require(Int(words[place + 1])) > count / 2)
            #expect(words[place + 2] == "frames")
            go.open()
            let finished = try run.wait()
            #expect(finished.code == 0, "\(finished)")
            #expect(Set(finished.lines) == ["before", "survived", "after", "called"])
            let peak = try #require(ProcessScan.peakMemory(of: cluster.coordinator.pid))
            #expect(peak < 128 << 20)
            withExtendedLifetime(worker) {}
        }

        @Test("A worker finds the coordinator that comes after something else has listened at its port")
        func formerTenant() throws {
            let reserved = try ReservedPort()
            // libzmq takes what comes for a breach of the protocol, and connects no more by itself.
            let tenant = try TinyServer(port: reserved.number, until: { $0 >= 1 }, answer: TinyServer.zeros)
            let worker = try sandbox.startCohort("worker", "--connect", reserved.endpoint, "--slots", "1")
            tenant.untilEnded()
            let cluster = try Cluster(sandbox, bind: reserved.endpoint)
            try worker.waitForError("connected to")
            let mapped = try sandbox.cohort("map", "--connect", cluster.endpoint, "echo {}", ":::", "found")
            #expect(mapped.lines == ["found"], "\(mapped)")
        }
    }
}

/// What somebody with bad intentions, or a program that has lost its way, sends to a port.
private struct Garbage {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// Opens TCP connections one after the other, sends random bytes on each, and hangs up.
    func send(connections: Int, to port: UInt16) throws {
        var garbage = self
        for number in 0..<connections {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { throw SystemFailure(what: "make a socket") }
            defer { close(descriptor) }
            var address = ReservedPort.loopback(port: port)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { throw SystemFailure(what: "connect to port \(port), connection \(number)") }
            // Every other one begins as a peer of ZeroMQ would.
            let bytes = (number.isMultiple(of: 2) ? Self.greeting : []) + garbage.bytes(upTo: 2_000)
            _ = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    /// The greeting of ZMTP 3.0 with the NULL mechanism.
    private static let greeting: [UInt8] =
        [0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0] + Array("NULL".utf8) + Array(repeating: 0, count: 48)

    /// Sends messages through ZeroMQ; returns when the coordinator has dealt with all of them.
    func send(messages: Int, to endpoint: String) throws {
        var garbage = self
        let context = try Context()
        let socket = try Socket(.dealer, in: context)
        try socket.set(.sendHighWaterMark, to: 0)
        try socket.set(.receiveHighWaterMark, to: 0)
        try socket.connect(endpoint)
        for _ in 0..<messages {
            guard try socket.trySend(garbage.message()) == .sent else {
                throw Overrun(description: "a message did not go out")
            }
        }
        // Messages of one connection are dealt with in their order, so the answer to a last good one comes after them all.
        let greeting = Greeting(role: .client, name: "last", host: "here", processID: 1)
        _ = try socket.trySend(FrameCodec.encode(FrameHeader(), .hello(greeting)))
        while true {
            guard try socket.waitUntilReadable(timeout: Program.patience) else {
                throw Overrun(description: "the coordinator does not answer a good message after bad ones")
            }
            let answer = try socket.tryReceiveMultipart(maxFrames: 2) ?? []
            if case .welcome = try FrameCodec.decode(answer).1 { return }
        }
    }

    private mutating func message() -> [[UInt8]] {
        switch random.next() % 4 {
        case 0: return (0...random.next() % 4).map { _ in bytes(upTo: 200) }
        case 1: return [bytes(upTo: 20)]
        case 2: return proper()
        default:
            var frames = proper()
            for _ in 0...random.next() % 3 {
                let place = Int(random.next() % UInt64(frames[0].count))
                frames[0][place] = UInt8(truncatingIfNeeded: random.next())
            }
            frames[0].removeLast(Int(random.next() % 4))
            return frames
        }
    }

    /// A message that would be in order if only its session were known.
    private mutating func proper() -> [[UInt8]] {
        let header = FrameHeader(
            epoch: random.next(),
            session: random.next(),
            sequence: random.next() % 9,
            acknowledge: 0
        )
        let key = GroupKey(UInt32(truncatingIfNeeded: random.next()))
        let bodies: [FrameBody] = [
            .query, .draining, .goodbye("bye"), .heartbeat(last: random.next()), .resend(from: random.next()),
            .openGroup(GroupSpec(key: key, name: "mine", policy: .cancel)), .seal(key, .returned),
            .cancelGroup(.name("b"), grace: .zero, reason: "malice"), .watch(.id(GroupID(random.next()))),
        ]
        return FrameCodec.encode(header, bodies[Int(random.next() % UInt64(bodies.count))])
    }

    private mutating func bytes(upTo limit: UInt64) -> [UInt8] {
        (0..<random.next() % limit).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
