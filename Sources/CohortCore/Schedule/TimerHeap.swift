internal import HeapModule

/// What a timer is for. One that has lost its object matches nothing when it fires; it is taken out only when there are many.
package enum CoordinatorTimer: Sendable, Equatable {
    case groupDeadline(GroupID)
    case taskTimeout(AttemptRef)
    case retry(TaskKey)
    /// A closed tree has been remembered for long enough.
    case retention(GroupID)
    /// Somebody may have been silent, or out of reach, for too long.
    case expiry
    /// Heartbeats, cancels to repeat.
    case tick
}

/// Timers by due time; equal ones in the order of setting, so that replays agree.
package struct TimerHeap: Sendable, Equatable {
    private struct Entry: Sendable, Comparable {
        var due: Instant
        var order: UInt64
        var timer: CoordinatorTimer

        static func < (left: Entry, right: Entry) -> Bool {
            (left.due, left.order) < (right.due, right.order)
        }
    }

    private var heap = Heap<Entry>()
    private var nextOrder: UInt64 = 0
    /// Twice as many as there were after the last compaction.
    private var most = 1_024

    package init() {}

    package var count: Int { heap.count }

    package var nextDue: Instant? { heap.min?.due }

    package mutating func set(_ timer: CoordinatorTimer, at due: Instant) {
        heap.insert(Entry(due: due, order: nextOrder, timer: timer))
        nextOrder += 1
    }

    /// At least half of those that are there have been set since the last compaction.
    package var wantsCompaction: Bool { heap.count >= most }

    /// Keeps only what `isLive` says of.
    package mutating func compact(_ isLive: (CoordinatorTimer, Instant) -> Bool) {
        heap = Heap(heap.unordered.filter { isLive($0.timer, $0.due) })
        most = max(1_024, heap.count * 2)
    }

    /// Takes out the earliest timer that is due.
    package mutating func popDue(at now: Instant) -> CoordinatorTimer? {
        guard let first = heap.min, first.due <= now else { return nil }
        heap.removeMin()
        return first.timer
    }

    package static func == (left: TimerHeap, right: TimerHeap) -> Bool {
        left.heap.unordered.sorted() == right.heap.unordered.sorted()
    }
}
