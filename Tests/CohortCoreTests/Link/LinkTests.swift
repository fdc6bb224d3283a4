internal import CohortCore
internal import Testing

/// Numbers, gaps, acknowledgements.
@Suite struct LinkTests {
    @Test func whatIsSettledLaterIsAcknowledgedLater() {
        var link = Link(settlesLater: true)
        for sequence: UInt64 in 1...70 { #expect(link.received(sequence: sequence, acknowledge: 0) == .deliver) }
        #expect(link.settled == 0)
        #expect(!link.owesAcknowledgement)
        link.settle(upTo: 63)
        #expect(!link.owesAcknowledgement)
        link.settle(upTo: 99)
        #expect(link.settled == 70)
        #expect(link.owesAcknowledgement)
        link.acknowledged()
        #expect(!link.owesAcknowledgement)
    }

    @Test func whatComesInOrderIsDelivered() {
        var link = Link()
        for sequence: UInt64 in 1...3 { #expect(link.received(sequence: sequence, acknowledge: 0) == .deliver) }
        #expect(link.lastReceived == 3)
        // Unnumbered messages stand outside the order.
        #expect(link.received(sequence: 0, acknowledge: 0) == .deliver)
        #expect(link.lastReceived == 3)
    }

    @Test func nothingIsDeliveredTwice() {
        var link = Link()
        #expect(link.received(sequence: 1, acknowledge: 0) == .deliver)
        #expect(link.received(sequence: 2, acknowledge: 0) == .deliver)
        #expect(link.received(sequence: 1, acknowledge: 0) == .duplicate)
        #expect(link.received(sequence: 2, acknowledge: 0) == .duplicate)
    }

    @Test func aGapIsAskedForOnce() {
        var link = Link()
        #expect(link.received(sequence: 1, acknowledge: 0) == .deliver)
        #expect(link.received(sequence: 4, acknowledge: 0) == .missing(from: 2))
        #expect(link.received(sequence: 5, acknowledge: 0) == .duplicate)
        // The other side sends again from there.
        for sequence: UInt64 in 2...5 { #expect(link.received(sequence: sequence, acknowledge: 0) == .deliver) }
        #expect(link.received(sequence: 9, acknowledge: 0) == .missing(from: 6))
        #expect(link.received(sequence: .max, acknowledge: 0) == .duplicate)
    }

    @Test func aHeartbeatShowsWhatWasLostAtTheEnd() {
        var link = Link()
        #expect(link.peerHasSent(upTo: 0, acknowledge: 0) == nil)
        #expect(link.received(sequence: 1, acknowledge: 0) == .deliver)
        #expect(link.peerHasSent(upTo: 1, acknowledge: 0) == nil)
        #expect(link.peerHasSent(upTo: 3, acknowledge: 0) == 2)
        // The answer may be lost as well.
        #expect(link.peerHasSent(upTo: 3, acknowledge: 0) == 2)
        #expect(link.received(sequence: 3, acknowledge: 0) == .duplicate)
        #expect(link.received(sequence: 2, acknowledge: 0) == .deliver)
        #expect(link.received(sequence: 3, acknowledge: 0) == .deliver)
        #expect(link.peerHasSent(upTo: 3, acknowledge: 0) == nil)
    }

    @Test func whatIsAcknowledgedIsNotKept() {
        var link = Link()
        for byte: UInt8 in 1...4 { link.sent(link.nextSequence(), [[byte]]) }
        #expect(link.lastSent == 4)
        #expect(link.unacknowledgedCount == 4)
        _ = link.peerHasSent(upTo: 0, acknowledge: 2)
        #expect(link.unacknowledgedCount == 2)
        #expect(link.kept.map(\.frames) == [[[3]], [[4]]])
        // More than was ever sent.
        _ = link.peerHasSent(upTo: 0, acknowledge: .max)
        #expect(link.unacknowledgedCount == 0)
        #expect(link.nextSequence() == 5)
        // An old message acknowledges less: nothing comes back.
        _ = link.peerHasSent(upTo: 0, acknowledge: 1)
        #expect(link.unacknowledgedCount == 0)
    }

    /// The answer to a request may be among what is missing: if that is never sent again the request must be.
    @Test func whatIsAcknowledgedBehindAGapIsKept() {
        var link = Link()
        link.sent(link.nextSequence(), [[1]])
        #expect(link.received(sequence: 2, acknowledge: 1) == .missing(from: 1))
        #expect(link.received(sequence: 0, acknowledge: 1) == .deliver)
        #expect(link.peerHasSent(upTo: 2, acknowledge: 1) == 1)
        #expect(link.unacknowledgedCount == 1)
        #expect(link.received(sequence: 1, acknowledge: 0) == .deliver)
        #expect(link.unacknowledgedCount == 1)
        #expect(link.received(sequence: 2, acknowledge: 1) == .deliver)
        #expect(link.unacknowledgedCount == 0)
    }

    @Test func acknowledgementsAreDueFromTimeToTime() {
        var link = Link()
        for sequence: UInt64 in 1...63 { _ = link.received(sequence: sequence, acknowledge: 0) }
        #expect(!link.owesAcknowledgement)
        _ = link.received(sequence: 64, acknowledge: 0)
        #expect(link.owesAcknowledgement)
        link.acknowledged()
        #expect(!link.owesAcknowledgement)
        for sequence: UInt64 in 65...130 { _ = link.received(sequence: sequence, acknowledge: 0) }
        #expect(link.owesAcknowledgement)
        link.sent(link.nextSequence(), [])
        #expect(!link.owesAcknowledgement)
    }

    /// Two links over a connection that loses whatever was on its way when it breaks.
    @Test(arguments: [UInt64](1...50))
    func nothingIsLostOverABreakingConnection(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var sender = Link()
        var receiver = Link()
        var wire: [(sequence: UInt64, frames: [[UInt8]])] = []
        var delivered: [UInt8] = []
        var now = Instant(nanoseconds: 0)
        func ask(from sequence: UInt64) {
            guard case .send(let messages, _) = sender.asked(from: sequence, pause: .milliseconds(500), at: now) else {
                return
            }
            wire += messages.map { ($0.sequence, $0.frames) }
        }
        func arrive() {
            guard !wire.isEmpty else { return }
            let (sequence, frames) = wire.removeFirst()
            switch receiver.received(sequence: sequence, acknowledge: 0) {
            case .deliver: delivered.append(frames[0][0])
            case .duplicate: break
            case .missing(let from): ask(from: from)
            }
            if generator.chance(20) { _ = sender.peerHasSent(upTo: 0, acknowledge: receiver.lastReceived) }
        }
        for byte: UInt8 in 0..<200 {
            let sequence = sender.nextSequence()
            sender.sent(sequence, [[byte]])
            wire.append((sequence, [[byte]]))
            if generator.chance(5) { wire.removeLast(Int.random(in: 0...wire.count, using: &generator)) }
            for _ in 0..<Int.random(in: 0...2, using: &generator) { arrive() }
        }
        // The heartbeats that follow bring the rest.
        for _ in 0..<5 {
            now = now.advanced(by: .seconds(1))
            if let from = receiver.peerHasSent(upTo: sender.lastSent, acknowledge: 0) { ask(from: from) }
            while !wire.isEmpty { arrive() }
        }
        #expect(delivered == [UInt8](0..<200), "seed \(seed)")
    }
}
