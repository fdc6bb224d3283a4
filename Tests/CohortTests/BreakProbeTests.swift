internal import CohortCoordinator
internal import CohortCore
internal import Testing

@Suite("Looking for broken connections")
struct BreakProbeTests {
    @Test("happens a moment after a break, once for many, and never more than four times a second")
    func flood() {
        var probe = BreakProbe()
        var looks: [UInt64] = []
        for millisecond in 0..<1_000 as Range<UInt64> {
            let now = Instant(nanoseconds: 0).advanced(by: .milliseconds(millisecond))
            if probe.take(at: now) { looks.append(millisecond) }
            probe.connectionLost(at: now)
        }
        #expect(looks == [20, 270, 520, 770])
        // The last one to break is not forgotten.
        #expect(probe.dueAt == Instant(nanoseconds: 0).advanced(by: .milliseconds(1_020)))
    }

    @Test("does not wait when there was none for long")
    func alone() {
        var probe = BreakProbe()
        let start = Instant(nanoseconds: 1_000_000_000)
        #expect(probe.dueAt == nil)
        probe.connectionLost(at: start)
        let isDue = probe.take(at: start.advanced(by: BreakProbe.delay))
        #expect(isDue)
        let later = start.advanced(by: .seconds(1))
        let isDueAgain = probe.take(at: later)
        #expect(!isDueAgain)
        probe.connectionLost(at: later)
        #expect(probe.dueAt == later.advanced(by: BreakProbe.delay))
    }
}
