internal import Cohort
internal import CohortCore
internal import Testing

@Suite("What a coordinator tells again after it was started anew")
struct RetoldUpdatesTests {
    private let group = GroupID(7)

    private func update(_ indices: [UInt32], closes: Bool = false) -> ClientUpdate {
        var update = ClientUpdate()
        update.opened = [OpenedGroup(key: GroupKey(1), group: group)]
        update.started = indices.map { TaskStart(group: group, index: $0, worker: 1) }
        update.reports = indices.map {
            TaskReport(
                group: group,
                index: $0,
                outcome: $0 % 2 == 0 ? .ok : .error,
                started: true,
                attempts: 1,
                elapsed: .seconds(1),
                worker: 1
            )
        }
        if closes {
            let report = GroupReport(
                group: group,
                parent: nil,
                name: "g",
                outcome: .errors,
                timedOut: false,
                cancelled: false,
                cause: .none,
                reason: "",
                deadlineOf: "",
                counts: TaskCounts(),
                elapsed: .seconds(2),
                openedAgo: .seconds(2),
                omitted: 0
            )
            update.closed = [report]
        }
        return update
    }

    /// Of another client's tree it is told numbers only.
    @Test("makes up the counts of a tree, whenever its inner groups have closed")
    func countsOfAWatchedTree() throws {
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        var counts = TaskCounts()
        func summary(_ id: UInt64, in parent: GroupID?) -> GroupSummary {
            GroupSummary(
                group: GroupID(id),
                parent: parent,
                name: "g",
                detached: false,
                stopping: false,
                outcome: nil,
                counts: counts,
                openedAgo: .seconds(1),
                elapsed: .seconds(1),
                deadlineIn: nil,
                waiting: ""
            )
        }
        func closed(_ id: UInt64, in parent: GroupID?, below: TaskCounts = TaskCounts()) -> ClientUpdate {
            var update = ClientUpdate()
            update.closed = [
                GroupReport(
                    group: GroupID(id),
                    parent: parent,
                    name: "g",
                    outcome: .ok,
                    timedOut: false,
                    cancelled: false,
                    cause: .none,
                    reason: "",
                    deadlineOf: "",
                    counts: counts,
                    elapsed: .seconds(2),
                    openedAgo: .seconds(2),
                    omitted: 0,
                    below: below
                )
            ]
            return update
        }
        func take(_ update: ClientUpdate) {
            collector.take(update) { _, _ in
            } ended: { _ in
            }
        }
        // One task of its own has ended, and five in a group that has closed.
        counts.ok = 6
        var first = ClientUpdate()
        first.groups = [summary(7, in: nil)]
        counts.ok = 1
        first.groups.append(summary(8, in: group))
        take(first)
        #expect(collector.document()?.counts?.ok == 7)
        counts.ok = 2
        // It closes just after it has been told of again, while it was open.
        var both = closed(8, in: group)
        both.groups = first.groups
        take(both)
        #expect(collector.document()?.counts?.ok == 8)
        // What is told of the outer group from then on has the inner one in it.
        var again = ClientUpdate()
        counts.ok = 8
        again.groups = [summary(7, in: nil)]
        take(again)
        #expect(collector.document()?.counts?.ok == 8)
        counts.ok = 3
        var below = TaskCounts()
        below.ok = 7
        below.lost = 1
        take(closed(7, in: nil, below: below))
        let document = try #require(collector.document())
        #expect(document.counts?.ok == 10)
        #expect(document.counts?.lost == 1)
        #expect(document.groups.first?.counts?.ok == 2)
    }

    @Test("is dropped, and counted once")
    func duplicates() throws {
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        collector.open(GroupSpec(key: GroupKey(1), name: "g"))
        var told: [UInt32] = []
        for update in [update([0, 1, 2]), update([0, 1, 2, 3, 200], closes: true), update([3, 200], closes: true)] {
            collector.take(update) { _, _ in
            } ended: { ended in
                told.append(ended.index)
            }
        }
        #expect(told == [0, 1, 2, 3, 200])
        let document = try #require(collector.document())
        #expect(document.counts?.ok == 3)
        #expect(document.counts?.error == 2)
        #expect(document.tasks.count == 5)
        #expect(collector.progress.running == 0)
        #expect(collector.isClosed)
    }

    /// The document of one task that has written so much, and what was passed on of that.
    private func document(_ updates: ClientUpdate...) throws -> (task: TaskResult, told: String, lacksOutput: Bool) {
        let collector = OutcomeCollector(keepsTasks: true) { _, _ in nil }
        collector.open(GroupSpec(key: GroupKey(1), name: "g"))
        var told: [UInt8] = []
        var lacksOutput = false
        for update in updates {
            collector.take(update) { _, bytes in
                told += bytes
            } ended: { ended in
                lacksOutput = ended.lacksOutput
            }
        }
        let document = try #require(collector.document())
        let task = try #require(document.tasks.first)
        return (task, String(decoding: told, as: UTF8.self), lacksOutput)
    }

    private func output(_ text: String, at offset: UInt64) -> ClientUpdate {
        var update = ClientUpdate()
        update.opened = [OpenedGroup(key: GroupKey(1), group: group)]
        let length = UInt32(text.utf8.count)
        update.outputs = [
            ClientOutput(
                group: group,
                index: 0,
                attempt: 1,
                stream: .standardOutput,
                offset: offset,
                length: length
            )
        ]
        update.payload = Array(text.utf8)
        return update
    }

    private func end(rest text: String, at offset: UInt64) -> ClientUpdate {
        var update = update([0])
        var detail = AttemptDetail()
        detail.standardError = Array("its tail".utf8)
        var rest = OutputStretch(offset: offset)
        rest.append(.standardOutput, Array(text.utf8))
        detail.rest = rest
        update.details = [detail]
        update.reports[0].detail = 0
        return update
    }

    @Test("of output is passed on once, and what is missing comes from the end")
    func output() throws {
        let (task, told, lacksOutput) = try document(
            output("one ", at: 0),
            output("three ", at: 8),
            output("one two ", at: 0),
            output("two ", at: 4),
            end(rest: "two three", at: 4),
            output("three", at: 8)
        )
        #expect(told == "one two three")
        #expect(task.stdout == "one two three")
        // The tail that comes with the end stands only where nothing else has come.
        #expect(task.stderr == "")
        #expect(!lacksOutput)
    }

    @Test("of output may all come with the end")
    func outputOfTheEnd() throws {
        let (task, told, lacksOutput) = try document(end(rest: "all of it", at: 0))
        #expect(told == "all of it")
        #expect(task.stdout == "all of it")
        #expect(!lacksOutput)
    }

    @Test("of output may have a gap, and then it is told so")
    func gap() throws {
        let (_, told, lacksOutput) = try document(output("one ", at: 0), end(rest: "three", at: 8))
        #expect(told == "one three")
        #expect(lacksOutput)
    }
}
