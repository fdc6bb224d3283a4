internal import Testing

@testable internal import CohortCore

/// Deadlines of groups (R1, R13).
@Suite struct DeadlineTests {
    @Test func aDeadlineStopsTheGroup() {
        var script = running(timeout: .seconds(2))
        script.advance(by: .milliseconds(1_999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w1 cancel g1/0 deadline", "c1 stopping g1 deadline")
        script.finish("g1/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 cancelled (deadline)",
            "c1 closed g1 timeout timed out deadline of group-1 (deadline)"
        )
    }

    @Test func aGroupThatEndsInTimeIsOk() {
        var script = running(timeout: .seconds(2))
        script.finish("g1/0")
        script.expect("w1 forget 1", "c1 ended g1/0 ok", "c1 closed g1 ok")
        script.advance(by: .seconds(3))
        script.expectNothing()
    }

    @Test func aValueAfterTheDeadlineIsKeptInAGroupThatTimedOut() {
        var script = running(timeout: .seconds(2))
        script.advance(by: .seconds(2))
        script.settle()
        script.finish("g1/0", value: "late")
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 ok 'late' after cancel (deadline)",
            "c1 closed g1 timeout timed out deadline of group-1 (deadline)"
        )
    }

    @Test func errorsOutrankTheDeadline() {
        var script = running(timeout: .seconds(2))
        script.advance(by: .seconds(2))
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 error A (deadline)",
            "c1 closed g1 errors timed out deadline of group-1 (deadline)"
        )
    }

    @Test func aCancelDecidesBeforeTheDeadline() {
        for isCancelFirst in [true, false] {
            var script = running(timeout: .seconds(2))
            if isCancelFirst { script.cancel(SessionID(1), 1) }
            script.advance(by: .seconds(2))
            if !isCancelFirst { script.cancel(SessionID(1), 1) }
            script.acknowledgeCancel("g1/0")
            script.settle()
            script.finish("g1/0", .cancelled)
            let cause: CancelCause = isCancelFirst ? .requested : .deadline
            script.expect(
                "w1 forget 1",
                "c1 ended g1/0 cancelled (\(cause))",
                "c1 closed g1 cancelled timed out cancelled deadline of group-1 (\(cause))"
            )
        }
    }

    @Test func theNearestDeadlineFiresAndIsNamed() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, timeout: .seconds(1))
        script.open(client, 2, in: 1, timeout: .seconds(3))
        script.submit(client, 2)
        script.seal(client, 2)
        script.seal(client, 1)
        script.settle()
        script.advance(by: .seconds(1))
        script.expect("w1 cancel g2/0 deadline", "c1 stopping g1 deadline", "c1 stopping g2 deadline")
        script.finish("g2/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g2/0 cancelled (deadline)",
            "c1 closed g2 cancelled cancelled deadline of group-1 (deadline)",
            "c1 closed g1 timeout timed out deadline of group-1 (deadline)"
        )
    }

    @Test func aDeadlineThatHasPassedFiresAtOnce() {
        var script = running(timeout: .zero)
        script.advance(by: .zero)
        script.expect("w1 cancel g1/0 deadline", "c1 stopping g1 deadline")
    }

    // MARK: Moving it

    @Test func itCanBeShortenedIntoThePast() {
        var script = running(timeout: .seconds(60))
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), .zero))
        script.expectNothing()
        #expect(script.core.nextDeadline == script.now)
        script.send(.timeReached)
        script.expect("w1 cancel g1/0 deadline", "c1 stopping g1 deadline")
    }

    @Test func itCanBeExtendedRemovedAndSet() {
        var script = running(timeout: .seconds(1))
        let other = script.client()
        script.send(.deadlineChanged(other, .name("group-1"), .seconds(3)))
        script.advance(by: .seconds(2))
        script.expectNothing()
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), nil))
        script.advance(by: .seconds(60))
        script.expectNothing()
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), .seconds(1)))
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w1 cancel g1/0 deadline", "c1 stopping g1 deadline")
    }

    @Test func itCannotBeMovedOnceItHasFired() {
        var script = running(timeout: .seconds(1))
        script.advance(by: .seconds(1))
        script.settle()
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), .seconds(9)))
        script.expect("c1 refused shuttingDown")
        script.finish("g1/0", .cancelled)
        script.settle()
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), .seconds(9)))
        script.expect("c1 refused unknownGroup")
    }

    @Test func itCanBeMovedWhileTheGroupStopsForAnotherReason() {
        var script = running(timeout: .seconds(1))
        script.cancel(SessionID(1), 1)
        script.acknowledgeCancel("g1/0")
        script.settle()
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), nil))
        script.advance(by: .seconds(2))
        script.expectNothing()
        script.finish("g1/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 cancelled (requested)",
            "c1 closed g1 cancelled cancelled (requested)"
        )
    }

    @Test func aDeadlineIsExtendedFromWhereItIs() {
        var script = running(timeout: .seconds(2))
        script.advance(by: .seconds(1))
        script.send(.deadlineExtended(SessionID(1), .key(GroupKey(1)), by: .seconds(3)))
        script.advance(by: .milliseconds(3_900))
        script.expectNothing()
        script.advance(by: .milliseconds(100))
        script.expect("w1 cancel g1/0 deadline", "c1 stopping g1 deadline")
    }

    /// It is sent again by a client that comes back in another session and has not been told that it arrived.
    @Test func aDeadlineIsExtendedOnceHoweverOftenThatIsAsked() {
        var script = CoreScript(keepsJournal: true)
        var client = script.client(token: 5)
        script.worker(token: 7)
        script.open(client, 1, timeout: .seconds(2))
        script.settle()
        func extend(_ client: SessionID, _ token: UInt32) -> CoordinatorEvent {
            .deadlineExtended(client, .id(GroupID(1)), by: .seconds(3), token: token)
        }
        script.send(extend(client, 2))
        script.expect("c1 answer 2: accepted")
        client = script.client(token: 5)
        script.settle()
        script.send(extend(client, 2))
        script.expect("c2 answer 2: accepted")
        script.restart()
        client = script.client(token: 5)
        script.settle()
        script.send(extend(client, 2))
        script.expect("c3 answer 2: accepted")
        #expect(script.core.groups[0].deadline == Instant(nanoseconds: 6_000_000_000))
        script.send(extend(client, 3))
        script.expect("c3 answer 3: accepted")
        #expect(script.core.groups[0].deadline == Instant(nanoseconds: 9_000_000_000))
    }

    /// It was told so, or will be: that must not change when the request comes again.
    @Test func whatWasRefusedStaysRefused() {
        var script = CoreScript(keepsJournal: true)
        var client = script.client(token: 5)
        script.worker(token: 7)
        script.open(client, 1)
        func extend(_ token: UInt32) {
            script.settle()
            script.send(.deadlineExtended(client, .id(GroupID(1)), by: .seconds(3), token: token))
        }
        extend(1)
        script.expect("c1 answer 1: invalid")
        script.send(.deadlineChanged(client, .id(GroupID(1)), .seconds(2)))
        extend(2)
        script.expect("c1 answer 2: accepted")
        client = script.client(token: 5)
        extend(1)
        script.expect("c2 answer 1: invalid")
        extend(2)
        script.expect("c2 answer 2: accepted")
        script.restart()
        client = script.client(token: 5)
        extend(1)
        script.expect("c3 answer 1: invalid")
        extend(2)
        script.expect("c3 answer 2: accepted")
        #expect(script.core.groups[0].deadline == Instant(nanoseconds: 6_000_000_000))
        extend(3)
        script.expect("c3 answer 3: accepted")
    }

    @Test func refusalsAreRememberedAsFarAsThereIsRoom() {
        var decided = DecidedExtensions()
        decided.accept(1)
        for token in 2...66 as ClosedRange<UInt32> { decided.refuse(token, .finished, "over") }
        #expect(decided.decision(on: 67) == nil)
        #expect(decided.decision(on: 66) == .refused(.finished, "over"))
        #expect(decided.decision(on: 3) == .refused(.finished, "over"))
        #expect(decided.decision(on: 2) == .refused(.limit, "what became of this request is not known any more"))
        #expect(decided.refused.count == DecidedExtensions.mostRefused)
        decided.accept(70)
        #expect(decided.decision(on: 68) == .accepted)
    }

    @Test func whereThereIsNoneNothingIsExtended() {
        var script = running(timeout: .seconds(2))
        script.send(.deadlineChanged(SessionID(1), .key(GroupKey(1)), nil))
        script.send(.deadlineExtended(SessionID(1), .key(GroupKey(1)), by: .seconds(3), token: 4))
        script.expect("c1 answer 4: invalid")
    }

    @Test func anAbsurdDeadlineMeansNever() {
        var script = running(timeout: TimeSpan(nanoseconds: .max))
        script.advance(by: .seconds(3_600))
        script.expectNothing()
    }

    private func running(timeout: TimeSpan) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, timeout: timeout)
        script.submit(client, 1)
        script.seal(client, 1)
        script.start("g1/0")
        script.settle()
        return script
    }
}
