internal import DequeModule

/// An entry of the log that a tree keeps of what it has come to.
package enum LogEntry: Sendable, Equatable {
    /// A task's report, its value, the place of its name among the templates' names, and who is told besides the owner.
    case task(TaskReport, value: [UInt8], name: Int, sibling: ClientReference?)
    /// Its number among the tree's groups that have closed (`TreeLog.closing`).
    case closed(Int)
}

/// What a tree has come to so far: a detached one's is kept for `wait` and `status`; with a journal everyone's is kept for
/// its owner, who may have to be told again, until it has come to that.
package struct TreeLog: Sendable, Equatable {
    /// Entries from number `first` on; those before have been dropped.
    private(set) var entries: Deque<LogEntry> = []
    private(set) var first = 0
    /// In the journal, of each entry.
    private var sequences: Deque<UInt64> = []
    private var details: Deque<AttemptDetail> = []
    /// Comes round after the highest number that a report can name.
    private var firstDetail: Int32 = 0
    private var names: Deque<String> = []
    private var firstName = 0
    /// Groups of the tree that have closed, but for those dropped with their entries.
    private(set) var closed: Deque<ClosedGroup> = []
    private var firstClosed = 0

    package init() {}

    /// How many entries there have been.
    package var count: Int { first + entries.count }

    subscript(number: Int) -> LogEntry { entries[number - first] }

    func name(_ place: Int) -> String { names[place - firstName] }

    /// That of a report, if it has one.
    func detail(of report: TaskReport) -> AttemptDetail? {
        report.detail < 0 ? nil : details[Int((report.detail &- firstDetail) & .max)]
    }

    package mutating func add(
        _ report: TaskReport,
        detail: AttemptDetail?,
        value: [UInt8],
        name: String,
        sibling: ClientReference?,
        sequence: UInt64
    ) {
        var report = report
        if let detail {
            report.detail = (firstDetail &+ Int32(truncatingIfNeeded: details.count)) & .max
            details.append(detail)
        }
        if names.last != name { names.append(name) }
        entries.append(.task(report, value: value, name: firstName + names.count - 1, sibling: sibling))
        sequences.append(sequence)
    }

    package mutating func add(_ group: ClosedGroup, sequence: UInt64) {
        entries.append(.closed(firstClosed + closed.count))
        sequences.append(sequence)
        closed.append(group)
    }

    func closing(_ number: Int) -> ClosedGroup { closed[number - firstClosed] }

    /// Adds the head itself, of whose end its owner need not be told any more.
    package mutating func addTold(_ group: ClosedGroup) { closed.append(group) }

    /// Drops the oldest entry, with what only it needs. How the head itself has ended stays: others may ask after that.
    ///
    /// - Returns: its number in the journal.
    mutating func dropFirst(ofHead head: GroupID) -> UInt64 {
        switch entries.removeFirst() {
        case .closed:
            if closed.first?.report.group != head {
                closed.removeFirst()
                firstClosed += 1
            }
        case .task(let report, _, let name, _):
            if report.detail >= 0 {
                details.removeFirst()
                firstDetail = (firstDetail &+ 1) & .max
            }
            while firstName < name {
                names.removeFirst()
                firstName += 1
            }
        }
        first += 1
        return sequences.removeFirst()
    }
}

/// A group of a tree that has closed.
package struct ClosedGroup: Sendable, Equatable {
    package var report: GroupReport
    package var key: GroupKey
    /// See `JournalClosing.accepted`.
    package var accepted: [AcceptedTasks] = []
}
