internal import CohortCore
internal import Testing

/// Instants and spans at their bounds.
@Suite struct TimeTests {
    @Test func spansSaturate() {
        #expect(TimeSpan.seconds(3) == TimeSpan(nanoseconds: 3_000_000_000))
        #expect(TimeSpan.milliseconds(3) == TimeSpan(nanoseconds: 3_000_000))
        #expect(TimeSpan.seconds(.max) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.seconds(18_446_744_074) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.milliseconds(.max) == TimeSpan(nanoseconds: .max))
    }

    @Test func durationsBecomeSpans() {
        #expect(TimeSpan(.milliseconds(1_500)) == .milliseconds(1_500))
        #expect(TimeSpan(.seconds(-1)) == .zero)
        #expect(TimeSpan(.nanoseconds(-1)) == .zero)
        #expect(TimeSpan(.seconds(Int64.max)) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.milliseconds(2_500).duration == .milliseconds(2_500))
        let longest = Duration.seconds(18_446_744_073) + .nanoseconds(709_551_615)
        #expect(TimeSpan(nanoseconds: .max).duration == longest)
        #expect(TimeSpan(longest) == TimeSpan(nanoseconds: .max))
        #expect(TimeSpan.milliseconds(2_500).seconds == 2.5)
    }

    @Test func instantsSaturate() {
        let now = Instant(nanoseconds: 10)
        #expect(now.advanced(by: TimeSpan(nanoseconds: 5)) == Instant(nanoseconds: 15))
        #expect(now.advanced(by: TimeSpan(nanoseconds: .max)) == Instant(nanoseconds: .max))
        #expect(now.since(Instant(nanoseconds: 4)) == TimeSpan(nanoseconds: 6))
        #expect(now.since(Instant(nanoseconds: 40)) == .zero)
    }

    @Test func keysKeepTheirParts() {
        let key = TaskKey(index: .max, generation: 7)
        #expect(key.index == Int(UInt32.max))
        #expect(key.generation == 7)
        #expect(TaskKey(raw: key.raw) == key)
    }
}
