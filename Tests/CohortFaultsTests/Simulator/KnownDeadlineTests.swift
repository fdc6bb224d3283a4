internal import CohortCore
internal import Testing

@testable internal import CohortFaults

@Suite("What the owner of a group knows of its deadline")
struct KnownDeadlineTests {
    private func instant(_ seconds: UInt64) -> Instant { Instant(nanoseconds: seconds * 1_000_000_000) }

    /// Asked for at 1 s, told to be open at 2 s, with 10 s to go.
    private var opened: KnownDeadline {
        var deadline = KnownDeadline(timeout: .seconds(10), asked: instant(1))
        deadline.opened(timeout: .seconds(10), at: instant(2))
        return deadline
    }

    @Test("it counts from some moment between the request and the answer")
    func opening() {
        #expect(opened.earliest == instant(11))
        #expect(opened.latest == instant(12))
    }

    @Test("an extension counts when it is told to be accepted, and once")
    func extending() {
        var deadline = opened
        deadline.request(.later(.seconds(5)), token: 1, at: instant(3))
        #expect(deadline.earliest == instant(11))
        #expect(deadline.latest == nil)
        deadline.answered(1, isAccepted: true, at: instant(4))
        deadline.answered(1, isAccepted: true, at: instant(5))
        #expect(deadline.earliest == instant(16))
        #expect(deadline.latest == instant(17))
    }

    @Test("what is refused changes nothing, but a deadline that was set may have been set the first time")
    func refusing() {
        var deadline = opened
        deadline.request(.later(.seconds(5)), token: 1, at: instant(3))
        deadline.answered(1, isAccepted: false, at: instant(4))
        #expect(deadline.earliest == instant(11))
        #expect(deadline.latest == instant(12))
        deadline.request(.new(.seconds(2)), token: 2, at: instant(5))
        deadline.answered(2, isAccepted: false, at: instant(6))
        #expect(deadline.earliest == instant(7))
        #expect(deadline.latest == instant(12))
    }

    @Test("a new deadline counts from when it was dealt with; without an answer the old one may have come first")
    func setting() {
        var deadline = opened
        deadline.request(.new(.seconds(30)), token: 0, at: instant(3))
        deadline.settleUnanswered(at: instant(6))
        #expect(deadline.earliest == instant(11))
        #expect(deadline.latest == instant(36))
        deadline.request(.new(.seconds(30)), token: 1, at: instant(7))
        deadline.answered(1, isAccepted: true, at: instant(8))
        #expect(deadline.earliest == instant(37))
        #expect(deadline.latest == instant(38))
        deadline.request(.none, token: 2, at: instant(9))
        deadline.answered(2, isAccepted: true, at: instant(10))
        #expect(deadline.earliest == nil)
        #expect(deadline.latest == nil)
    }

    @Test("an extension that follows a deadline whose setting may be repeated is not relied upon")
    func mixing() {
        var deadline = opened
        deadline.request(.new(.seconds(2)), token: 1, at: instant(3))
        deadline.request(.later(.seconds(5)), token: 2, at: instant(3))
        deadline.answered(1, isAccepted: true, at: instant(4))
        deadline.answered(2, isAccepted: true, at: instant(4))
        #expect(deadline.earliest == instant(5))
        #expect(deadline.latest == instant(11))
    }
}
