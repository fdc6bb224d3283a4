internal import Testing

@testable internal import CohortCore

/// Nothing that peers can make more of grows without a bound, and whoever meets one is told its name.
@Suite struct BoundsTests {
    @Test func unfinishedTasksOfAClientAreBounded() {
        var limits = Limits()
        limits.queuedTasksPerSession = 5
        var script = CoreScript(limits: limits)
        let client = script.client()
        let other = script.client()
        script.open(client, 1)
        script.open(client, 2)
        script.open(other, 1)
        script.submit(client, 1, count: 3)
        script.settle()
        script.submit(client, 2, count: 3)
        #expect(
            refusals(&script) == ["its client has 3 unfinished tasks; the limit of queued tasks of a session is 5"]
        )
        script.submit(other, 1, count: 5)
        script.expectNothing()
        // What has ended counts no more.
        script.worker()
        script.finish("g1/0")
        script.settle()
        script.submit(client, 1, count: 3)
        script.expectNothing()
    }

    @Test func openGroupsOfAClientAreBounded() {
        var limits = Limits()
        limits.openGroupsPerSession = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        for key: UInt32 in 1...2 { script.open(client, key) }
        script.settle()
        script.open(client, 3)
        #expect(
            refusals(&script) == ["this client has 2 groups open already, the limit of open groups of a session"]
        )
        script.seal(client, 1)
        script.settle()
        script.open(client, 3)
        script.expect("c1 opened g3")
    }

    @Test func namesOfFunctionsAreBounded() {
        var limits = Limits()
        limits.functions = 3
        var script = CoreScript(limits: limits)
        let client = script.client()
        // "Runs commands" is the first.
        let worker = script.worker(functions: ["a", "b", "c", "d"])
        script.open(client, 1)
        script.settle()
        script.submit(client, 1, TaskTemplate(name: "task", function: "a"))
        script.expect("w1 assign g1/0")
        script.send(
            .tasksSubmitted(
                client,
                TaskSubmission(
                    group: GroupKey(1),
                    first: 1,
                    firstTemplate: 1,
                    templates: [TaskTemplate(name: "task", function: "z")],
                    runs: [TaskRun(template: 1, lengths: [0])]
                )
            )
        )
        #expect(refusals(&script) == ["3 functions have been named already, which is the limit"])
        script.lose(worker)
    }

    @Test func queriesInABurstAreBounded() {
        var limits = Limits()
        limits.pendingQueries = 2
        var script = CoreScript(limits: limits)
        let client = script.client()
        script.send(burst: Array(repeating: .queried(client), count: 3))
        script.expect("c1 refused limit", "c1 answer: 0 groups, 0 workers", "c1 answer: 0 groups, 0 workers")
        script.send(.queried(client))
        script.expect("c1 answer: 0 groups, 0 workers")
    }

    @Test func timersOfWhatIsOverDoNotPileUp() {
        var script = CoreScript(checksInvariants: false)
        let client = script.client()
        script.worker()
        script.open(client, 1, timeout: .seconds(3_600))
        script.submit(client, 1, TaskTemplate(name: "task", timeout: .seconds(86_400)), count: 5_000)
        for index in 0..<5_000 {
            script.start("g1/\(index)")
            script.finish("g1/\(index)")
            script.send(.deadlineChanged(client, .key(GroupKey(1)), .seconds(UInt64(10_000 + index))))
            script.settle()
        }
        #expect(script.core.timers.count < 2_048)
        // The one that counts is still there.
        script.advance(by: .seconds(14_998))
        #expect(script.take(containing: "stopping") == [])
        script.advance(by: .seconds(1))
        #expect(script.take(containing: "stopping") == ["c1 stopping g1 deadline"])
    }

    @Test func closedTreesAreForgottenInTime() {
        var limits = Limits()
        limits.retainedFor = .seconds(60)
        var script = CoreScript(limits: limits)
        let client = script.client()
        for key: UInt32 in 1...2 {
            script.open(client, key, detached: true)
            script.seal(client, key)
            script.advance(by: .seconds(20))
        }
        script.settle()
        script.advance(by: .milliseconds(19_999))
        #expect(script.core.snapshot(at: script.now)?.groups.count == 2)
        script.advance(by: .milliseconds(1))
        #expect(script.core.snapshot(at: script.now)?.groups.map(\.name) == ["group-2"])
        script.send(.watched(client, .id(GroupID(1))))
        script.expect("c1 refused unknownGroup")
        script.advance(by: .seconds(20))
        #expect(script.core.snapshot(at: script.now)?.groups.isEmpty == true)
    }

    private func refusals(_ script: inout CoreScript) -> [String] {
        defer { script.settle() }
        return script.actions.flatMap { action -> [String] in
            if case .update(_, let update) = action { update.refusals.map(\.message) } else { [] }
        }
    }
}
