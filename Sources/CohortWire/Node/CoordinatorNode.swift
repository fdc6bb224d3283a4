package import CohortCore

/// The protocol around `CoordinatorCore`: what arrives becomes events, and actions become what is to be sent.
///
/// A value without sockets, threads or clocks, so that a simulator can run it as the coordinator's process does. Whoever
/// drives it gives it what has arrived (`received`), calls `flush` when a burst has been dealt with, and takes what stands in
/// `outgoing` and `notices`. All that is decided is decided in the core; all that arrives is judged here first, and what
/// cannot be understood is counted and dropped (promise 9).
package struct CoordinatorNode: Sendable {
    /// A message on its way to a peer: the routing id of its connection, and the frames.
    package struct Datagram: Sendable, Equatable {
        package var route: [UInt8]
        package var frames: [[UInt8]]
    }

    /// What happened that is told to people, or to the process around.
    package enum Notice: Sendable, Equatable {
        case clientJoined(Greeting)
        case workerJoined(Greeting)
        /// With so many tasks running and so many merely assigned.
        case workerLost(SessionEnd, running: Int, returned: Int)
        /// A message was not dealt with; the text says why.
        case dropped(String)
        /// Draining has come to its end; nothing is left to wait for.
        case drained
    }

    package internal(set) var core: CoordinatorCore
    /// One life of the coordinator; never 0.
    package let epoch: UInt64
    /// What it calls itself in answers.
    package let name: String
    /// To be sent, in this order.
    package var outgoing: [Datagram] = []
    package var notices: [Notice] = []
    package internal(set) var badFrames: UInt64 = 0

    var peers = PeerTable()
    var actions: [CoordinatorAction] = []

    package init(core: CoordinatorCore, epoch: UInt64, name: String) {
        self.core = core
        self.epoch = epoch
        self.name = name
    }

    /// When `timeReached` is due; `nil` for never.
    package var nextDeadline: Instant? { core.nextDeadline }

    package var peerCount: Int { peers.count }

    // MARK: What happens

    /// A message has come from the connection that `route` names.
    ///
    /// - Parameters:
    ///   - frames: without the routing id.
    ///   - permit: what the connection may be used for; `nil` if nothing restricts it.
    package mutating func received(
        route: [UInt8],
        frames: [[UInt8]],
        permit: PeerPermit? = nil,
        at now: Instant
    ) {
        let header: FrameHeader
        let body: FrameBody
        do {
            (header, body) = try FrameCodec.decode(frames)
        } catch {
            malformed(error, from: route)
            return
        }
        switch body {
        case .hello(let greeting): greet(greeting, at: route, permit, now)
        case .obituary(let worker, let token, let death):
            guard header.epoch == epoch, let peer = peers[SessionID(worker)], peer.role == .worker, peer.token == token
            else { return }
            handle(.sessionEnded(peer.session, .died(death)), at: now)
        default:
            guard header.epoch == epoch, let session = peers.session(at: route), session.value == header.session else {
                drop("a message of a session that is not known")
                // A peer of another life of the coordinator learns so at its next heartbeat, not at the end of its lease.
                reply(to: route, .refused("the session is not known here"))
                return
            }
            take(header, body, from: session, at: now)
        }
    }

    /// What was to be sent there could not be: the connection is gone, at present at least.
    package mutating func unreachable(route: [UInt8], at now: Instant) {
        guard let session = peers.session(at: route) else { return }
        handle(.unreachable(session), at: now)
    }

    /// Something came that is no message, such as one of too many frames.
    package mutating func drop(_ problem: String) {
        badFrames += 1
        notices.append(.dropped(problem))
    }

    /// Opens no group any more and cancels those that are open.
    package mutating func drain(at now: Instant) { handle(.drainRequested, at: now) }

    /// Ends a turn: deals with the passing of time, and makes what is to be sent of all that has happened.
    package mutating func flush(at now: Instant) {
        if let due = core.nextDeadline, due <= now { handle(.timeReached, at: now) }
        core.flush(at: now, into: &actions)
        let batch = actions
        actions.removeAll(keepingCapacity: true)
        for action in batch { perform(action) }
    }

    /// Says goodbye to everybody.
    package mutating func leave(reason: String) {
        for session in peers.all { send(.goodbye(reason), to: session) }
    }

    mutating func handle(_ event: CoordinatorEvent, at now: Instant) {
        core.handle(event, at: now, into: &actions)
    }
}
