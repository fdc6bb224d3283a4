internal import CohortCore
internal import Testing

/// Calls that wait for groups of their own, as their worker sees them.
@Suite struct SuspendedCallTests {
    @Test func aWaitingCallMakesRoomForTheNext() {
        var script = WorkerScript(slots: 1)
        script.assign(0...1, Self.exclusive)
        script.expect("call 0")
        script.start(0)
        script.settle()
        script.send(.callWaiting(WorkerScript.key(0)))
        script.expect("call 1", "waiting 0")
    }

    @Test func itGoesOnWhenASlotIsFree() {
        var script = WorkerScript(slots: 1)
        script.assign(0...1, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.start(1)
        script.settle()
        script.send(.callWanting(WorkerScript.key(0)))
        script.expect("wanting 0")
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.expectNothing()
        script.end(1, .returned([]))
        script.expect("proceed 0", "ended 1 ok")
    }

    @Test func itComesBeforeCallsThatHaveNotBegun() {
        var script = WorkerScript(slots: 1)
        script.assign(0...2, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.start(1)
        script.send(.callWanting(WorkerScript.key(0)), .proceedGranted([WorkerScript.ref(0)]))
        script.settle()
        script.end(1, .returned([]))
        script.expect("proceed 0", "ended 1 ok")
        script.end(0, .returned([]))
        script.expect("call 2", "ended 0 ok")
    }

    @Test func callsThatWereSentAheadComeBackForIt() {
        var script = WorkerScript(slots: 1)
        script.assign(0...0, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.assign(1...3, WorkerScript.template(2, TaskTemplate(name: "short", function: "f")))
        script.start(1)
        script.send(.callWanting(WorkerScript.key(0)))
        script.settle()
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.expect("retract [2, 3]")
        script.send(.callsReturned([WorkerScript.key(2), WorkerScript.key(3)]))
        script.expect("returned 2", "returned 3")
        script.end(1, .returned([]))
        script.expect("proceed 0", "ended 1 ok")
    }

    @Test func aCallBehindALongOneKeepsItFromNoSlot() {
        var script = WorkerScript(slots: 2)
        script.assign(0...1, Self.exclusive)
        script.start(0)
        script.start(1)
        script.send(.callWaiting(WorkerScript.key(0)))
        // It may stand behind call 1, which takes long, though a slot is free.
        script.assign(2...2, WorkerScript.template(2, TaskTemplate(name: "short", function: "f")))
        script.send(.callWanting(WorkerScript.key(0)))
        script.settle()
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.expect("retract [2]")
        script.send(.callsReturned([WorkerScript.key(2)]))
        script.expect("proceed 0", "returned 2")
    }

    @Test func aCancelledOneGoesOnAtOnce() {
        var script = WorkerScript(slots: 1)
        script.assign(0...1, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.start(1)
        script.send(.callWanting(WorkerScript.key(0)), .proceedGranted([WorkerScript.ref(0)]))
        script.settle()
        script.cancel(0)
        script.expect("cancel call 0 grace 5.0", "proceed 0", "cancel seen 0")
    }

    @Test func anEndWhileItWaitsFreesNoSlotTwice() {
        var script = WorkerScript(slots: 1)
        script.assign(0...2, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.start(1)
        script.settle()
        script.end(0, .died(exitCode: nil, signal: 9, forced: false))
        script.expect("ended 0 lost WorkerLost")
        #expect(script.core.runningCount == 1)
        script.end(1, .returned([]))
        script.expect("call 2", "ended 1 ok")
    }

    @Test func aCallThatWaitsBeforeItsStartWasToldHasBegun() {
        var script = WorkerScript(slots: 1)
        script.assign(0...0, Self.exclusive)
        script.settle()
        script.send(.callWaiting(WorkerScript.key(0)))
        script.expect("started 0", "waiting 0")
    }

    @Test func leaveToGoOnThatItHasNotAskedForMeansNothing() {
        var script = WorkerScript(slots: 1)
        script.assign(0...0, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.send(.callWanting(WorkerScript.key(0)))
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: true))
        script.send(.resumed(unwanted: []))
        script.settle()
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.expect("proceed 0")
        script.send(.callWaiting(WorkerScript.key(0)))
        script.expect("waiting 0")
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.expectNothing()
        #expect(script.core.runningCount == 0)
        script.send(.callWanting(WorkerScript.key(0)))
        script.expect("wanting 0")
    }

    @Test func oneThatWasLetGoOnIsNotSaidToWantThat() {
        var script = WorkerScript(slots: 1)
        script.assign(0...1, Self.exclusive)
        script.start(0)
        script.send(.callWaiting(WorkerScript.key(0)))
        script.start(1)
        script.send(.callWanting(WorkerScript.key(0)))
        #expect(script.core.held.map(\.state) == [.wanting, .running])
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        #expect(script.core.held.map(\.state) == [.running, .running])
    }

    @Test func progressIsPassedOn() {
        var script = WorkerScript(slots: 1)
        script.assign(0...0, Self.exclusive)
        script.start(0)
        script.settle()
        script.send(.progressed(WorkerScript.key(0), fraction: 0.5, note: "half"))
        script.expect("progress 0 half")
    }

    /// With a timeout a call has its host to itself, so that nothing is sent ahead.
    private static let exclusive = WorkerScript.template(
        1,
        TaskTemplate(name: "call", function: "f", timeout: .seconds(60))
    )
}
