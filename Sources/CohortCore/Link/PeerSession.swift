/// The life of a worker's or client's session, seen from its own side: hello, heartbeats, the lease, the end.
package struct PeerSession: Sendable, Equatable {
    package enum State: Sendable, Equatable {
        /// Says hello until it is answered. Next: `open`, or `lost` when nobody answers in time or it is refused.
        case greeting
        /// Next: `lost` or `closed`.
        case open
        /// It ended, but not from here: another session may continue it.
        case lost
        /// This side has ended it.
        case closed
    }

    /// Why a session ended that was not ended from here.
    package enum Loss: Sendable, Equatable {
        case noAnswer
        case refused(String)
        /// Nothing was heard from the coordinator for the lease.
        case silent
        /// This process was stopped for longer than the lease, and the coordinator may have given what it had to others.
        case asleep
        /// The coordinator does not know the session: it is another life of it, or the session has ended there. Or it has
        /// said what cannot be understood. Another session may continue it.
        case unknown(String)
        /// In session after session the coordinator has said what cannot be understood: another one would not help.
        case incomprehensible(String)
        case goodbye(String)
    }

    package enum Action: Sendable, Equatable {
        case sendHello
        case sendHeartbeat
        case askAgain(from: UInt64)
        case sendAgain([Link.Sent])
        case lost(Loss)
    }

    package private(set) var state = State.greeting
    package private(set) var epoch: UInt64 = 0
    package private(set) var session: UInt64 = 0
    package private(set) var heartbeat = TimeSpan.seconds(1)
    package private(set) var lease = TimeSpan.seconds(10)
    package var link = Link()
    private var nextHello: Instant
    private var giveUpAt: Instant?
    package private(set) var lastHeard: Instant
    private var nextHeartbeat: Instant
    private var helloDelay = TimeSpan.milliseconds(100)
    /// Random numbers for the times between hellos; `nil` where nobody else says hello at the same moment.
    private var jitter: UInt64?
    private var lastLook: Instant
    private let endsWithSleep: Bool

    /// - Parameters:
    ///   - patience: how long to wait for an answer to the hello; `nil` for ever.
    ///   - seed: spreads the hellos at random, with this number as the beginning: of many peers that all lost the same
    ///     coordinator.
    ///   - endsWithSleep: what waits after this process was stopped for longer than the lease must not be dealt with: a
    ///     worker would begin what is no longer its own. For any other, it tells how things stand.
    package init(at now: Instant, patience: TimeSpan?, seed: UInt64? = nil, endsWithSleep: Bool = false) {
        self.endsWithSleep = endsWithSleep
        nextHello = now
        lastLook = now
        jitter = seed
        giveUpAt = patience.map { now.advanced(by: $0) }
        lastHeard = now
        nextHeartbeat = now
        if seed != nil {
            helloDelay = .milliseconds(50)
            nextHello = now.advanced(by: spread(helloDelay))
        }
    }

    /// Full jitter: anything up to `span`.
    private mutating func spread(_ span: TimeSpan) -> TimeSpan {
        guard var state = jitter else { return span }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        jitter = state
        return TimeSpan(nanoseconds: (state >> 16) % max(span.nanoseconds, 1))
    }

    package var nextDeadline: Instant? {
        switch state {
        case .greeting: [giveUpAt, nextLook].compactMap(\.self).reduce(nextHello) { min($0, $1) }
        case .open: min(nextHeartbeat, lastHeard.advanced(by: lease))
        case .lost, .closed: nil
        }
    }

    /// How often it looks at the time while nobody answers: more often than any useful lease.
    private static let lookInterval = TimeSpan.milliseconds(100)

    private var nextLook: Instant? { endsWithSleep ? lastLook.advanced(by: Self.lookInterval) : nil }

    package mutating func timeReached(at now: Instant, into actions: inout [Action]) {
        switch state {
        case .greeting:
            lastLook = now
            if let giveUpAt, now >= giveUpAt {
                end(.noAnswer, into: &actions)
            } else if now >= nextHello {
                actions.append(.sendHello)
                helloDelay = min(helloDelay, jitter == nil ? .seconds(2) : .seconds(1))
                nextHello = now.advanced(by: max(spread(helloDelay), .milliseconds(50)))
                helloDelay = TimeSpan(nanoseconds: helloDelay.nanoseconds * 2)
            }
        case .open:
            if hasOverslept(at: now, into: &actions) { return }
            forgiveSilence(at: now)
            if now >= lastHeard.advanced(by: lease) {
                end(.silent, into: &actions)
            } else if now >= nextHeartbeat {
                actions.append(.sendHeartbeat)
                nextHeartbeat = now.advanced(by: heartbeat)
            }
        case .lost, .closed:
            break
        }
    }

    /// A process that was stopped for a while has heard nothing, whatever was said: it must first read what waits.
    private mutating func forgiveSilence(at now: Instant) {
        defer { lastLook = now }
        let usual = heartbeat.nanoseconds.multipliedReportingOverflow(by: 3)
        guard !usual.overflow, now.since(lastLook).nanoseconds > usual.partialValue else { return }
        giveTime(at: now)
    }

    /// The lease has at least a heartbeat to go from here on.
    private mutating func giveTime(at now: Instant) {
        let latest = Instant(nanoseconds: now.nanoseconds - min(lease.nanoseconds, now.nanoseconds))
        lastHeard = max(lastHeard, latest.advanced(by: min(heartbeat, lease)))
    }

    /// Whether the session has ended because nobody here has looked for longer than the lease.
    private mutating func hasOverslept(at now: Instant, into actions: inout [Action]) -> Bool {
        guard endsWithSleep, now.since(lastLook) > lease else { return false }
        // What runs may go on until another session continues this one.
        giveTime(at: now)
        end(.asleep, into: &actions)
        return true
    }

    package mutating func welcomed(
        epoch: UInt64,
        session: UInt64,
        heartbeat: TimeSpan,
        lease: TimeSpan,
        at now: Instant,
        into actions: inout [Action]
    ) {
        guard state == .greeting else { return }
        self.epoch = epoch
        self.session = session
        // A coordinator with absurd settings must not make this side spin, or wait for ever.
        self.heartbeat = max(heartbeat, .milliseconds(10))
        self.lease = max(lease, .milliseconds(100))
        state = .open
        lastHeard = now
        nextHeartbeat = now.advanced(by: self.heartbeat)
        // The answer may have waited for so long that the session is over there. It has been had all the same.
        if hasOverslept(at: now, into: &actions) { return }
        lastLook = now
    }

    package mutating func refused(_ reason: String, into actions: inout [Action]) {
        switch state {
        case .greeting: end(.refused(reason), into: &actions)
        case .open: end(.unknown(reason), into: &actions)
        case .lost, .closed: break
        }
    }

    /// What the coordinator says cannot be understood, and it is not the first session in which that is so.
    package mutating func gaveUp(_ reason: String, into actions: inout [Action]) {
        if state == .open { end(.incomprehensible(reason), into: &actions) }
    }

    package mutating func goodbyeReceived(_ reason: String, into actions: inout [Action]) {
        guard state == .open else { return }
        end(.goodbye(reason), into: &actions)
    }

    /// Something of this session has arrived.
    ///
    /// - Returns: whether its content is to be dealt with.
    package mutating func received(
        sequence: UInt64,
        acknowledge: UInt64,
        at now: Instant,
        into actions: inout [Action]
    ) -> Bool {
        guard state == .open, !hasOverslept(at: now, into: &actions) else { return false }
        lastHeard = now
        lastLook = now
        switch link.received(sequence: sequence, acknowledge: acknowledge) {
        case .deliver:
            if link.owesAcknowledgement { actions.append(.sendHeartbeat) }
            return true
        case .duplicate:
            return false
        case .missing(let from):
            actions.append(.askAgain(from: from))
            return false
        }
    }

    /// A heartbeat has come, which tells how much the coordinator has sent.
    package mutating func heartbeatReceived(last: UInt64, acknowledge: UInt64, into actions: inout [Action]) {
        guard state == .open, let from = link.peerHasSent(upTo: last, acknowledge: acknowledge) else { return }
        actions.append(.askAgain(from: from))
    }

    /// The coordinator says that it lacks everything from a number on.
    package mutating func resendRequested(
        from sequence: UInt64,
        at now: Instant,
        into actions: inout [Action]
    ) -> Link.Answer {
        let answer = link.asked(from: sequence, pause: heartbeat.half, at: now)
        if case .send(let messages, let isPart) = answer {
            actions.append(.sendAgain(messages))
            if isPart { actions.append(.sendHeartbeat) }
        }
        return answer
    }

    /// This side ends the session.
    package mutating func close() { state = .closed }

    private mutating func end(_ loss: Loss, into actions: inout [Action]) {
        state = .lost
        actions.append(.lost(loss))
    }
}
