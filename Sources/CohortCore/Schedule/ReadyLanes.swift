internal import HeapModule

/// The groups of one tree that have queued tasks with one requirement, the earliest spawned first.
///
/// Entries are not taken out when they become void (the task was cancelled, the group is at its limit): whoever looks drops
/// them. A group puts in a new entry whenever its queue gets a new head, or comes below its limit again.
package struct ReadyLanes: Sendable, Equatable {
    package struct Entry: Sendable, Comparable {
        package var order: UInt64
        package var group: UInt32

        package static func < (left: Entry, right: Entry) -> Bool {
            (left.order, left.group) < (right.order, right.group)
        }
    }

    package var requirement: UInt32
    /// The groups are those that tasks have opened, or inside such ones.
    package var isBelowTask: Bool
    private var heap = Heap<Entry>()

    package init(requirement: UInt32, isBelowTask: Bool) {
        self.requirement = requirement
        self.isBelowTask = isBelowTask
    }

    package var earliest: Entry? { heap.min }

    package mutating func insert(_ entry: Entry) { heap.insert(entry) }

    package mutating func removeEarliest() { heap.removeMin() }

    /// For checks only: looks through all entries.
    package func contains(_ entry: Entry) -> Bool { heap.unordered.contains(entry) }

    package static func == (left: ReadyLanes, right: ReadyLanes) -> Bool {
        left.requirement == right.requirement && left.isBelowTask == right.isBelowTask
            && left.heap.unordered.sorted() == right.heap.unordered.sorted()
    }
}
