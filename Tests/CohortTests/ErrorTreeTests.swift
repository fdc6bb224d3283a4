internal import CohortCore
internal import Testing

@testable internal import Cohort

/// Trees of errors: their parts, their way over the wire, their text.
@Suite struct ErrorTreeTests {
    private func leaf(_ task: String, _ type: ErrorType = "ValueError", id: String? = nil) -> ErrorNode {
        .leaf(ErrorNode.Leaf(task: task, id: id, type: type, message: "\(task) is wrong"))
    }

    private var tree: ErrorNode {
        let inner = ErrorNode.Group(
            group: "inner",
            errors: [leaf("c", id: "2.1"), leaf("d", .taskTimeout, id: "2.2")],
            id: "2",
            timedOut: true,
            elapsed: .seconds(2),
            task: "parent"
        )
        return .group(
            ErrorNode.Group(
                group: "outer",
                errors: [leaf("a", id: "1.1"), .group(inner)],
                id: "1",
                cancelled: true,
                elapsed: .seconds(3)
            )
        )
    }

    private var error: GroupError { GroupError(kind: .errors, group: "outer", message: "3 errors", tree: tree) }

    @Test func partsKeepWhatTheGroupsAreAndWhenTheyWere() throws {
        let part = try #require(error.filter(types: .taskTimeout))
        guard case .group(let outer)? = part.tree, case .group(let inner)? = outer.errors.first else {
            Issue.record("the structure is gone: \(part)")
            return
        }
        #expect(outer.errors.count == 1)
        #expect(outer.id == "1")
        #expect(outer.cancelled)
        #expect(outer.elapsed == .seconds(3))
        #expect(outer.message == "1 error in group outer")
        #expect(part.message == outer.message)
        #expect(inner.id == "2")
        #expect(inner.timedOut)
        #expect(inner.task == "parent")
        #expect(inner.elapsed == .seconds(2))
        #expect(part.leaves.map(\.task) == ["d"])
    }

    @Test func splitDividesTheLeaves() {
        let (matching, rest) = error.split(task: "a", "c")
        #expect(matching?.leaves.map(\.task) == ["a", "c"])
        #expect(rest?.leaves.map(\.task) == ["d"])
        #expect(error.filter(task: "nobody") == nil)
        let lost = GroupError(kind: .lost, group: "g", message: "gone")
        #expect(lost.split(types: .workerLost).matching == nil)
        #expect(lost.split(types: .workerLost).rest?.kind == .lost)
    }

    @Test func treesSurviveTheWire() throws {
        #expect(ErrorNode(wireBytes: tree.wireBytes) == tree)
        #expect(ErrorNode(wireBytes: []) == nil)
        #expect(ErrorNode(wireBytes: Array("{\"type\": 5}".utf8)) == nil)
        #expect(ErrorNode(wireBytes: Array(repeating: 32, count: ErrorNode.wireLimit + 1)) == nil)
    }

    @Test func aTreeThatIsTooDeepIsNone() {
        let open = "{\"type\": \"ErrorGroup\", \"message\": \"\", \"group\": \"g\", \"errors\": ["
        let text = String(repeating: open, count: 10_000) + String(repeating: "]}", count: 10_000)
        #expect(ErrorNode(wireBytes: Array(text.utf8)) == nil)
    }

    @Test func aTreeThatIsTooLongIsCut() throws {
        let text = String(repeating: "x", count: 1_000)
        let leaves = (0..<5_000).map { ErrorNode.leaf(.init(task: "\($0)", type: "E", message: text)) }
        let node = ErrorNode.group(.init(group: "big", errors: leaves))
        let bytes = node.wireBytes
        #expect(bytes.count <= ErrorNode.wireLimit)
        #expect(try #require(ErrorNode(wireBytes: bytes)).count == 5_000)
    }

    @Test func aLeafThatComesUpAgainIsDropped() {
        var distinct = DistinctLeaves()
        #expect(distinct.new(in: leaf("a", id: "1.1")) != nil)
        #expect(distinct.new(in: leaf("a", id: "1.1")) == nil)
        let rest = distinct.new(in: tree)
        #expect(rest?.leaves.map(\.task) == ["c", "d"])
        #expect(distinct.new(in: tree) == nil)
        // Without an id nothing can be told from anything.
        #expect(distinct.new(in: leaf("x")) != nil)
        #expect(distinct.new(in: leaf("x")) != nil)
    }

    @Test func thrownErrorsBecomeWhatTheyStandFor() {
        #expect(ThrownError(CancellationError()).node(task: "body") == nil)
        #expect(ThrownError(GroupError(kind: .cancelled, group: "g", message: "")).node(task: "body") == nil)
        #expect(ThrownError(error).node(task: "body") == tree)
        func plain(_ error: any Error) -> [String] {
            let leaf = ThrownError(error).node(task: "body")?.leaves.first
            return [leaf?.task, leaf?.type.rawValue, leaf?.message].compactMap(\.self)
        }
        #expect(plain(TaskCancelled(task: "t")) == ["body", "TaskCancelled", "t"])
        #expect(plain(WaitTimeout()) == ["body", "WaitTimeout", ""])
        #expect(plain(SpawnRefused.shuttingDown) == ["body", "SpawnRefused", "shutting down"])
        #expect(plain(GroupError(kind: .timeout, group: "g", message: "")) == ["body", "GroupTimeout", "g"])
        #expect(plain(TaskError(type: "Odd", message: "m")) == ["body", "Odd", "m"])
        let failure = TaskFailure(
            task: "a",
            tree: leaf("a", id: "1.1"),
            result: TaskResult(name: "a", id: "1.1", outcome: .error)
        )
        #expect(ThrownError(failure).node(task: "body") == leaf("a", id: "1.1"))
    }

    @Test func aTasksTreeStandsInItsPlace() throws {
        var detail = AttemptDetail()
        detail.type = "ErrorGroup"
        detail.tree = leafGroup.wireBytes
        let report = TaskReport(
            group: GroupID(7),
            index: 4,
            outcome: .error,
            started: true,
            attempts: 1,
            elapsed: .zero,
            worker: 0
        )
        let account = TaskAccount(report: report, detail: detail, value: [], name: "parent")
        guard case .group(let group)? = account.result().error else {
            Issue.record("no tree")
            return
        }
        #expect(group.task == "parent")
        #expect(group.errors == [leaf("inside", id: "9.1")])
        // What cannot be read is a plain error.
        detail.tree = [1, 2, 3]
        let plain = TaskAccount(report: report, detail: detail, value: [], name: "parent").result().error
        #expect(plain?.leaves.first?.id == "7.5")
    }

    private var leafGroup: ErrorNode { .group(ErrorNode.Group(group: "own", errors: [leaf("inside", id: "9.1")])) }

    @Test func theDescriptionDrawsTheTree() {
        #expect(
            error.description == """
                3 errors in group outer (cancelled)
                ├─ a: ValueError: a is wrong
                └─ parent: 2 errors in group inner (timed out)
                   ├─ c: ValueError: c is wrong
                   └─ d: TaskTimeout: d is wrong
                """
        )
    }

    @Test func aResultWithItsErrorSurvivesJSON() throws {
        let result = TaskResult(name: "a", id: "1.1", outcome: .error, error: tree)
        let document = OutcomeDocument(
            group: "outer",
            id: "1",
            outcome: .errors,
            startedAt: Timestamp(milliseconds: 0),
            elapsed: .seconds(3),
            tasks: [result],
            error: tree
        )
        #expect(try OutcomeDocument(jsonText: document.jsonText()) == document)
        #expect(TaskResult(name: "a", id: "1.1", outcome: .ok).jsonText().contains("\"error\":") == false)
    }
}
