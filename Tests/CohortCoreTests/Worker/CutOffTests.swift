internal import CohortCore
internal import Testing

/// A worker whose coordinator cannot be heard, and what becomes of its tasks when it is back.
@Suite struct CutOffTests {
    private static let attached = WorkerScript.template(1, TaskTemplate(name: "attached"))
    private static let detached: AssignedTemplate = {
        var template = WorkerScript.template(2, TaskTemplate(name: "detached"))
        template.detached = true
        return template
    }()
    private static let call: AssignedTemplate = {
        var template = WorkerScript.template(3, TaskTemplate(name: "call", function: "f"))
        template.detached = true
        return template
    }()

    /// Attached task 0 and detached tasks 1 and 2 on two slots, the first two running.
    private func twoOfThreeRunning() -> WorkerScript {
        var script = WorkerScript(slots: 2)
        script.assign(0...0, Self.attached)
        script.assign(1...2, Self.detached)
        script.start(0)
        script.start(1)
        script.settle()
        return script
    }

    private func cutOff(_ script: inout WorkerScript, isDurable: Bool = true) {
        script.send(.cutOff(lastHeard: script.now, lease: .seconds(10), isDurable: isDurable))
    }

    @Test func attachedTasksGoAfterASecondAndDetachedOnesAfterTheLease() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("kill command 0")
        script.exit(0, code: nil, signal: 9)
        // The slot is free, and yet nothing begins.
        script.expect("ended 0 lost CoordinatorLost")
        script.advance(by: .milliseconds(8_999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("kill command 1", "returned 2")
        script.exit(1, code: nil, signal: 9)
        script.expect("ended 1 lost CoordinatorLost")
        #expect(script.core.isIdle && script.core.nextDeadline == nil)
    }

    @Test func withoutAJournalEverythingGoesAfterASecond() {
        var script = twoOfThreeRunning()
        cutOff(&script, isDurable: false)
        script.advance(by: .seconds(1))
        script.expect("kill command 0", "kill command 1", "returned 2")
    }

    @Test func aLeaseThatIsOverLeavesNoTime() {
        var script = twoOfThreeRunning()
        let lastHeard = script.now
        script.advance(by: .seconds(10))
        script.settle()
        script.send(.cutOff(lastHeard: lastHeard, lease: .seconds(10), isDurable: true))
        #expect(script.lines.filter { $0.hasPrefix("kill") } == ["kill command 0", "kill command 1"])
    }

    @Test func aSecondBreakGivesNoMoreTime() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.advance(by: .milliseconds(900))
        cutOff(&script)
        script.advance(by: .milliseconds(100))
        script.expect("kill command 0")
    }

    @Test func aWayThatIsBackGivesAttachedTasksAnotherSecond() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.advance(by: .milliseconds(900))
        script.send(.wayRestored)
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("kill command 0")
    }

    @Test func whatEndsByItselfBeforeTheKillHasEndedSo() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.advance(by: .seconds(1))
        script.settle()
        script.exit(0)
        script.expect("ended 0 ok")
    }

    @Test func theSameSessionGoesOn() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.exit(0)
        script.expect("ended 0 ok")
        script.send(.heardAgain)
        script.expect("run 2 slot 1")
        script.advance(by: .seconds(20))
        #expect(!script.lines.contains { $0.hasPrefix("kill") })
    }

    @Test func whatItHoldsIsTold() {
        var script = twoOfThreeRunning()
        script.assign(3...4, Self.call)
        script.exit(0)
        script.settle()
        cutOff(&script)
        let held = script.core.held
        #expect(
            held == [
                HeldAttempt(ref: WorkerScript.ref(1), state: .running),
                HeldAttempt(ref: WorkerScript.ref(2), state: .unstarted),
                HeldAttempt(ref: WorkerScript.ref(3), state: .unstarted),
                HeldAttempt(ref: WorkerScript.ref(4), state: .unstarted),
                HeldAttempt(ref: WorkerScript.ref(0), state: .ended),
            ]
        )
    }

    @Test func callsThatWaitOrWantAreTold() {
        var script = WorkerScript(slots: 1)
        script.assign(0...1, Self.call)
        script.send(.callWaiting(WorkerScript.key(0)))
        #expect(script.core.held.first == HeldAttempt(ref: WorkerScript.ref(0), state: .waiting))
        script.send(.callWanting(WorkerScript.key(0)))
        #expect(script.core.held.first == HeldAttempt(ref: WorkerScript.ref(0), state: .wanting))
        script.send(.proceedGranted([WorkerScript.ref(0)]))
        script.end(1, .returned([]))
        #expect(script.core.held.first == HeldAttempt(ref: WorkerScript.ref(0), state: .running))
    }

    @Test func callsInHostsThatHaveNotBegunAreTakenBack() {
        var script = WorkerScript(slots: 1)
        script.assign(0...2, Self.call)
        script.start(0)
        script.settle()
        cutOff(&script)
        script.expect("retract [1, 2]")
        script.send(.callsReturned([WorkerScript.key(1), WorkerScript.key(2)]))
        script.expect("returned 1", "returned 2")
        #expect(script.core.held == [HeldAttempt(ref: WorkerScript.ref(0), state: .running)])
    }

    @Test func acknowledgedEndsAreForgotten() {
        var script = twoOfThreeRunning()
        script.exit(0)
        script.exit(1)
        script.settle()
        script.acknowledge(allBut: 1)
        #expect(script.core.held.map(\.ref) == [WorkerScript.ref(2), WorkerScript.ref(1)])
        script.acknowledge(allBut: 0)
        #expect(script.core.held.map(\.ref) == [WorkerScript.ref(2)])
    }

    @Test func unwantedTasksAreKilledAndNeverReported() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.settle()
        script.send(.resumed(unwanted: [WorkerScript.ref(0), WorkerScript.ref(2), WorkerScript.ref(9)]))
        script.expect("kill command 0")
        script.exit(0, code: nil, signal: 9)
        script.expectNothing()
        script.exit(1)
        script.expect("ended 1 ok")
        #expect(script.core.isIdle)
    }

    @Test func afterAResumeWaitingTasksBegin() {
        var script = twoOfThreeRunning()
        cutOff(&script)
        script.exit(0)
        script.settle()
        script.send(.resumed(unwanted: []))
        script.expect("run 2 slot 1")
    }

    @Test func unusedTemplatesAreForgottenWithTheSession() {
        var script = WorkerScript(slots: 2)
        script.assign(0...0, Self.attached)
        script.assign(1...1, Self.detached)
        script.exit(0)
        cutOff(&script)
        script.send(.resumed(unwanted: []))
        script.settle()
        // The new session sends the one again, and the other is known.
        script.assign(2...2, Self.attached, isNew: false)
        script.expect("returned 2")
        script.assign(3...3, Self.detached, isNew: false)
        script.expect("run 3 slot 1")
    }

    @Test func templatesOfUnwantedTasksAreForgottenToo() {
        var script = WorkerScript(slots: 1)
        script.assign(0...0, Self.detached)
        cutOff(&script)
        script.settle()
        script.send(.resumed(unwanted: [WorkerScript.ref(0)]))
        script.expect("kill command 0")
        script.exit(0, code: nil, signal: 9)
        script.expectNothing()
        #expect(script.core.checkEmptiness() == [])
    }

    @Test func outputBeginsWithAllItsCredit() {
        var script = WorkerScript()
        script.assign(0...0, WorkerScript.template(1, TaskTemplate(name: "task", output: .stream)))
        script.send(.outputArrived(WorkerScript.key(0), .standardOutput, Array("abcdef".utf8)))
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 2)]))
        cutOff(&script)
        script.settle()
        script.send(.resumed(unwanted: []))
        script.expect("grant 0 4")
        cutOff(&script)
        script.send(.resumed(unwanted: []))
        script.expectNothing()
        // What was granted before is not granted twice.
        script.send(.granted([OutputGrant(ref: WorkerScript.ref(0), position: 6)]))
        script.expectNothing()
    }
}
