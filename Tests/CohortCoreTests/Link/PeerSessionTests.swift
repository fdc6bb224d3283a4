internal import CohortCore
internal import Testing

/// Hello, heartbeats, the lease, the end.
@Suite struct PeerSessionTests {
    private static let start = Instant(nanoseconds: 1_000_000_000)

    @Test func helloIsRepeatedEverMoreSlowly() {
        var session = PeerSession(at: Self.start, patience: nil)
        var times: [UInt64] = []
        while times.count < 8, let due = session.nextDeadline {
            let actions = tick(&session, at: due)
            #expect(actions == [.sendHello])
            times.append(due.since(Self.start).nanoseconds / 1_000_000)
        }
        #expect(times == [0, 100, 300, 700, 1_500, 3_100, 5_100, 7_100])
    }

    @Test func hellosOfManyAreSpread() {
        var waits: Set<UInt64> = []
        for seed: UInt64 in 1...8 {
            var session = PeerSession(at: Self.start, patience: nil, seed: seed)
            var last = Self.start
            for _ in 0..<12 {
                guard let due = session.nextDeadline else { break }
                #expect(due.since(last) <= .seconds(1))
                #expect(tick(&session, at: due) == [.sendHello])
                waits.insert(due.since(last).nanoseconds)
                last = due
            }
        }
        #expect(waits.count > 40)
    }

    /// One that was stopped for longer than the lease reads what waits before it judges.
    @Test func ownSleepIsNobodysSilence() {
        var session = opened()
        let later = Self.start.advanced(by: .seconds(60))
        #expect(tick(&session, at: later) == [.sendHeartbeat])
        #expect(session.state == .open)
        #expect(received(&session, 1, at: later).isWanted)
        var other = opened()
        #expect(tick(&other, at: later) == [.sendHeartbeat])
        #expect(tick(&other, at: later.advanced(by: .seconds(1))) == [.lost(.silent)])
    }

    /// What waits for a worker may have been given to others meanwhile.
    @Test(arguments: [true, false])
    func aWorkersSleepEndsItsSession(readsFirst: Bool) {
        var session = PeerSession(at: Self.start, patience: nil, endsWithSleep: true)
        welcome(&session)
        let first = Self.start.advanced(by: .seconds(2))
        #expect(received(&session, 1, at: first).isWanted)
        #expect(tick(&session, at: first.advanced(by: .seconds(2))) == [.sendHeartbeat])
        let later = first.advanced(by: .milliseconds(5_001))
        if readsFirst {
            #expect(received(&session, 2, at: later) == Received(isWanted: false, actions: [.lost(.asleep)]))
        } else {
            #expect(tick(&session, at: later) == [.lost(.asleep)])
        }
        #expect(session.state == .lost)
        // Nobody else was silent: what runs has some time to be asked for again.
        #expect(session.lastHeard.advanced(by: session.lease) > later)
    }

    /// It was stopped while it waited for the answer, and the lease of the session that it was given is over.
    @Test func aWorkersSleepEndsTheSessionThatItHasJustBeenGiven() {
        let slept = TimeSpan.milliseconds(3_001)
        var session = PeerSession(at: Self.start, patience: nil, endsWithSleep: true)
        #expect(tick(&session, at: Self.start) == [.sendHello])
        #expect(welcome(&session, at: Self.start.advanced(by: slept)) == [.lost(.asleep)])
        #expect(session.state == .lost)
        // The next one continues it.
        #expect(session.session == 8)
        // To wait for long is not to sleep, nor does it matter to one that would begin nothing.
        var patient = PeerSession(at: Self.start, patience: nil, endsWithSleep: true)
        var now = Self.start
        while let due = patient.nextDeadline, due.since(Self.start) <= slept {
            now = due
            _ = tick(&patient, at: now)
        }
        #expect(welcome(&patient, at: now.advanced(by: .seconds(3))) == [] && patient.state == .open)
        var client = PeerSession(at: Self.start, patience: nil)
        #expect(welcome(&client, at: Self.start.advanced(by: slept)) == [] && client.state == .open)
    }

    @Test func patienceComesToAnEnd() {
        var session = PeerSession(at: Self.start, patience: .milliseconds(250))
        var actions: [PeerSession.Action] = []
        while let due = session.nextDeadline { actions += tick(&session, at: due) }
        #expect(actions == [.sendHello, .sendHello, .lost(.noAnswer)])
        #expect(session.state == .lost)
    }

    @Test func aWelcomeOpensIt() {
        var session = PeerSession(at: Self.start, patience: .seconds(1))
        #expect(!received(&session, 1).isWanted)
        welcome(&session)
        #expect(session.state == .open)
        #expect(session.epoch == 7)
        #expect(session.session == 8)
        // Answers to repeated hellos.
        #expect(received(&session, 1).isWanted)
        var actions: [PeerSession.Action] = []
        let lease = TimeSpan.seconds(3)
        session.welcomed(
            epoch: 7,
            session: 9,
            heartbeat: .seconds(1),
            lease: lease,
            at: Self.start,
            into: &actions
        )
        #expect(session.session == 8)
        #expect(!received(&session, 1).isWanted)
    }

    @Test func aRefusalOfAnOpenOneSaysThatItIsNotKnown() {
        var session = opened()
        var actions: [PeerSession.Action] = []
        session.refused("not known", into: &actions)
        #expect(actions == [.lost(.unknown("not known"))])
        #expect(session.state == .lost)
    }

    @Test func aRefusalEndsIt() {
        var session = PeerSession(at: Self.start, patience: nil)
        var actions: [PeerSession.Action] = []
        session.refused("full", into: &actions)
        #expect(actions == [.lost(.refused("full"))])
        #expect(session.nextDeadline == nil)
        welcome(&session)
        #expect(session.state == .lost)
    }

    @Test func heartbeatsGoOutAndTheLeaseRuns() {
        var session = opened()
        var now = Self.start
        for second: UInt64 in 1...2 {
            now = Self.start.advanced(by: .seconds(second))
            #expect(session.nextDeadline == now)
            #expect(tick(&session, at: now) == [.sendHeartbeat])
        }
        #expect(session.nextDeadline == Self.start.advanced(by: .seconds(3)))
        _ = received(&session, 0, at: now)
        #expect(tick(&session, at: now.advanced(by: .milliseconds(2_999))) == [.sendHeartbeat])
        #expect(tick(&session, at: now.advanced(by: .seconds(3))) == [.lost(.silent)])
        #expect(tick(&session, at: now.advanced(by: .seconds(9))) == [])
    }

    @Test func absurdSettingsAreBounded() {
        var session = PeerSession(at: Self.start, patience: nil)
        welcome(&session, heartbeat: .zero, lease: .zero)
        #expect(session.heartbeat == .milliseconds(10))
        #expect(session.lease == .milliseconds(100))
        var other = PeerSession(at: Self.start, patience: nil)
        welcome(&other, heartbeat: TimeSpan(nanoseconds: .max), lease: TimeSpan(nanoseconds: .max))
        #expect(other.nextDeadline == Instant(nanoseconds: .max))
    }

    @Test func aGoodbyeEndsIt() {
        var session = opened()
        var actions: [PeerSession.Action] = []
        session.goodbyeReceived("shutting down", into: &actions)
        session.goodbyeReceived("shutting down", into: &actions)
        #expect(actions == [.lost(.goodbye("shutting down"))])
        #expect(!received(&session, 1).isWanted)
    }

    @Test func whatIsClosedHereIsNoLoss() {
        var session = opened()
        session.close()
        #expect(tick(&session, at: Self.start.advanced(by: .seconds(60))) == [])
        #expect(session.nextDeadline == nil)
    }

    @Test func gapsAreAskedForAndAnswered() {
        var session = opened()
        #expect(received(&session, 2) == Received(isWanted: false, actions: [.askAgain(from: 1)]))
        #expect(received(&session, 3) == Received(isWanted: false, actions: []))
        #expect(received(&session, 1) == Received(isWanted: true, actions: []))
        var actions: [PeerSession.Action] = []
        session.heartbeatReceived(last: 3, acknowledge: 0, into: &actions)
        #expect(actions == [.askAgain(from: 2)])

        session.link.sent(session.link.nextSequence(), [[1]])
        actions = []
        let kept = Array(session.link.kept)
        #expect(session.resendRequested(from: 1, at: Self.start, into: &actions) == .send(kept, isPart: false))
        #expect(kept.count == 1)
        #expect(actions == [.sendAgain(kept)])
        actions = []
        #expect(
            session.resendRequested(from: 1, at: Self.start, into: &actions) == .declined(isExcess: false)
        )
        #expect(actions == [])
    }

    @Test func whatIsSentInStretchesIsFollowedByAHeartbeat() {
        var session = opened()
        for _ in 0..<100 { session.link.sent(session.link.nextSequence(), [[1]]) }
        var actions: [PeerSession.Action] = []
        _ = session.resendRequested(from: 1, at: Self.start, into: &actions)
        let later = Self.start.advanced(by: .seconds(1))
        _ = session.resendRequested(from: 1, at: later, into: &actions)
        let kept = Array(session.link.kept)
        #expect(actions == [.sendAgain(kept), .sendAgain(Array(kept.prefix(64))), .sendHeartbeat])
    }

    @Test func aFloodIsAcknowledged() {
        var session = opened()
        for sequence: UInt64 in 1...63 { #expect(received(&session, sequence).actions == []) }
        #expect(received(&session, 64).actions == [.sendHeartbeat])
    }

    // MARK: Help

    private struct Received: Equatable {
        var isWanted: Bool
        var actions: [PeerSession.Action]
    }

    private func opened() -> PeerSession {
        var session = PeerSession(at: Self.start, patience: nil)
        welcome(&session)
        return session
    }

    private func tick(_ session: inout PeerSession, at now: Instant) -> [PeerSession.Action] {
        var actions: [PeerSession.Action] = []
        session.timeReached(at: now, into: &actions)
        return actions
    }

    @discardableResult
    private func welcome(
        _ session: inout PeerSession,
        heartbeat: TimeSpan = .seconds(1),
        lease: TimeSpan = .seconds(3),
        at now: Instant = start
    ) -> [PeerSession.Action] {
        var actions: [PeerSession.Action] = []
        session.welcomed(
            epoch: 7,
            session: 8,
            heartbeat: heartbeat,
            lease: lease,
            at: now,
            into: &actions
        )
        return actions
    }

    private func received(_ session: inout PeerSession, _ sequence: UInt64, at now: Instant = start) -> Received {
        var actions: [PeerSession.Action] = []
        let isWanted = session.received(sequence: sequence, acknowledge: 0, at: now, into: &actions)
        return Received(isWanted: isWanted, actions: actions)
    }
}
