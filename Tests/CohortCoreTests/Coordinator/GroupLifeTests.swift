internal import Testing

@testable internal import CohortCore

/// Opening, submitting, assigning, reporting, closing; what is sent twice; what is turned down.
@Suite struct GroupLifeTests {
    @Test func aTaskGoesThroughItsLife() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(slots: 2)
        script.open(client, 1)
        script.expect("c1 opened g1")

        script.submit(client, 1, payloads: ["abc", "de"])
        script.expect("w1 assign g1/0 'abc'", "w1 assign g1/1 'de'")
        script.start("g1/0")
        script.expect("c1 started g1/0")
        script.finish("g1/0", value: "four")
        script.expect("c1 ended g1/0 ok 'four'")
        script.seal(client, 1)
        script.expectNothing()
        script.finish("g1/1")
        script.expect("w1 forget 1", "c1 ended g1/1 ok", "c1 closed g1 ok")
        script.lose(worker, .goodbye)
        script.expect("w1 close goodbye")
    }

    @Test func theActionsSayAllThatTheFramesMustSay() {
        var script = CoreScript()
        let client = script.client()
        let worker = script.worker(slots: 2)
        script.open(client, 1, policy: .first)
        script.settle()
        let template = TaskTemplate(name: "fetch", function: "", timeout: .seconds(30), spec: [1, 2])
        script.submit(client, 1, template, payloads: ["ab", "c"])

        let first = AttemptRef(task: TaskKey(index: 0, generation: 1), attempt: 1)
        let second = AttemptRef(task: TaskKey(index: 1, generation: 1), attempt: 1)
        var batch = AssignBatch()
        batch.templates = [
            AssignedTemplate(
                id: TemplateID(1),
                group: GroupID(1),
                groupName: "group-1",
                hold: .afterSuccess,
                template: template
            )
        ]
        batch.tasks = [
            Assignment(ref: first, template: TemplateID(1), index: 0, payloadLength: 2),
            Assignment(ref: second, template: TemplateID(1), index: 1, payloadLength: 1),
        ]
        batch.payload = Array("abc".utf8)
        script.expect(exactly: [.assign(worker, batch)])

        script.report(from: worker) { $0.started = [first, second] }
        var started = ClientUpdate()
        started.workers = [
            WorkerSummary(number: 1, name: "worker-1", host: "host", processID: 4_001, slots: 2, running: 2)
        ]
        started.started = [
            TaskStart(group: GroupID(1), index: 0, worker: 1), TaskStart(group: GroupID(1), index: 1, worker: 1),
        ]
        script.expect(exactly: [.update(client, started)])

        script.jump(by: .seconds(3))
        script.send(
            CoreScript.finished(.init(worker: worker, ref: first), value: "won"),
            .groupSealed(client, GroupKey(1), .returned)
        )
        let order = CancelOrder(
            ref: second,
            grace: .seconds(5),
            cause: .siblingWon,
            reason: "another task of the group was first"
        )
        var won = ClientUpdate()
        won.stopping = [GroupStop(group: GroupID(1), cause: .siblingWon, reason: order.reason)]
        won.reports = [
            TaskReport(
                group: GroupID(1),
                index: 0,
                outcome: .ok,
                started: true,
                attempts: 1,
                elapsed: .seconds(1),
                worker: 1,
                valueLength: 3
            )
        ]
        won.payload = Array("won".utf8)
        script.expect(exactly: [.cancel(worker, [order]), .update(client, won)])

        script.send(CoreScript.finished(.init(worker: worker, ref: second), .cancelled))
        var counts = TaskCounts()
        counts.ok = 1
        counts.cancelled = 1
        var closed = ClientUpdate()
        closed.reports = [
            TaskReport(
                group: GroupID(1),
                index: 1,
                outcome: .cancelled,
                started: true,
                cause: .siblingWon,
                attempts: 1,
                elapsed: .seconds(1),
                worker: 1
            )
        ]
        closed.closed = [
            GroupReport(
                group: GroupID(1),
                parent: nil,
                name: "group-1",
                outcome: .ok,
                timedOut: false,
                cancelled: false,
                cause: .siblingWon,
                reason: order.reason,
                deadlineOf: "",
                counts: counts,
                elapsed: .seconds(3),
                openedAgo: .seconds(3),
                omitted: 0
            )
        ]
        script.expect(exactly: [.forget(worker, [TemplateID(1)]), .update(client, closed)])
    }

    @Test func anEmptyGroupClosesWhenItsBodyEnds() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.open(client, 2, in: 1)
        script.settle()
        script.seal(client, 1)
        script.expectNothing()
        script.seal(client, 2)
        script.expect("c1 closed g2 ok", "c1 closed g1 ok")
    }

    @Test func aGroupWaitsForItsBody() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.finish("g1/0")
        script.settle()
        script.submit(client, 1)
        script.expect("w1 assign g1/1")
        script.finish("g1/1")
        script.expect("c1 ended g1/1 ok")
        script.seal(client, 1)
        script.expect("w1 forget 2", "c1 closed g1 ok")
    }

    @Test(arguments: [BodyEnd.failed(AttemptDetail()), .cancelled])
    func theEndOfTheBodyStopsTheGroup(end: BodyEnd) {
        for policy in FailurePolicy.allCases {
            var script = CoreScript()
            let client = script.client()
            script.worker()
            script.open(client, 1, policy: policy)
            script.submit(client, 1, count: 2)
            script.start("g1/0")
            script.settle()
            script.seal(client, 1, end)
            let isFailure = end != .cancelled
            let cause: CancelCause = isFailure ? .siblingFailed : .requested
            script.expect(
                "w1 cancel g1/0 \(cause)",
                "c1 stopping g1 \(cause)",
                "c1 ended g1/1 cancelled unstarted (\(cause))"
            )
            script.finish("g1/0", .cancelled)
            script.expect(
                "w1 forget 1",
                "c1 ended g1/0 cancelled (\(cause))",
                isFailure ? "c1 closed g1 errors (\(cause))" : "c1 closed g1 cancelled cancelled (\(cause))"
            )
        }
    }

    // MARK: What is sent twice

    @Test func openingTwiceTellsTheNumberAgain() {
        var script = CoreScript()
        let client = script.client()
        script.open(client, 1)
        script.open(client, 1)
        script.expect("c1 opened g1", "c1 opened g1")
        script.seal(client, 1)
        script.seal(client, 1)
        script.expect("c1 closed g1 ok")
    }

    @Test func submittingTwiceAddsNothing() {
        var script = CoreScript()
        let client = script.client()
        script.worker(slots: 9)
        script.open(client, 1)
        script.settle()
        let event = script.submission(client, 1, payloads: ["a", "b"])
        script.send(event)
        script.expect("w1 assign g1/0 'a'", "w1 assign g1/1 'b'")
        script.send(event)
        script.expectNothing()

        // A longer copy of what is known in part brings only the rest.
        let longer = TaskSubmission(
            group: GroupKey(1),
            first: 1,
            firstTemplate: 0,
            templates: [TaskTemplate(name: "task"), TaskTemplate(name: "other")],
            runs: [TaskRun(template: 0, lengths: [1]), TaskRun(template: 1, lengths: [2])],
            payload: Array("bcd".utf8)
        )
        script.send(.tasksSubmitted(client, longer))
        script.expect("w1 assign g1/2 'cd'")
    }

    @Test func submittingTwiceIsHarmlessAfterTheGroupHasStopped() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        let event = script.submission(client, 1, count: 2)
        script.send(event)
        script.finish("g1/0", .failed, error: "A")
        script.settle()
        script.send(event)
        script.expectNothing()
        // What is new in a longer copy is refused, from its own number on.
        let longer = TaskSubmission(
            group: GroupKey(1),
            first: 1,
            firstTemplate: 0,
            templates: [TaskTemplate(name: "task")],
            runs: [TaskRun(template: 0, lengths: [0, 0])]
        )
        script.send(.tasksSubmitted(client, longer))
        script.expect("c1 refused shuttingDown from 2")
    }

    @Test func keysAreEachClientsOwn() {
        var script = CoreScript()
        let one = script.client()
        let two = script.client()
        script.open(one, 1)
        script.open(two, 1)
        script.expect("c1 opened g1", "c2 opened g2")
        script.seal(two, 1)
        script.expect("c2 closed g2 ok")
    }

    // MARK: Refusals

    @Test func groupsThatCannotBeAreRefused() {
        var limits = Limits()
        limits.nesting = 2
        limits.nameBytes = 8
        limits.openGroupsPerSession = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.open(client, 1)
        script.settle()
        script.open(client, 3, in: 9)
        script.expect("c1 refused unknownGroup")
        script.open(client, 3, limit: 0)
        script.expect("c1 refused invalid")
        script.open(client, 1_000)
        script.expect("c1 refused invalid")
        script.open(client, 2, in: 1)
        script.expect("c1 opened g2")
        script.open(client, 3)
        script.expect("c1 refused limit")
        script.seal(client, 2)
        script.settle()
        script.open(client, 2, in: 1)
        script.open(client, 3, in: 2)
        script.expect("c1 opened g3", "c1 refused limit")
    }

    /// Refusals are remembered, some for long.
    @Test func aNameThatIsTooLongIsNotRepeated() {
        var limits = Limits()
        limits.nameBytes = 8
        let script = CoreScript(limits: limits)
        let name = String(repeating: "x", count: 9)
        let message = script.core.refuseMessage(.name(name))
        #expect(message == "there is no group whose name has 9 bytes: 8 are the most")
        #expect(script.core.refuseMessage(.name("x")) == "there is no group named x")
    }

    @Test func nestingHasALimit() {
        var limits = Limits()
        limits.nesting = 3
        var script = CoreScript(limits: limits)
        let client = script.client()
        for key: UInt32 in 1...4 { script.open(client, key, in: key == 1 ? nil : key - 1) }
        script.expect("c1 opened g1", "c1 opened g2", "c1 opened g3", "c1 refused limit")
    }

    @Test func aSealedGroupTakesNothing() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.seal(client, 1)
        script.settle()
        script.submit(client, 1)
        script.expect("c1 refused finished from 1")
        script.open(client, 2, in: 1)
        script.expect("c1 refused finished")
    }

    @Test func aStoppingGroupTakesNothing() {
        var script = CoreScript()
        let client = script.client()
        script.worker()
        script.open(client, 1)
        script.submit(client, 1)
        script.finish("g1/0", .failed, error: "CommandFailed")
        script.settle()
        script.submit(client, 1)
        script.open(client, 2, in: 1)
        script.expect("c1 refused shuttingDown from 1", "c1 refused shuttingDown")
        script.seal(client, 1)
        script.settle()
        script.submit(client, 1)
        script.expect("c1 refused unknownGroup from 2")
    }

    @Test func submissionsThatDoNotAddUpAreRefusedWhole() {
        var limits = Limits()
        limits.unfinishedTasks = 3
        limits.templatesPerGroup = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.open(client, 1)
        script.settle()
        let template = TaskTemplate(name: "task")
        func submit(
            first: UInt32 = 0,
            firstTemplate: UInt32 = 0,
            templates: Int = 1,
            runs: [TaskRun],
            bytes: Int = 0
        ) {
            let submission = TaskSubmission(
                group: GroupKey(1),
                first: first,
                firstTemplate: firstTemplate,
                templates: Array(repeating: template, count: templates),
                runs: runs,
                payload: Array(repeating: 0, count: bytes)
            )
            script.send(.tasksSubmitted(client, submission))
        }
        // Lengths that do not match the payload, in both directions; the largest length there is.
        submit(runs: [TaskRun(template: 0, lengths: [2])], bytes: 1)
        submit(runs: [TaskRun(template: 0, lengths: [1])], bytes: 2)
        submit(runs: [TaskRun(template: 0, lengths: [.max, .max])])
        // Templates that nobody has brought; gaps.
        submit(runs: [TaskRun(template: 1, lengths: [0])])
        submit(templates: 0, runs: [TaskRun(template: 0, lengths: [0])])
        submit(firstTemplate: 1, runs: [TaskRun(template: 1, lengths: [0])])
        submit(first: 1, runs: [TaskRun(template: 0, lengths: [0])])
        let invalid = script.take(containing: "c1 refused invalid")
        #expect(invalid.count == 7)
        // Limits.
        submit(runs: [TaskRun(template: 0, lengths: [0, 0, 0, 0])])
        submit(templates: 3, runs: [TaskRun(template: 0, lengths: [0])])
        script.expect("c1 refused limit", "c1 refused limit")
        // None of it has left anything behind.
        script.seal(client, 1)
        script.expect("c1 closed g1 ok")
    }
}
