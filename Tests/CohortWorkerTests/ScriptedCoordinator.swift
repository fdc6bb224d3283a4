internal import CohortCore
internal import CohortWire
internal import Testing
internal import ZeroMQ

/// A coordinator that says to its only worker what a test wants said.
final class ScriptedCoordinator {
    static let epoch: UInt64 = 5
    private static let limit = Duration.seconds(60)
    private static let template = AssignedTemplate(
        id: TemplateID(1),
        group: GroupID(1),
        groupName: "group",
        hold: .never,
        // It goes on without a coordinator for the lease.
        template: TaskTemplate(name: "task"),
        detached: true
    )

    private let context: Context
    private let socket: Socket
    private var route: [UInt8] = []
    private var session: UInt64 = 0
    private var link = Link()

    init(at endpoint: String) throws {
        context = try Context()
        socket = try Socket(.router, in: context)
        try socket.bind(endpoint)
    }

    /// Waits for a worker's hello and opens a session for it; returns what it offers.
    ///
    /// - Parameter unwanted: what it is told to drop of what it holds.
    @discardableResult
    func welcome(
        lease: TimeSpan = .seconds(60),
        unwanted: [AttemptRef] = []
    ) throws -> (Greeting, WorkerOffer) {
        while true {
            let (from, _, body) = try receive()
            // What an earlier session has left.
            guard case .hello(let greeting) = body, case .worker(let offer) = greeting.role else { continue }
            route = from
            session += 1
            link = Link()
            let heartbeat = TimeSpan(nanoseconds: lease.nanoseconds / 10)
            try post(
                FrameHeader(epoch: Self.epoch, session: session),
                .welcome(
                    Acceptance(
                        heartbeat: heartbeat,
                        lease: lease,
                        coordinator: "scripted",
                        resumed: greeting.request.previous != 0,
                        unwanted: unwanted,
                        durable: true
                    )
                )
            )
            return (greeting, offer)
        }
    }

    /// Waits for something that anybody says, sessions left aside.
    func await<Found>(_ pick: (FrameBody) -> Found?) throws -> Found {
        while true {
            if let found = pick(try receive().2) { return found }
        }
    }

    func send(_ body: FrameBody) throws {
        let sequence = body.isNumbered ? link.nextSequence() : 0
        let header = FrameHeader(
            epoch: Self.epoch,
            session: session,
            sequence: sequence,
            acknowledge: link.settled
        )
        try post(header, body)
    }

    /// What the worker says next, its heartbeats and repeated hellos left out.
    func next() throws -> FrameBody {
        while true {
            let (from, header, body) = try receive()
            guard from == route else { continue }
            if header.sequence > 0 { _ = link.received(sequence: header.sequence, acknowledge: header.acknowledge) }
            switch body {
            case .hello, .heartbeat: continue
            default: return body
            }
        }
    }

    /// Commands to be run, one a task.
    static func batch(_ refs: [AttemptRef]) -> AssignBatch {
        var batch = AssignBatch()
        batch.templates = [template]
        let payload = CommandPayload(program: .shell(Array("true".utf8))).bytes
        for (index, ref) in refs.enumerated() {
            batch.tasks.append(
                Assignment(
                    ref: ref,
                    template: template.id,
                    index: UInt32(index),
                    payloadLength: UInt32(payload.count)
                )
            )
            batch.payload += payload
        }
        return batch
    }

    private func post(_ header: FrameHeader, _ body: FrameBody) throws {
        try #require(try socket.trySend(to: route, FrameCodec.encode(header, body)) == .sent)
    }

    private func receive() throws -> (from: [UInt8], FrameHeader, FrameBody) {
        try #require(try socket.waitUntilReadable(timeout: Self.limit), "the worker says nothing")
        let frames = try #require(try socket.tryReceiveMultipart(maxFrames: 3))
        let (header, body) = try FrameCodec.decode(Array(frames.dropFirst()))
        return (frames[0], header, body)
    }
}
