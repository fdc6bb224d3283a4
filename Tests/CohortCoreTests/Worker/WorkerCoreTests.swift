internal import CohortCore
internal import Testing

/// Slots, order, cancels, what is handed back and when.
@Suite struct WorkerCoreTests {
    private static let call = WorkerScript.template(2, TaskTemplate(name: "call", function: "f"))

    // MARK: Slots and order

    @Test func commandsStartInOrderAsSlotsAllow() {
        var script = WorkerScript(slots: 2)
        script.assign(0...3, payload: "x")
        script.expect("run 0 slot 1 'x'", "run 1 slot 2 'x'")
        script.start(0)
        script.expect("started 0")
        script.exit(1)
        script.expect("run 2 slot 2 'x'", "ended 1 ok")
        script.exit(0)
        script.exit(2)
        script.exit(3)
        script.expect("run 3 slot 1 'x'", "ended 0 ok", "ended 2 ok", "ended 3 ok")
        #expect(script.core.isIdle)
    }

    @Test func aStartAndAnEndInOneBurstAreOneReport() {
        var script = WorkerScript()
        script.assign(0...0)
        script.settle()
        script.send(
            .attemptStarted(WorkerScript.key(0)),
            .commandNotStarted(WorkerScript.key(0), message: "m", command: "c")
        )
        script.expect("ended 0 failed StartFailed")
    }

    @Test func callsGoAheadIntoTheirHost() {
        var script = WorkerScript()
        script.assign(0...2, Self.call)
        script.expect("call 0 ahead", "call 1 ahead", "call 2 ahead")
        script.end(0, .returned(Array("v".utf8)))
        script.expect("ended 0 ok 'v'")
    }

    @Test func aCallWithATimeoutWaitsForItsSlot() {
        var script = WorkerScript()
        script.assign(0...1, WorkerScript.template(2, TaskTemplate(name: "call", function: "f", timeout: .seconds(1))))
        script.expect("call 0")
        script.end(0, .returned([]))
        script.expect("call 1", "ended 0 ok")
    }

    @Test func commandsAndCallsShareTheSlots() {
        var script = WorkerScript(slots: 2)
        script.assign(0...0)
        script.assign(1...2, Self.call)
        // A call must not wait in a host behind a command's slot.
        script.expect("run 0 slot 1", "call 1 ahead")
        script.assign(3...3, isNew: false)
        script.exit(0)
        script.expect("call 2 ahead", "ended 0 ok")
        script.end(1, .returned([]))
        script.expect("run 3 slot 1", "ended 1 ok")
    }

    @Test func onlySoManyCallsGoAhead() {
        var script = WorkerScript()
        script.assign(0...200, Self.call)
        #expect(script.lines.count == WorkerCore.callDepth)
        script.settle()
        script.end(0, .returned([]))
        script.expect("call 128 ahead", "ended 0 ok")
    }

    @Test func anUnknownTemplateIsHandedBack() {
        var script = WorkerScript()
        script.assign(0...0, isNew: false)
        script.expect("returned 0")
        script.assign(1...1)
        script.settle()
        script.exit(1)
        script.settle()
        script.send(.forgotten([WorkerScript.command]))
        script.assign(2...2, isNew: false)
        script.expect("returned 2")
    }

    @Test func aPayloadThatIsTooShortIsCut() {
        var script = WorkerScript()
        var batch = AssignBatch()
        batch.templates = [WorkerScript.template(1, TaskTemplate(name: "task"))]
        batch.tasks = [Assignment(ref: WorkerScript.ref(0), template: TemplateID(1), index: 0, payloadLength: .max)]
        batch.payload = Array("ab".utf8)
        script.send(.assigned(batch))
        script.expect("run 0 slot 1 'ab'")
    }

    // MARK: Cancels

    @Test func aRunningCommandIsAskedToEndOnce() {
        var script = WorkerScript()
        script.assign(0...0)
        script.settle()
        script.cancel(0)
        script.expect("cancel command 0 grace 5.0", "cancel seen 0")
        script.cancel(0)
        script.expect("cancel seen 0")
        script.cancel(0, grace: .zero)
        script.expect("cancel command 0 grace 0.0", "cancel seen 0")
        script.exit(0, code: nil, signal: 15, wasSignalled: true)
        script.expect("ended 0 cancelled")
    }

    @Test func aWaitingTaskNeverStarts() {
        var script = WorkerScript()
        script.assign(0...2)
        script.settle()
        script.cancel(1)
        script.expect("ended 1 cancelled unstarted", "cancel seen 1")
        script.exit(0)
        script.expect("run 2 slot 1", "ended 0 ok")
    }

    @Test func aCancelThatOvertookItsTaskIsRemembered() {
        var script = WorkerScript()
        script.cancel(0)
        script.expect("cancel seen 0")
        script.assign(0...1)
        script.expect("run 1 slot 1", "ended 0 cancelled unstarted")
        // It was meant for that attempt alone.
        script.exit(1)
        script.settle()
        script.assign(0...0, attempt: 2)
        script.expect("run 0 slot 1")
    }

    @Test func onlySoManyCancelsAreRemembered() {
        var script = WorkerScript()
        for number in 0...UInt32(WorkerCore.tombstoneLimit) { script.cancel(number) }
        script.settle()
        script.assign(0...1)
        script.expect("run 0 slot 1", "ended 1 cancelled unstarted")
    }

    @Test func aCancelOfAnEarlierAttemptDoesNothing() {
        var script = WorkerScript()
        script.assign(0...0, attempt: 2)
        script.settle()
        script.cancel(0, attempt: 1)
        script.expect("cancel seen 0")
    }

    @Test func howACancelledCommandEnds() {
        let ends: [(code: Int32?, signal: Int32?, wasSignalled: Bool, line: String)] = [
            (0, nil, true, "ended 0 ok"),
            (143, nil, true, "ended 0 cancelled"),
            (nil, 9, true, "ended 0 cancelled"),
            // It failed before the signal was sent.
            (1, nil, false, "ended 0 failed CommandFailed"),
        ]
        for end in ends {
            var script = WorkerScript()
            script.assign(0...0)
            script.cancel(0)
            script.settle()
            script.exit(0, code: end.code, signal: end.signal, wasSignalled: end.wasSignalled)
            script.expect(end.line)
        }
    }

    @Test func howACommandEndsThatNobodyCancelled() {
        for (code, signal, line) in [
            (Int32(0), nil, "ended 0 ok"), (3, nil, "ended 0 failed CommandFailed"),
            (nil, Int32(11), "ended 0 failed CommandKilled"),
        ] as [(Int32?, Int32?, String)] {
            var script = WorkerScript()
            script.assign(0...0)
            script.settle()
            script.exit(0, code: code, signal: signal, wasSignalled: true)
            script.expect(line)
        }
    }

    @Test func howACallEnds() {
        let ends: [(CallEnd, isCancelled: Bool, line: String)] = [
            (.returned([]), true, "ended 0 ok"),
            (.threw(type: "KeyError", message: "k", trace: "t"), true, "ended 0 failed KeyError"),
            (.cancelled(started: true), true, "ended 0 cancelled"),
            (.cancelled(started: false), true, "ended 0 cancelled unstarted"),
            (.died(exitCode: nil, signal: 9, forced: true), true, "ended 0 cancelled"),
            (.died(exitCode: nil, signal: 9, forced: false), true, "ended 0 lost WorkerLost"),
            (.died(exitCode: nil, signal: 9, forced: false), false, "ended 0 lost WorkerLost"),
            (.died(exitCode: 3, signal: nil, forced: false), false, "ended 0 failed TaskExited"),
        ]
        for (end, isCancelled, line) in ends {
            var script = WorkerScript()
            script.assign(0...0, Self.call)
            if isCancelled { script.cancel(0) }
            script.settle()
            script.end(0, end)
            script.expect(line)
        }
    }

    @Test func eventsAboutUnknownTasksAreDropped() {
        var script = WorkerScript()
        script.start(0)
        script.exit(0)
        script.end(0, .returned([]))
        script.send(
            .outputArrived(WorkerScript.key(0), .standardOutput, [1]),
            .callsReturned([WorkerScript.key(0)]),
            .granted([OutputGrant(ref: WorkerScript.ref(0), position: 1)]),
            .timeReached
        )
        script.expectNothing()
    }

    // MARK: Holding back

    @Test func aFailureHandsBackWhatItMayStop() {
        var script = WorkerScript()
        let holding = WorkerScript.template(1, group: 1, hold: .afterFailure, TaskTemplate(name: "task"))
        script.assign(0...0, holding)
        script.assign(1...1, WorkerScript.template(5, group: 2, hold: .never, TaskTemplate(name: "other")))
        script.assign(2...3, holding, isNew: false)
        script.settle()
        script.exit(0, code: 1)
        // Of other groups as well: the worker does not know which lie around and below the one that may stop.
        script.expect("ended 0 failed CommandFailed", "returned 1", "returned 2", "returned 3")
    }

    @Test func whatDoesNotTriggerHoldsNothing() {
        for (hold, code, isHeld) in [
            (HoldRule.afterFailure, Int32(0), false), (.afterSuccess, 1, false), (.never, 1, false),
            (.afterSuccess, 0, true),
        ] {
            var script = WorkerScript()
            script.assign(0...1, WorkerScript.template(1, hold: hold, TaskTemplate(name: "task")))
            script.settle()
            script.exit(0, code: code)
            #expect(script.lines.contains("returned 1") == isHeld)
            #expect(script.lines.contains("run 1 slot 1") == !isHeld)
        }
    }

    @Test func whatWaitsBehindSomethingLongGoesElsewhere() {
        var script = WorkerScript()
        script.assign(0...2)
        script.settle()
        #expect(script.core.nextDeadline == script.now.advanced(by: .milliseconds(50)))
        script.advance(by: .milliseconds(49))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("returned 1", "returned 2")
        #expect(script.core.nextDeadline == nil)
    }

    @Test func anEndGivesTheWaitingMoreTime() {
        var script = WorkerScript(slots: 2)
        script.assign(0...3)
        script.advance(by: .milliseconds(40))
        script.exit(0)
        script.settle()
        script.advance(by: .milliseconds(40))
        script.expectNothing()
        script.advance(by: .milliseconds(10))
        script.expect("returned 3")
    }

    @Test func callsAheadOfALongOneAreTakenBack() {
        var script = WorkerScript()
        script.assign(0...2, Self.call)
        script.start(0)
        script.settle()
        script.advance(by: .milliseconds(50))
        script.expect("retract [1, 2]")
        script.send(.callsReturned([WorkerScript.key(1)]))
        script.expect("returned 1")
        // The other one had begun meanwhile.
        script.end(2, .returned([]))
        script.end(0, .returned([]))
        script.expect("ended 2 ok", "ended 0 ok")
        #expect(script.core.isIdle)
    }

    @Test func aCancelledCallThatComesBackHasEnded() {
        var script = WorkerScript()
        script.assign(0...1, Self.call)
        script.cancel(1)
        script.settle()
        script.send(.callsReturned([WorkerScript.key(1)]))
        script.expect("ended 1 cancelled unstarted")
    }

    // MARK: Draining

    @Test func drainingHandsBackAndWaits() {
        var script = WorkerScript(slots: 2)
        script.assign(0...0)
        script.assign(1...1, Self.call)
        script.assign(2...3, isNew: false)
        script.settle()
        script.send(.drainRequested)
        script.expect("draining", "retract [1]", "returned 2", "returned 3")
        script.send(.callsReturned([WorkerScript.key(1)]))
        script.assign(4...4, isNew: false)
        script.expect("returned 1", "returned 4")
        script.exit(0)
        script.expect("ended 0 ok", "drained")
        script.send(.drainRequested)
        script.expectNothing()
    }

    @Test func anIdleWorkerDrainsAtOnce() {
        var script = WorkerScript()
        script.send(.drainRequested)
        script.expect("draining", "drained")
    }

    // MARK: Output

    @Test func tailsAreKeptAndCreditIsGivenHere() {
        var script = WorkerScript()
        script.assign(0...0)
        script.settle()
        let key = WorkerScript.key(0)
        script.send(.outputArrived(key, .standardOutput, Array("out".utf8)), .outputArrived(key, .standardError, [7]))
        script.expect("grant 0 3", "grant 0 1")
        let chunk = [UInt8](repeating: 1, count: 50_000)
        for _ in 0..<5 { script.send(.outputArrived(key, .standardOutput, chunk)) }
        script.settle()
        script.exit(0, code: 1)
        #expect(script.details.map(\.standardOutput.count) == [WorkerCore.tailBytes])
        #expect(script.details.map(\.standardOutput.last) == [1])
        #expect(script.details.map(\.standardError) == [[7]])
        #expect(script.details.map(\.message) == ["exit status 1"])
        #expect(script.details.map(\.command) == ["true"])
    }

    @Test func aCancelledCallKeepsItsOutput() {
        var script = WorkerScript()
        script.assign(0...0, Self.call)
        script.start(0)
        script.send(.outputArrived(WorkerScript.key(0), .standardOutput, Array("so far".utf8)))
        script.cancel(0)
        script.settle()
        script.end(0, .cancelled(started: true))
        #expect(script.details.map(\.standardOutput) == [Array("so far".utf8)])
        script.expect("ended 0 cancelled")
    }

    @Test func largeReportsAreSplitAndEachAddsUp() {
        var script = WorkerScript(slots: 3)
        script.assign(0...2, Self.call)
        script.settle()
        let value = [UInt8](repeating: 1, count: ClientOutbox.messageBytes * 3 / 4)
        func end(_ number: UInt32) -> WorkerEvent {
            .callEnded(WorkerScript.key(number), .returned(value), elapsed: .zero)
        }
        script.send(end(0), end(1), end(2))
        let reports = script.actions.compactMap { action -> WorkerReport? in
            if case .report(let report) = action { report } else { nil }
        }
        #expect(reports.map(\.finished.count) == [2, 1])
        #expect(reports.map(\.payload.count) == [2 * value.count, value.count])
    }

    @Test func aPieceLongerThanTheTailIsCut() {
        var script = WorkerScript()
        script.assign(0...0, Self.call)
        let long = [UInt8](repeating: 0, count: 1_000) + [UInt8](repeating: 2, count: WorkerCore.tailBytes)
        script.send(.outputArrived(WorkerScript.key(0), .standardError, long))
        script.end(0, .returned([]))
        #expect(script.details.map(\.standardError) == [[UInt8](repeating: 2, count: WorkerCore.tailBytes)])
    }

    @Test func aStreamIsPassedOnAgainstTheClientsCredit() {
        var script = WorkerScript()
        script.assign(0...0, WorkerScript.template(3, TaskTemplate(name: "task", function: "f", output: .stream)))
        script.settle()
        let key = WorkerScript.key(0)
        script.send(
            .outputArrived(key, .standardOutput, Array("ab".utf8)),
            .callEnded(key, .returned(Array("v".utf8)), elapsed: .zero)
        )
        script.expect("output 0 'ab'", "ended 0 ok 'v'")
        script.assign(1...1, WorkerScript.template(4, TaskTemplate(name: "task", output: .stream)))
        script.send(.outputArrived(WorkerScript.key(1), .standardOutput, Array(repeating: 0, count: 20)))
        script.settle()
        script.send(.granted([1, 0].map { OutputGrant(ref: WorkerScript.ref($0), position: 9) }))
        script.expect("grant 1 9")
        // How far, not how much more; and no further than it has come.
        for position: UInt64 in [9, 4, .max, 20] {
            script.send(.granted([OutputGrant(ref: WorkerScript.ref(1), position: position)]))
        }
        script.expect("grant 1 11")
    }
}
