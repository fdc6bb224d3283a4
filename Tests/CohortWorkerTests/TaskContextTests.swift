internal import Testing

@testable internal import CohortWorker

@Suite struct TaskContextTests {
    @Test func timeLeftShrinks() throws {
        let context = TaskContext(taskName: "t", groupName: "g", attempt: 2, timeLeft: .seconds(100))
        let first = try #require(context.timeLeft)
        let second = try #require(context.timeLeft)
        #expect(first <= .seconds(100) && first > .seconds(90))
        #expect(second <= first)
        #expect(context.attempt == 2)
    }

    @Test func aTimeoutThatHasPassedIsNegative() throws {
        let context = TaskContext(taskName: "t", groupName: "g", timeLeft: .seconds(-5))
        #expect(try #require(context.timeLeft) <= .zero)
    }

    @Test func noTimeoutNoTimeLeft() {
        #expect(TaskContext(taskName: "t", groupName: "g").timeLeft == nil)
    }

    @Test func theNearestDeadlineCounts() throws {
        let now = MonotonicClock.nanoseconds()
        func left(_ timeout: UInt64?, _ deadline: UInt64?) -> Duration? {
            let at = { (seconds: UInt64?) in seconds.map { now + $0 * 1_000_000_000 } }
            let scope = CallScope(
                taskName: "",
                groupName: "",
                attempt: 1,
                timeoutAt: at(timeout),
                deadlineAt: at(deadline)
            )
            return TaskContext(scope).deadlineLeft
        }
        #expect(left(nil, nil) == nil)
        for (timeout, deadline) in [(100, 500), (500, 100), (100, nil), (nil, 100)] as [(UInt64?, UInt64?)] {
            let left = try #require(left(timeout, deadline))
            #expect(left <= .seconds(100) && left > .seconds(90))
        }
    }

    @Test func aContextWithoutAHostTakesProgress() {
        TaskContext(taskName: "t", groupName: "g").report(fraction: 0.5, "half")
    }

    @Test func nobodyHasCancelledIt() throws {
        let context = TaskContext(taskName: "t", groupName: "g")
        #expect(!context.isCancelled && context.cancelReason == nil)
        try context.checkCancellation()
    }

    @Test func theFirstRequestToStopStands() {
        let scope = CallScope(taskName: "t", groupName: "g", attempt: 1)
        let context = TaskContext(scope)
        let answers = (scope.cancel(reason: "one"), scope.cancel(reason: "two"))
        #expect(answers == (true, false))
        #expect(context.isCancelled && context.cancelReason == "one")
        #expect(throws: CancellationError.self) { try context.checkCancellation() }
    }
}
