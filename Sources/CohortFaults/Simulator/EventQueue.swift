internal import CohortCore
internal import HeapModule

/// What is going to happen in a simulation, by time; what is due at the same time in the order of scheduling.
struct EventQueue {
    /// Small, because the heap moves it about; the event itself stays at its place.
    private struct Entry: Comparable {
        var due: UInt64
        var order: UInt64
        var place: Int

        static func < (left: Entry, right: Entry) -> Bool {
            left.due == right.due ? left.order < right.order : left.due < right.due
        }
    }

    private var heap = Heap<Entry>()
    private var events: ContiguousArray<SimulatedEvent?> = []
    private var free: [Int] = []
    private var nextOrder: UInt64 = 0

    mutating func schedule(_ event: SimulatedEvent, at due: Instant) {
        let place = free.popLast() ?? events.count
        if place == events.count { events.append(event) } else { events[place] = event }
        heap.insert(Entry(due: due.nanoseconds, order: nextOrder, place: place))
        nextOrder += 1
    }

    /// Takes out the earliest event.
    mutating func next() -> (due: Instant, event: SimulatedEvent)? {
        guard let entry = heap.popMin(), let event = events[entry.place].take() else { return nil }
        free.append(entry.place)
        return (Instant(nanoseconds: entry.due), event)
    }
}

/// One thing that happens at one moment.
enum SimulatedEvent {
    /// A node's loop goes round: it deals with what has arrived and with its timers.
    case turn(node: Int)
    /// A connection that was held back breaks, for so many nanoseconds.
    case broken(connection: Int, generation: Int, span: UInt64)
    case silenced(connection: Int, generation: Int, span: UInt64)
    /// A message comes out of a connection, unless that has broken since.
    case arrival(connection: Int, generation: Int, toPeer: Bool, frames: [[UInt8]])
    case connected(connection: Int, generation: Int)
    /// What a stalled direction of a connection has held back goes on.
    case released(connection: Int, generation: Int)
    /// A simulated program has come to the end of the step that it is in, unless that was called off.
    case programStep(node: Int, program: Int, version: Int)
    /// A simulated program writes something, if it is still there.
    case programWrites(node: Int, task: TaskKey, execution: Int)
    case thaw(node: Int)
    /// A supervisor tells how its worker died; `worker` is that one, if it says what had begun there.
    case obituary(frames: [[UInt8]], worker: Int?)
    case workerReplaced
    case coordinatorDies(span: UInt64)
    case coordinatorRestarts
    case bodiesEnd
    case diskRecovers
    /// The process at its end has left, and what it had said last is through.
    case closed(connection: Int)
    /// The disk has done what it had been given up to this ticket.
    case committed(life: Int, ticket: UInt64)
    case injection(Stream)
    /// The checkers look at everything.
    case sweep

    /// What is injected is drawn in two streams, so that the faults of a seed do not depend on its requests.
    enum Stream: UInt8 { case requests, faults }
}
