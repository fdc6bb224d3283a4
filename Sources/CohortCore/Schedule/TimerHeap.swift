internal import HeapModule

/// What a timer is for. Timers are never taken out: one that has lost its object matches nothing when it fires.
package enum CoordinatorTimer: Sendable, Equatable {
    case groupDeadline(GroupID)
    case taskTimeout(AttemptRef)
    case retry(TaskKey)
    /// Heartbeats, leases, cancels to repeat.
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

    package init() {}

    package var nextDue: Instant? { heap.min?.due }

    package mutating func set(_ timer: CoordinatorTimer, at due: Instant) {
        heap.insert(Entry(due: due, order: nextOrder, timer: timer))
        nextOrder += 1
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
