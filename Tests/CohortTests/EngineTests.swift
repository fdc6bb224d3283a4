internal import CohortCore
internal import CohortWire
internal import Testing

@testable internal import Cohort

/// Parts of the engine that need no coordinator.
@Suite struct EngineTests {
    private func submissions(_ bodies: [FrameBody]) -> [TaskSubmission] {
        bodies.compactMap { body in
            if case .submit(let submission) = body { return submission }
            return nil
        }
    }

    @Test func tasksOfOneTemplateTravelTogether() throws {
        let outbox = Outbox()
        let cell = GroupCell(key: GroupKey(1), name: "g", options: GroupOptions())
        var wakes = 0
        for number in 0..<10_000 {
            let template = TaskOptions().template(name: "t", function: "f", spec: [])
            let payload = Array("\(number)".utf8)
            if try cell.spawn(template, command: nil, payload: payload, outbox: outbox).mustWake { wakes += 1 }
        }
        #expect(wakes == 1)
        let bodies = submissions(outbox.takeAll())
        #expect(bodies.count == 1)
        let submission = try #require(bodies.first)
        #expect(submission.templates.count == 1)
        #expect(submission.runs.count == 1)
        #expect(submission.runs.first?.lengths.count == 10_000)
        #expect(outbox.takeAll().isEmpty)
    }

    @Test func numbersGoOnFromOneMessageToTheNext() throws {
        let outbox = Outbox()
        let cell = GroupCell(key: GroupKey(1), name: "g", options: GroupOptions())
        func spawn(_ name: String) throws {
            let template = TaskOptions().template(name: name, function: "f", spec: [])
            _ = try cell.spawn(template, command: nil, payload: [1], outbox: outbox)
        }
        try spawn("a")
        try spawn("b")
        try spawn("a")
        _ = outbox.append(.query)
        try spawn("b")
        try spawn("c")
        let bodies = outbox.takeAll()
        #expect(bodies.count == 3)
        let parts = submissions(bodies)
        #expect(parts.map(\.first) == [0, 3])
        #expect(parts.map(\.firstTemplate) == [0, 2])
        #expect(parts.map { $0.templates.map(\.name) } == [["a", "b"], ["c"]])
        #expect(parts.map { $0.runs.map(\.template) } == [[0, 1, 0], [1, 2]])
    }

    @Test func largePayloadsAreDivided() throws {
        let outbox = Outbox()
        let cell = GroupCell(key: GroupKey(1), name: "g", options: GroupOptions())
        let template = TaskOptions().template(name: "t", function: "f", spec: [])
        let payload = [UInt8](repeating: 0, count: 3 << 20)
        for _ in 0..<3 { _ = try cell.spawn(template, command: nil, payload: payload, outbox: outbox) }
        #expect(submissions(outbox.takeAll()).map(\.first) == [0, 1, 2])
    }

    @Test func whatTheCoordinatorRefusesNeverStarted() async throws {
        let outbox = Outbox()
        let cell = GroupCell(key: GroupKey(1), name: "g", options: GroupOptions())
        cell.opened(GroupID(5))
        let template = TaskOptions().template(name: "t", function: "f", spec: [])
        let tasks = try (0..<3).map { _ in
            try cell.spawn(template, command: nil, payload: [], outbox: outbox).cell
        }
        var wakeups = Wakeups()
        let refusal = Refusal(code: .shuttingDown, key: cell.key, from: 1, message: "too late")
        #expect(cell.refused(refusal, &wakeups) == false)
        #expect(tasks.map(\.hasEnded) == [false, true, true])
        #expect(tasks[1].result?.outcome == .cancelled)
        #expect(tasks[1].result?.started == false)
        // Tasks that are missing though the group does not stop: it cannot end well.
        let limit = Refusal(code: .limit, key: cell.key, from: 0, message: "full")
        #expect(cell.refused(limit, &wakeups) == true)
        #expect(throws: SpawnRefused(code: .limit, message: "full")) {
            try cell.spawn(template, command: nil, payload: [], outbox: outbox)
        }
    }

    @Test func siblingsAreCountedAndNumbered() throws {
        let outbox = Outbox()
        let cell = GroupCell(key: GroupKey(1), name: "g", options: GroupOptions(acceptsSiblings: true))
        cell.opened(GroupID(5))
        let template = TaskOptions().template(name: "own", function: "f", spec: [])
        let own = try cell.spawn(template, command: nil, payload: [], outbox: outbox).cell
        var wakeups = Wakeups()
        cell.named(0, "sibling")
        cell.accepted(AcceptedTasks(key: cell.key, first: 0, index: 1, count: 1), &wakeups)
        #expect(own.index == 1)
        for index: UInt32 in [1, 0] {
            #expect(!cell.isIdle)
            let report = TaskReport(
                group: GroupID(5),
                index: index,
                outcome: .ok,
                started: true,
                attempts: 1,
                elapsed: .zero,
                worker: 0
            )
            _ = cell.ended(report, nil, value: [], worker: nil, weight: 0, &wakeups)
        }
        #expect(cell.isIdle)
        #expect(own.hasEnded)
        let closed = GroupReport(
            group: GroupID(5),
            parent: nil,
            name: "g",
            outcome: .ok,
            timedOut: false,
            cancelled: false,
            cause: .none,
            reason: "",
            deadlineOf: "",
            counts: TaskCounts(),
            elapsed: .zero,
            openedAgo: .zero,
            omitted: 0
        )
        cell.closed(closed, &wakeups)
        #expect(cell.document?.tasks.map(\.name) == ["sibling", "own"])
        #expect(cell.document?.tasks.map(\.id) == ["5.1", "5.2"])
    }

    @Test func aReaderThatIsFarBehindHoldsWeightBack() {
        let channel = CompletionChannel(limit: 2, ended: [], isFinished: false)
        var wakeups = Wakeups()
        let held = (0..<5).map { channel.push(TaskCell(name: "\($0)"), 10 + UInt64($0), &wakeups) }
        #expect(held == [false, false, true, true, true])
        #expect(channel.pop()?.weight == 12)
        #expect(channel.pop()?.weight == 13)
        #expect(channel.release() == 14)
        #expect(channel.pop()?.weight == 0)
    }

    @Test func valuesTravelWithTasks() async throws {
        #expect(Propagated.value("user") == nil)
        try await Propagated.with("user", "a") {
            try await Propagated.with("traceparent", "00-1") {
                #expect(Propagated.values == ["user": "a", "traceparent": "00-1"])
                let bytes = Propagated.encode(Propagated.values)
                #expect(Propagated.decode(bytes) == Propagated.values)
                let settings = try CommandSettings(bytes: Command.shell("true").settings(Propagated.values))
                #expect(settings.variables.map(\.name) == ["TRACEPARENT"])
                #expect(settings.variables.map(\.value) == ["00-1"])
            }
            #expect(Propagated.value("traceparent") == nil)
        }
        #expect(Propagated.encode([:]).isEmpty)
        #expect(Propagated.decode(Array("[1]".utf8)).isEmpty)
        #expect(Propagated.decode(Array("{\"a\": 1, \"b\": \"c\"}".utf8)) == ["b": "c"])
    }
}
