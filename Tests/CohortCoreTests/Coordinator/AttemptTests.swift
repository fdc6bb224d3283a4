internal import CohortCore
internal import Testing

/// Timeouts of tasks (R9), retries, and what is late or repeated.
@Suite struct AttemptTests {
    // MARK: Timeouts

    @Test func aTimeoutCountsFromTheStart() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(1)), count: 2)
        script.advance(by: .seconds(5))
        script.start("g1/0")
        script.settle()
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w1 cancel g1/0 taskTimeout")
        script.finish("g1/0", .cancelled)
        script.expect("w1 assign g1/1", "c1 ended g1/0 timeout TaskTimeout (taskTimeout)")
    }

    @Test func aTimeoutIsALeaf() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(1)), policy: .cancel, count: 2)
        script.start("g1/0")
        script.advance(by: .seconds(1))
        script.settle()
        script.finish("g1/0", .cancelled)
        script.expect(
            "w1 forget 1",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/0 timeout TaskTimeout (taskTimeout)",
            "c1 ended g1/1 cancelled unstarted (siblingFailed)",
            "c1 closed g1 errors (siblingFailed)"
        )
    }

    @Test func aLateValueIsAttached() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(1)))
        script.start("g1/0")
        script.advance(by: .seconds(1))
        script.settle()
        script.finish("g1/0", value: "late")
        script.expect(
            "w1 forget 1",
            "c1 ended g1/0 timeout TaskTimeout 'late' (taskTimeout)",
            "c1 closed g1 errors"
        )
    }

    @Test func anErrorTakesTheTimeoutsPlace() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(1)))
        script.start("g1/0")
        script.advance(by: .seconds(1))
        script.settle()
        script.finish("g1/0", .failed, error: "KeyError")
        script.expect("w1 forget 1", "c1 ended g1/0 error KeyError (taskTimeout)", "c1 closed g1 errors")
    }

    @Test func withoutTimeItNeverStarts() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 9)
        script.open(client, 1, policy: .continue)
        script.settle()
        script.submit(client, 1, TaskTemplate(name: "task", timeout: .zero, retries: 3), count: 2)
        script.expect(
            "c1 ended g1/0 timeout TaskTimeout unstarted",
            "c1 ended g1/1 timeout TaskTimeout unstarted"
        )
        script.seal(client, 1)
        script.expect("c1 closed g1 errors")
    }

    @Test func tasksAfterOneWithoutTimeStopWithTheGroup() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 9)
        script.open(client, 1)
        script.submit(client, 1, count: 1)
        script.settle()
        let submission = TaskSubmission(
            group: GroupKey(1),
            first: 1,
            firstTemplate: 1,
            templates: [TaskTemplate(name: "none", timeout: .zero), TaskTemplate(name: "save", shield: true)],
            runs: [
                TaskRun(template: 0, lengths: [0]), TaskRun(template: 1, lengths: [0, 0]),
                TaskRun(template: 0, lengths: [0]), TaskRun(template: 2, lengths: [0]),
            ]
        )
        script.send(.tasksSubmitted(client, submission))
        script.expect(
            "w1 cancel g1/0 siblingFailed",
            "w1 assign g1/5",
            "c1 stopping g1 siblingFailed",
            "c1 ended g1/2 timeout TaskTimeout unstarted",
            "c1 ended g1/1 cancelled unstarted (siblingFailed)",
            "c1 ended g1/3 timeout TaskTimeout unstarted (siblingFailed)",
            "c1 ended g1/4 cancelled unstarted (siblingFailed)"
        )
    }

    // MARK: Retries

    @Test func aFailedTaskIsTriedAgainAfterTheBackoff() {
        var script = assigned(TaskTemplate(name: "task", retries: 2, backoff: .seconds(1)))
        script.finish("g1/0", .failed, error: "A")
        script.advance(by: .milliseconds(999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w1 assign g1/0 #2")
        script.finish("g1/0", .lost, error: "WorkerLost")
        script.advance(by: .milliseconds(1_999))
        script.expectNothing()
        script.advance(by: .milliseconds(1))
        script.expect("w1 assign g1/0 #3")
        script.finish("g1/0", .failed, error: "C")
        script.expect("w1 forget 1", "c1 ended g1/0 error C attempts 3", "c1 closed g1 errors")
    }

    @Test func aSuccessOfALaterAttemptIsNoError() {
        var script = assigned(TaskTemplate(name: "task", retries: 1))
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 assign g1/0 #2")
        script.finish("g1/0", value: "v")
        script.expect("w1 forget 1", "c1 ended g1/0 ok 'v' attempts 2", "c1 closed g1 ok")
    }

    @Test func aTimeoutIsRetriedWithFreshTime() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(2), retries: 1))
        script.start("g1/0")
        script.advance(by: .seconds(2))
        script.settle()
        script.finish("g1/0", .cancelled)
        script.expect("w1 assign g1/0 #2")
        script.start("g1/0")
        script.settle()
        script.advance(by: .milliseconds(1_999))
        script.expectNothing()
        script.finish("g1/0")
        script.expect("w1 forget 1", "c1 ended g1/0 ok attempts 2", "c1 closed g1 ok")
    }

    @Test func theBackoffHasALimit() {
        var limits = Limits()
        limits.maximumBackoff = .seconds(3)
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.submit(client, 1, TaskTemplate(name: "task", retries: .max, backoff: .seconds(2)))
        script.settle()
        for attempt in 2...40 {
            script.finish("g1/0", .failed, error: "A")
            script.advance(by: .seconds(3))
            script.expect("w1 assign g1/0 #\(attempt)")
        }
    }

    @Test func aCancelDuringTheBackoffTellsTheLastFailure() {
        // What a call threw may be named like an error of Cohort's own.
        for (status, error, outcome) in [
            (AttemptStatus.failed, "A", "error"), (.lost, "WorkerLost", "lost"), (.failed, "TaskTimeout", "error"),
        ] {
            var script = assigned(TaskTemplate(name: "task", retries: 1, backoff: .seconds(9)))
            script.finish("g1/0", status, error: error)
            script.expectNothing()
            script.cancel(SessionID(1), 1)
            script.expect(
                "w1 forget 1",
                "c1 stopping g1 requested",
                "c1 ended g1/0 \(outcome) \(error) (requested)",
                "c1 closed g1 errors cancelled (requested)"
            )
        }
    }

    @Test func aRetryCancelledBeforeItStartsTellsTheLastFailure() {
        for isHandedBack in [true, false] {
            var script = assigned(TaskTemplate(name: "task", retries: 1))
            script.finish("g1/0", .failed, error: "A")
            script.cancel(SessionID(1), 1)
            script.expect("w1 assign g1/0 #2", "w1 cancel g1/0 requested", "c1 stopping g1 requested")
            if isHandedBack {
                script.giveBack("g1/0")
            } else {
                script.finish("g1/0", .cancelled, started: false)
            }
            script.expect(
                "w1 forget 1",
                "c1 ended g1/0 error A (requested)",
                "c1 closed g1 errors cancelled (requested)"
            )
        }
    }

    @Test func manyFailuresInBackoffEndWithTheirGroup() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 20)
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.submit(client, 2, TaskTemplate(name: "task", retries: 1, backoff: .seconds(9)), count: 19)
        script.submit(client, 2)
        script.seal(client, 2)
        script.seal(client, 1)
        for index in 0..<19 { script.finish("g2/\(index)", .failed, error: "E\(index)") }
        script.settle()
        script.finish("g2/19", .failed, error: "last")
        let expected = (0..<19).map { "c1 ended g2/\($0) error E\($0) (siblingFailed)" }
        #expect(script.trace.lines.filter { $0.contains("siblingFailed)") && $0.contains("ended") } == expected)
        #expect(script.take(containing: "closed").count == 2)
    }

    @Test func aCancelledTaskIsNotRetried() {
        let template = TaskTemplate(name: "task", timeout: .seconds(1), retries: 5)
        var script = assigned(template)
        script.start("g1/0")
        script.cancelTask(SessionID(1), 1, 0)
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 forget 1", "c1 ended g1/0 error A (requested)", "c1 closed g1 errors")
    }

    @Test func aTaskCancelledAfterItsTimeoutIsNotRetried() {
        var script = assigned(TaskTemplate(name: "task", timeout: .seconds(1), retries: 5))
        script.start("g1/0")
        script.advance(by: .seconds(1))
        script.acknowledgeCancel("g1/0")
        script.cancelTask(SessionID(1), 1, 0)
        script.settle()
        script.finish("g1/0", .cancelled)
        script.expect("w1 forget 1", "c1 ended g1/0 timeout TaskTimeout (taskTimeout)", "c1 closed g1 errors")
    }

    @Test func aShieldedTaskIsRetriedWhileItsGroupStops() {
        var script = assigned(TaskTemplate(name: "save", retries: 1, shield: true))
        script.cancel(SessionID(1), 1)
        script.settle()
        script.finish("g1/0", .failed, error: "A")
        script.expect("w1 assign g1/0 #2")
        script.finish("g1/0")
        script.expect("w1 forget 1", "c1 ended g1/0 ok attempts 2", "c1 closed g1 ok cancelled (requested)")
    }

    // MARK: Late and repeated

    @Test func whatIsLateOrRepeatedIsCountedAndDropped() {
        var script = assigned(TaskTemplate(name: "task", retries: 1), count: 2)
        let client = SessionID(1)
        let first = script.held("g1/0")
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        let second = script.held("g1/0")
        #expect(second.ref.task == first.ref.task)
        // All about the first attempt, while the second is held.
        script.report(from: first.worker) {
            $0.started = [first.ref]
            $0.finished = [FinishedAttempt(ref: first.ref, status: .ok)]
            $0.returned = [first.ref]
            $0.cancelsSeen = [first.ref]
            $0.outputs = [OutputChunk(ref: first.ref, stream: .standardOutput, length: 3)]
            $0.payload = Array("abc".utf8)
        }
        script.expectNothing()
        // Twice the same; handing back what runs; another worker's task; a task that never was.
        script.finish("g1/0")
        script.send(CoreScript.finished(second))
        script.start("g1/1")
        script.giveBack("g1/1")
        let other = script.worker()
        script.send(CoreScript.finished(.init(worker: other, ref: script.held("g1/1").ref)))
        let nobody = AttemptRef(task: TaskKey(index: .max, generation: 7), attempt: 1)
        script.report(from: other) { $0.started = [nobody] }
        script.expect("w1 assign g1/1", "c1 ended g1/0 ok attempts 2", "c1 started g1/1")
        script.send(.queried(client))
        guard case .answer(_, let snapshot)? = script.actions.last else {
            Issue.record("no answer")
            return
        }
        #expect(snapshot.staleMessages == 8)
    }

    @Test func aResultNeedsNoStart() {
        var script = assigned(TaskTemplate(name: "task"))
        script.finish("g1/0")
        script.expect("w1 forget 1", "c1 ended g1/0 ok", "c1 closed g1 ok")
    }

    @Test func lengthsBeyondThePayloadAreCutShort() {
        var script = assigned(TaskTemplate(name: "task"))
        let held = script.held("g1/0")
        script.report(from: held.worker) {
            $0.outputs = [OutputChunk(ref: held.ref, stream: .standardError, length: 2)]
            $0.finished = [FinishedAttempt(ref: held.ref, status: .ok, valueLength: .max, detail: 9)]
            $0.payload = Array("abc".utf8)
        }
        script.expect(
            "w1 forget 1",
            "c1 output g1/0 standardError 'ab'",
            "c1 ended g1/0 ok 'c'",
            "c1 closed g1 ok"
        )
    }

    /// A sealed group with tasks of this template, at a worker with one slot.
    private func assigned(_ template: TaskTemplate, policy: FailurePolicy = .continue, count: Int = 1) -> CoreScript {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1, policy: policy)
        script.submit(client, 1, template, count: count)
        script.seal(client, 1)
        script.settle()
        return script
    }
}
