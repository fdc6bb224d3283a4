internal import CohortCore
internal import Synchronization

/// What one life of the executors has told and the shell has not taken yet.
///
/// Whoever takes gets the words of this life only: those of an earlier one, whose tasks nobody knows any more, stay where
/// nobody looks.
final class ExecutorInbox: Sendable {
    private let events = Mutex<[WorkerEvent]>([])

    /// Returns whether the shell has to be told that there is something to take.
    func put(_ new: [WorkerEvent]) -> Bool {
        events.withLock { events in
            let wasEmpty = events.isEmpty
            events += new
            return wasEmpty
        }
    }

    func takeAll() -> [WorkerEvent] {
        events.withLock { events in
            var all: [WorkerEvent] = []
            swap(&all, &events)
            return all
        }
    }
}
