internal import Testing

@testable internal import CohortBatch

@Suite("Durations")
struct DurationTests {
    @Test(
        arguments: [
            ("500ms", .milliseconds(500)), ("30s", .seconds(30)), ("10m", .seconds(600)), ("2h", .seconds(7200)),
            ("1h30m", .seconds(5400)), ("1d", .seconds(86_400)), ("0.5", .milliseconds(500)), ("30", .seconds(30)),
            ("0", .zero), ("1.5h", .seconds(5400)), (".5s", .milliseconds(500)), ("5.", .seconds(5)),
            ("1d2h3m4s5ms", .milliseconds(93_784_005)), ("0.000000001", .nanoseconds(1)), ("0.0000000001", .zero),
            ("1.0000001ms", .nanoseconds(1_000_000)), ("36500d", CohortDuration.longest),
        ] as [(String, Duration)]
    )
    func parses(text: String, duration: Duration) throws {
        #expect(try CohortDuration.parse(text) == duration)
    }

    @Test(
        arguments: [
            "", "5x", "-1", "1 s", "s", "ms", "1h 30m", "30m1h", "1h2h", "5 ", "1e3", "1..5", ".", "1h30", "١", "1H",
            "inf", "0x10", "1_000", "5s\0",
        ]
    )
    func refuses(text: String) {
        let expected = "bad duration '\(text)': use a number of seconds or a number with ms, s, m, h, d"
        #expect {
            try CohortDuration.parse(text)
        } throws: { error in
            "\(error)" == expected
        }
    }

    @Test(arguments: ["36501d", "99999999999999999999", "9223372036854775807d", "36500d1ms"])
    func refusesWhatIsTooLong(text: String) {
        #expect(throws: DurationSyntaxError(text: text, problem: .tooLong)) { try CohortDuration.parse(text) }
    }

    @Test(
        arguments: [
            (.seconds(5400), "1h30m"), (.milliseconds(1500), "1s500ms"), (.zero, "0s"), (.seconds(86_400), "1d"),
            (.nanoseconds(500), "0.000000500"), (.seconds(-3), "0s"),
        ] as [(Duration, String)]
    )
    func formats(duration: Duration, text: String) throws {
        #expect(CohortDuration.format(duration) == text)
        if duration >= .zero { #expect(try CohortDuration.parse(text) == duration) }
    }
}
