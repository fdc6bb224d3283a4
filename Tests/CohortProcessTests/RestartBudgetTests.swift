internal import Testing

@testable internal import CohortProcess

struct RestartBudgetTests {
    @Test func `allows so many starts in a period and no more`() {
        var budget = RestartBudget(limit: 3, period: .seconds(60))
        for second in 0..<3 { #expect(budget.takeStart(at: .seconds(second), jitter: 0) == .zero) }
        #expect(budget.takeStart(at: .seconds(59), jitter: 0) == nil)
        // The first is 60 s old.
        #expect(budget.takeStart(at: .seconds(60), jitter: 0) == .zero)
        #expect(budget.takeStart(at: .seconds(60), jitter: 0) == nil)
    }

    @Test func `delays double up to a bound, and begin anew after a period`() {
        var budget = RestartBudget(limit: 20, period: .seconds(60))
        let delays = (0..<10).map { _ in budget.takeStart(at: .zero, jitter: 1) }
        #expect(delays.prefix(4) == [.milliseconds(50), .milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(delays.suffix(3) == [.seconds(5), .seconds(5), .seconds(5)])
        #expect(budget.takeStart(at: .seconds(61), jitter: 1) == .milliseconds(50))
        #expect(budget.takeStart(at: .seconds(61), jitter: 0.5) == .milliseconds(50))
    }

    @Test func `is read from text`() {
        #expect(RestartBudget("5/60s") == .standard)
        #expect(RestartBudget("0") == RestartBudget.none)
        #expect(RestartBudget("3/500ms") == RestartBudget(limit: 3, period: .milliseconds(500)))
        #expect(RestartBudget("3/2h") == RestartBudget(limit: 3, period: .seconds(7_200)))
        for text in ["", "5", "/", "5/", "-1/60s", "5/0s", "5/s", "5/6d", "x/60s", "5/60s/3", "5/-1s"] {
            #expect(RestartBudget(text) == nil, "\(text)")
        }
    }

    @Test func `none allows none`() {
        var budget = RestartBudget.none
        #expect(budget.takeStart(at: .zero, jitter: 0) == nil)
    }
}
