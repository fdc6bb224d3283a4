internal import CohortCore
internal import Testing

/// What is sent once more for the asking, and how often.
@Suite struct RepeatsTests {
    private static let pause = TimeSpan.milliseconds(500)

    private var now = Instant(nanoseconds: 1_000_000_000)
    private var link = Link()

    private mutating func send(_ count: Int, bytes: Int = 10) {
        for _ in 0..<count { link.sent(link.nextSequence(), [Array(repeating: 0, count: bytes)]) }
    }

    private mutating func pass(_ span: TimeSpan) { now = now.advanced(by: span) }

    /// What a request brings: the numbers of the messages sent again.
    private mutating func ask(from sequence: UInt64) -> [UInt64] {
        guard case .send(let messages, _) = link.asked(from: sequence, pause: Self.pause, at: now) else { return [] }
        return messages.map(\.sequence)
    }

    private mutating func acknowledge(upTo sequence: UInt64) { _ = link.peerHasSent(upTo: 0, acknowledge: sequence) }

    @Test mutating func everythingIsSentAgainOnceAtOnce() {
        send(1_000)
        acknowledge(upTo: 10)
        #expect(ask(from: 5) == Array(11...1_000))
        send(3)
        #expect(ask(from: 1_001) == [1_001, 1_002, 1_003])
        #expect(ask(from: 1_004) == [])
        #expect(ask(from: .max) == [])
        #expect(link.repeats.declined == 0)
    }

    @Test mutating func theSameIsSentAgainAfterAPauseOnly() {
        send(100)
        #expect(ask(from: 1).count == 100)
        #expect(ask(from: 1) == [])
        pass(.milliseconds(499))
        #expect(link.asked(from: 1, pause: Self.pause, at: now) == .declined(isExcess: false))
        #expect(link.repeats.declined == 2)
        pass(.milliseconds(1))
        guard case .send(let messages, isPart: true) = link.asked(from: 1, pause: Self.pause, at: now) else {
            Issue.record("nothing is sent again")
            return
        }
        #expect(messages.map(\.sequence) == Array(1...64))
    }

    @Test mutating func stretchesFollowEachOtherWithoutAPauseAsTheyArrive() {
        send(10_000)
        #expect(ask(from: 1).count == 10_000)
        // All of it is lost.
        pass(Self.pause)
        var next: UInt64 = 1
        while next <= 10_000 {
            let stretch = ask(from: next)
            #expect(stretch == Array(next..<min(next + 64, 10_001)))
            next += UInt64(max(stretch.count, 1))
            acknowledge(upTo: next - 1)
        }
        #expect(link.unacknowledgedCount == 0)
        #expect(link.repeats.declined == 0)
    }

    @Test mutating func aStretchIsBoundedInBytesAndHoldsOneMessageAtLeast() {
        send(10, bytes: 400_000)
        send(1, bytes: 2 << 20)
        #expect(ask(from: 1).count == 11)
        pass(Self.pause)
        #expect(ask(from: 1) == [1, 2])
        pass(Self.pause)
        #expect(ask(from: 11) == [11])
    }

    /// Whoever merely claims that something has come gets no more than what one repetition costs, and a little all the time.
    @Test(arguments: [true, false])
    mutating func endlessRequestsCostLittle(claimsProgress: Bool) {
        let count = 10_000
        send(count, bytes: 1_000)
        var repeated = 0
        for number in 0..<40_000 {
            repeated += ask(from: claimsProgress ? UInt64(number % count) + 1 : 1).count
            pass(TimeSpan(nanoseconds: 250_000))
        }
        // 10 s: once all, 4 MiB of credit, and twenty stretches.
        #expect(repeated <= count + (4 << 20) / 1_064 + 64 + 20 * 64)
        // While there was credit each claim had an answer, and nothing was acknowledged: there are no more.
        let last = claimsProgress ? Link.Answer.giveUp : .declined(isExcess: true)
        _ = ask(from: 1)
        let answer = link.asked(from: 1, pause: Self.pause, at: now)
        #expect(answer == last)
    }

    @Test mutating func whoDoesNotTakeWhatItAsksForIsGivenUp() {
        send(100)
        var answers: [Link.Answer] = []
        for _ in 0..<66 {
            answers.append(link.asked(from: 1, pause: Self.pause, at: now))
            pass(Self.pause)
        }
        #expect(answers.firstIndex(of: .giveUp) == 64)
    }

    @Test mutating func whoTakesAMessageNowAndThenIsNot() {
        send(200)
        for next: UInt64 in 1...200 {
            for _ in 0..<20 {
                #expect(ask(from: next).first == next)
                pass(Self.pause)
            }
            acknowledge(upTo: next)
        }
        #expect(link.unacknowledgedCount == 0)
    }
}
