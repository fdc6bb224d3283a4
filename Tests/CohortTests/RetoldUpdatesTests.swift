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
}
