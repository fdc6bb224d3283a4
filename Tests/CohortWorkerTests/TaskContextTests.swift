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

    @Test func nobodyHasCancelledIt() throws {
        let context = TaskContext(taskName: "t", groupName: "g")
        #expect(!context.isCancelled && context.cancelReason == nil)
        try context.checkCancellation()
    }

    @Test func theFirstRequestToStopStands() {
        let scope = CallScope(taskName: "t", groupName: "g", attempt: 1, deadline: nil)
        let context = TaskContext(scope)
        let answers = (scope.cancel(reason: "one"), scope.cancel(reason: "two"))
        #expect(answers == (true, false))
        #expect(context.isCancelled && context.cancelReason == "one")
        #expect(throws: CancellationError.self) { try context.checkCancellation() }
    }
}
