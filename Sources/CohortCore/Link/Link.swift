internal import DequeModule

/// One direction-pair of a session: numbers what goes out, keeps it until it is acknowledged, and puts what comes in back
/// into order.
///
/// ZeroMQ delivers in order and without loss as long as a connection stands. When a connection breaks and comes back, what
/// was on its way is gone without notice; the numbers show it, and the other side sends it again. Nothing is delivered twice.
package struct Link: Sendable, Equatable {
    /// A message that may have to be sent again: its frames as they were.
    package struct Sent: Sendable, Equatable {
        package var sequence: UInt64
        package var frames: [[UInt8]]
        package var isUpdate = false
    }

    /// What to do with a message that has arrived.
    package enum Verdict: Sendable, Equatable {
        case deliver
        /// It has been here before.
        case duplicate
        /// Something before it is missing: ask for everything from this number on.
        case missing(from: UInt64)
    }

    package private(set) var lastSent: UInt64 = 0
    package private(set) var lastReceived: UInt64 = 0
    /// What has come in is acknowledged up to here. Less than `lastReceived` where it must be on disk first.
    package private(set) var settled: UInt64 = 0
    /// How much of that the other side has been told.
    private var told: UInt64 = 0
    private let settlesLater: Bool
    private var unacknowledged: Deque<Sent> = []
    /// How many messages with updates have come to the other side.
    package private(set) var receivedUpdates: UInt64 = 0
    /// Bytes of frames that the other side has not acknowledged.
    package private(set) var unacknowledgedBytes = 0
    /// A message that came and could not be understood, and was asked for again.
    private var rejectedOnce: UInt64 = 0
    /// What the other side has asked for again.
    package private(set) var repeats = Repeats()
    /// A gap is asked for once; again only when a heartbeat shows that the answer was lost too (`peerHasSent`).
    private var askedFor: UInt64 = 0

    /// - Parameter settlesLater: nothing that comes in is acknowledged before `settle`.
    package init(settlesLater: Bool = false) { self.settlesLater = settlesLater }

    /// The number of the next message, which must then be given to `sent`.
    package mutating func nextSequence() -> UInt64 {
        lastSent += 1
        return lastSent
    }

    /// Keeps a message until the other side has acknowledged it. What it carries acknowledges what has come in.
    package mutating func sent(_ sequence: UInt64, _ frames: [[UInt8]], isUpdate: Bool = false) {
        unacknowledged.append(Sent(sequence: sequence, frames: frames, isUpdate: isUpdate))
        unacknowledgedBytes += frames.reduce(0) { $0 + $1.count }
        told = settled
    }

    /// An unnumbered message has gone out that acknowledged what has come in.
    package mutating func acknowledged() { told = settled }

    /// The other side need not keep what it has sent up to here.
    package mutating func settle(upTo sequence: UInt64) { settled = max(settled, min(sequence, lastReceived)) }

    /// So much has come in unacknowledged that the other side should not have to keep it until the next heartbeat.
    package var owesAcknowledgement: Bool { settled - told >= 64 }

    package var unacknowledgedCount: Int { unacknowledged.count }

    /// Takes out what has not been acknowledged, oldest first: the session is over, and another one is to carry it.
    package mutating func takeUnacknowledged() -> [Sent] {
        defer {
            unacknowledged.removeAll()
            unacknowledgedBytes = 0
        }
        return Array(unacknowledged)
    }

    /// Judges a message by its number; 0 is out of order by intention and always delivered.
    ///
    /// What a message acknowledges counts only if nothing before it is missing: the answer to what it acknowledges may be
    /// among that, and would not be given again.
    package mutating func received(sequence: UInt64, acknowledge: UInt64) -> Verdict {
        guard sequence != 0 else { return .deliver }
        if sequence <= lastReceived { return .duplicate }
        if sequence > lastReceived + 1 {
            if askedFor == lastReceived + 1 { return .duplicate }
            askedFor = lastReceived + 1
            return .missing(from: lastReceived + 1)
        }
        lastReceived = sequence
        forget(upTo: acknowledge)
        askedFor = 0
        if !settlesLater { settled = sequence }
        return .deliver
    }

    /// A peer that acknowledges what was never sent gets no further with it.
    private mutating func forget(upTo acknowledge: UInt64) {
        while let first = unacknowledged.first, first.sequence <= acknowledge {
            unacknowledged.removeFirst()
            if first.isUpdate { receivedUpdates += 1 }
            let bytes = first.frames.reduce(0) { $0 + $1.count }
            repeats.acknowledged(bytes: bytes)
            unacknowledgedBytes -= bytes
        }
    }

    /// What to do with a message whose header can be read and whose content cannot.
    package enum Rejection: Sendable, Equatable {
        /// It would not have been delivered anyway.
        case ignore
        /// It may have been damaged on the way: ask for it again, once.
        case askAgain(from: UInt64)
        /// It was sent so: nothing that comes after it can be relied upon.
        case giveUp
    }

    package mutating func rejected(sequence: UInt64) -> Rejection {
        guard sequence == lastReceived + 1 else { return .ignore }
        if rejectedOnce == sequence { return .giveUp }
        rejectedOnce = sequence
        askedFor = sequence
        return .askAgain(from: sequence)
    }

    /// The other side says that it has sent everything up to `last`, and what it has received.
    ///
    /// - Returns: from where to ask again, if something of it has not arrived.
    package mutating func peerHasSent(upTo last: UInt64, acknowledge: UInt64) -> UInt64? {
        guard last > lastReceived else {
            forget(upTo: acknowledge)
            return nil
        }
        askedFor = lastReceived + 1
        return lastReceived + 1
    }

    /// What has not been acknowledged, oldest first.
    package var kept: some Sequence<Sent> { unacknowledged }

    /// What to do when the other side says that it lacks everything from some number on.
    package enum Answer: Sendable, Equatable {
        /// Send these. `isPart`: they are not all, and it must be told so that it can ask for the next ones.
        case send([Sent], isPart: Bool)
        /// Nothing of it is kept.
        case nothing
        /// It was sent a moment ago; who still lacks it at the next heartbeat asks again. `isExcess`: this has been said more
        /// often than any loss explains.
        case declined(isExcess: Bool)
        /// It was sent this again and again and goes on asking: the session cannot go on.
        case giveUp
    }

    /// The other side asks for everything from `sequence` on.
    ///
    /// - Parameter pause: how long to wait, when something was sent again, before it is sent once more.
    package mutating func asked(from sequence: UInt64, pause: TimeSpan, at now: Instant) -> Answer {
        guard sequence <= lastSent, let oldest = unacknowledged.first?.sequence else { return .nothing }
        let first = max(sequence, oldest)
        let rest = unacknowledged.dropFirst(Int(first - oldest))
        switch repeats.judge(first: first, pause: pause, at: now) {
        case .declined: return .declined(isExcess: repeats.declined > Repeats.mostDeclined)
        case .endless: return .giveUp
        case .all: return .send(again(rest), isPart: false)
        case .stretch:
            let stretch = again(rest.prefix(stretchLength(of: rest)))
            return .send(stretch, isPart: stretch.count < rest.count)
        }
    }

    /// Why a session ends that cannot go on since the other side asks from `sequence` on for ever.
    package static func endlessRequest(_ sequence: UInt64) -> String {
        "message \(sequence) is asked for, and of what was sent again \(Repeats.mostInVain) times nothing has arrived"
    }

    private mutating func again(_ messages: some Sequence<Sent>) -> [Sent] {
        let messages = Array(messages)
        for message in messages { repeats.sends(message.sequence, cost: Repeats.cost(of: message.frames)) }
        return messages
    }

    /// At least one message, whatever its size.
    private func stretchLength(of messages: some Sequence<Sent>) -> Int {
        var bytes = 0
        var count = 0
        for message in messages {
            bytes += Repeats.cost(of: message.frames)
            if count == Repeats.stretchMessages || count > 0 && bytes > Repeats.stretchBytes { break }
            count += 1
        }
        return count
    }
}
