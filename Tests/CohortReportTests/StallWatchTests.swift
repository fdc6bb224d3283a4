internal import CohortReport
internal import Testing

/// When the coordinator is asked why nothing happens, and what is told of the answer.
struct StallWatchTests {
    /// A watch, and the seconds since it began.
    private final class Probe {
        private let start = StallWatch.Instant.now
        private var watch: StallWatch

        init() { watch = StallWatch(at: start) }

        func asks(after seconds: Int, running: Int = 0, ifWorthIt isWorthIt: Bool = true) -> Bool {
            watch.asks(running: running, ifWorthIt: isWorthIt, at: start + .seconds(seconds))
        }

        func heard(after seconds: Int) { watch.heard(at: start + .seconds(seconds)) }

        func answered() { watch.answered() }

        func explanation(_ reason: String, running: Int = 0, ended: Int = 0, after seconds: Int) -> String? {
            watch.explanation(reason: reason, running: running, ended: ended, at: start + .seconds(seconds))
        }

        /// The seconds, up to a limit, after which it asks if it is answered each time.
        func questions(running: Int, upTo limit: Int) -> [Int] {
            (1...limit).filter { second in
                defer { answered() }
                return asks(after: second, running: running)
            }
        }
    }

    private let watch = Probe()

    @Test func asksEverMoreRarelyWhileNothingComes() {
        #expect(watch.questions(running: 0, upTo: 200) == [2, 6, 14, 30, 62, 122, 182])
    }

    @Test func isInLessOfAHurryWhileTasksRun() {
        #expect(watch.questions(running: 1, upTo: 30) == [10, 14, 22])
    }

    @Test func newsMakeItWaitAgain() {
        #expect(!watch.asks(after: 1))
        watch.heard(after: 1)
        #expect(!watch.asks(after: 2))
        #expect(watch.asks(after: 3))
    }

    @Test func noQuestionFollowsOneThatIsNotAnswered() {
        #expect(watch.asks(after: 2))
        #expect(!watch.asks(after: 100))
        watch.answered()
        #expect(watch.asks(after: 200))
        // Whoever comes back has lost what was under way.
        watch.heard(after: 200)
        #expect(watch.asks(after: 202))
    }

    @Test func whatIsNotWorthAQuestionMakesNone() {
        #expect(!watch.asks(after: 2, ifWorthIt: false))
        #expect(!watch.asks(after: 5))
        #expect(watch.asks(after: 6))
    }

    @Test func aReasonIsToldOnceAndAgainWhenThingsHaveGoneOnForLong() {
        #expect(watch.explanation("no worker", after: 2) == "no task has started yet: no worker")
        #expect(watch.explanation("no worker", after: 1_000) == nil)
        watch.heard(after: 1_000)
        #expect(watch.explanation("no slot", after: 1_002) == "no task has started yet: no slot")
        watch.heard(after: 1_003)
        #expect(watch.explanation("no slot", after: 1_100) == nil)
        #expect(watch.explanation("no slot", after: 1_700) == "no task has started yet: no slot")
    }

    @Test func nothingIsToldWhileTasksRunOrWithoutAReason() {
        #expect(watch.explanation("", after: 2) == nil)
        #expect(watch.explanation("no slot", running: 1, after: 2) == nil)
        // What has run once has started, however it went on.
        #expect(watch.explanation("no worker", after: 4) == "no task runs: no worker")
    }

    @Test func aReasonDoesNotSteerTheTerminal() throws {
        let told = try #require(watch.explanation("no worker offers \u{1b}[2J", ended: 1, after: 2))
        #expect(told.hasPrefix("no task runs: no worker offers ") && !told.contains("\u{1b}"))
    }
}
