internal import CohortCore
internal import CohortWire

/// The decoder of frames, and the two ends of the protocol behind it.
///
/// Messages go to a coordinator that has a client and a worker, once as they are and once, if they can be understood, as the
/// next one of the sender's session: only those get past the header. The same with a peer whose session is open.
package struct FrameTarget: FuzzTarget {
    package static let name = "frames"
    package static let words: [[UInt8]] = []

    /// Messages taken of one input.
    private static let messagesMax = 64
    private static let start = Instant(nanoseconds: 1_000_000_000)

    package init() {}

    package func run(_ input: [UInt8]) throws {
        let messages = FrameInput(input).messages.prefix(Self.messagesMax)
        var stage = Stage(at: Self.start)
        for message in messages {
            try Self.checkDecoding(message.frames)
            stage.take(message)
        }
        try stage.finish()
    }

    package func mutate(_ input: [UInt8], with other: [UInt8], _ random: inout SplitMix64) -> [UInt8]? {
        var input = FrameInput(input)
        let others = FrameInput(other).messages
        guard !input.messages.isEmpty else { return others.isEmpty ? nil : other }
        let index = random.below(input.messages.count)
        switch random.below(8) {
        case 0: input.messages = Array(input.messages[index...].prefix(1 + random.below(8)))
        case 1: input.messages.insert(input.messages[index], at: random.below(input.messages.count + 1))
        case 2: input.messages[index].route = random.byte() % 4
        case 3:
            guard !others.isEmpty else { return nil }
            input.messages.insert(others[random.below(others.count)], at: random.below(input.messages.count + 1))
        default:
            guard let frame = input.messages[index].frames.first, var fields = ProtobufFields(frame) else { return nil }
            let donor = others.isEmpty ? nil : others[random.below(others.count)].frames.first
            fields.mutate(with: donor.flatMap { ProtobufFields($0) }, &random)
            input.messages[index].frames[0] = fields.bytes
        }
        return input.bytes
    }

    /// What was decoded is encoded to something that decodes to the same.
    private static func checkDecoding(_ frames: [[UInt8]]) throws {
        guard let (header, body) = try? FrameCodec.decode(frames) else { return }
        let again = try FrameCodec.decode(FrameCodec.encode(header, body))
        guard again.0 == header, again.1 == body else { throw FuzzFailure("\(body) comes back as \(again.1)") }
    }
}

/// A coordinator with a client and a worker, and a client of another one.
private struct Stage {
    /// Routes of the coordinator's peers; others are strangers.
    private static let client: UInt8 = 1
    private static let worker: UInt8 = 2
    private static let epoch: UInt64 = 7
    /// More than the lease.
    private static let secondsToRest = 13
    private static let own = FrameHeader(epoch: epoch, session: 1)

    private var coordinator: CoordinatorNode
    private var peer: PeerNode
    private var sequences: [UInt8: UInt64] = [:]
    private var peerSequence: UInt64 = 0
    private var now: Instant

    init(at now: Instant) {
        self.now = now
        coordinator = CoordinatorNode(core: CoordinatorCore(), epoch: Self.epoch, name: "fuzz")
        let greeting = Greeting(role: .client, name: "client", host: "here", processID: 1, token: PeerToken(1))
        let offer = WorkerOffer(
            name: "worker",
            host: "here",
            processID: 2,
            slots: 2,
            credit: 4,
            runsCommands: true,
            functions: ["demo.echo"]
        )
        let worker = Greeting(role: .worker(offer), name: "worker", host: "here", processID: 2, token: PeerToken(2))
        for (route, greeting) in [(Self.client, greeting), (Self.worker, worker)] {
            let frames = FrameCodec.encode(FrameHeader(), .hello(greeting))
            coordinator.received(route: [route], frames: frames, at: now)
        }
        peer = PeerNode(greeting: greeting, at: now, patience: nil)
        let acceptance = Acceptance(heartbeat: .seconds(1), lease: .seconds(10), coordinator: "fuzz")
        peer.received(frames: FrameCodec.encode(Self.own, .welcome(acceptance)), at: now)
        settle()
    }

    mutating func take(_ message: FrameInput.Message) {
        now = now.advanced(by: .milliseconds(10))
        coordinator.received(route: [message.route], frames: message.frames, at: now)
        peer.received(frames: message.frames, at: now)
        if let body = try? FrameCodec.decode(message.frames).1 {
            let session: UInt64 = message.route == Self.client ? 1 : 2
            let header = header(session, body, &sequences[message.route, default: 0])
            coordinator.received(route: [message.route], frames: FrameCodec.encode(header, body), at: now)
            let own = self.header(1, body, &peerSequence)
            peer.received(frames: FrameCodec.encode(own, body), at: now)
        }
        settle()
    }

    private func header(_ session: UInt64, _ body: FrameBody, _ sequence: inout UInt64) -> FrameHeader {
        if body.isNumbered { sequence += 1 }
        return FrameHeader(
            epoch: Self.epoch,
            session: session,
            sequence: body.isNumbered ? sequence : 0,
            acknowledge: .max
        )
    }

    private mutating func settle() {
        coordinator.flush(at: now)
        coordinator.outgoing.removeAll()
        coordinator.notices.removeAll()
        peer.timeReached(at: now)
        peer.outgoing.removeAll()
        peer.inbox.removeAll()
    }

    /// The core is in order, and comes to rest when nobody speaks any more.
    mutating func finish() throws {
        try check()
        for _ in 0..<Self.secondsToRest {
            now = now.advanced(by: .seconds(1))
            settle()
        }
        try check()
        if coordinator.peerCount > 0 {
            throw FuzzFailure("\(coordinator.peerCount) silent peers have not been given up")
        }
    }

    private func check() throws {
        let faults = coordinator.core.checkInvariants()
        if !faults.isEmpty { throw FuzzFailure("the core is out of order: \(faults)") }
    }
}
