internal import CohortCore
internal import Glibc

/// The worker's hand in its `AttemptRecord`: finds a place for each attempt, and strikes it out when the coordinator has
/// acknowledged its end. Lives on the loop thread.
final class RecordKeeper {
    /// A message whose acknowledgement lets places go.
    private struct Reported {
        /// Its number among those that this worker has sent.
        var message: UInt64
        var place: UInt32
    }

    private let record: AttemptRecord
    private var places = TaskPlaces()
    private var free: [UInt32] = []
    private var used: UInt32 = 0
    /// In the order of the messages; those before `head` are done with.
    private var reported: [Reported] = []
    private var head = 0
    private var messages: UInt64 = 0
    /// Tasks here whose end will not be reported, for nobody wants to know.
    private var disowned: Set<TaskKey> = []

    init(_ record: AttemptRecord) {
        self.record = record
    }

    /// Enters an attempt that is about to be handed to an executor; returns its place, `AttemptRecord.noEntry` if there is
    /// none left.
    func assign(_ ref: AttemptRef) -> UInt32 {
        // The last one that was let go comes first: few pages are touched.
        guard let place = free.popLast() ?? unused() else {
            record.markIncomplete()
            return AttemptRecord.noEntry
        }
        record.assign(place, ref)
        places[ref.task] = place
        return place
    }

    private func unused() -> UInt32? {
        guard used < AttemptRecord.capacity else { return nil }
        used += 1
        return used - 1
    }

    /// A report has gone out.
    func sent(_ report: WorkerReport) {
        messages += 1
        for ref in report.returned {
            // It has never begun: whether the coordinator hears of that makes no difference.
            if let place = places.removeValue(forKey: ref.task) { release(place) }
        }
        for end in report.finished {
            guard let place = places.removeValue(forKey: end.ref.task) else { continue }
            guard end.started else {
                release(place)
                continue
            }
            record.end(place)
            reported.append(Reported(message: messages, place: place))
        }
    }

    /// The coordinator has all of this worker's messages but the last so many, or has no more interest in them.
    func acknowledged(allBut outstanding: Int) {
        while head < reported.count, reported[head].message + UInt64(outstanding) <= messages {
            release(reported[head].place)
            head += 1
        }
        if head == reported.count {
            reported.removeAll(keepingCapacity: head <= 1 << 16)
            head = 0
        } else if head >= 1 << 16 {
            reported.removeFirst(head)
            head = 0
        }
    }

    /// The coordinator wants nothing of these attempts: their places go with their ends, whatever is reported.
    func disown(_ refs: [AttemptRef]) {
        for ref in refs {
            guard let place = places[ref.task], record.attempt(at: place) == ref else { continue }
            disowned.insert(ref.task)
        }
    }

    var hasDisowned: Bool { !disowned.isEmpty }

    /// Nothing is left of a task here.
    func ended(_ task: TaskKey) {
        guard disowned.remove(task) != nil, let place = places.removeValue(forKey: task) else { return }
        release(place)
    }

    /// All attempts are gone, and nobody will ask for them.
    func forgetAll() {
        for place in 0..<used { record.clear(place) }
        places = TaskPlaces()
        disowned = []
        free = Array((0..<used).reversed())
        reported = []
        head = 0
    }

    private func release(_ place: UInt32) {
        record.clear(place)
        free.append(place)
    }
}
