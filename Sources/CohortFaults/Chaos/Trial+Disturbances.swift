internal import CohortBatch
internal import CohortCore

/// A time in which nothing or not everything could come through, with the time that all take to find that out.
struct Disturbance {
    var from: Instant
    var to: Instant
    /// What happened to a process; `nil` for what was done to messages, which concerns everybody.
    var incident: Incident?

    /// Whether nobody can be sure of hearing from anybody.
    private var isGeneral: Bool { incident.map { $0.target == .coordinator } ?? true }

    /// Whether it reaches what runs in one of these processes of workers, of which there may be none.
    func concerns(processes: [Int32]) -> Bool {
        guard let incident, !isGeneral else { return true }
        // Of a supervisor that ends by itself, nobody knows the worker any more.
        if case .ended(_, expected: false) = incident.kind { return true }
        return processes.contains(where: incident.processes.contains)
    }

    /// Whether it reaches a worker, from 0, in whatever process.
    func concerns(worker: Int) -> Bool {
        isGeneral || incident?.worker == worker
    }
}

extension Trial {
    /// How long processes may outlive what they belong to, by promise 5.
    static let survival = TimeSpan.seconds(2)

    /// All that was disturbed, and for how long.
    var disturbances: [Disturbance] {
        var found: [Disturbance] = []
        let lease = Limits().lease
        for incident in record.incidents {
            let end: Instant
            switch incident.kind {
            case .frozen(let length), .filled(let length):
                end = incident.at.advanced(by: TimeSpan(length)).advanced(by: lease)
            case .killed, .ended:
                // The kernel tells at once that a worker has died; without a coordinator everybody waits for the lease.
                end = incident.at.advanced(by: incident.target == .coordinator ? lease : Self.survival)
            default: continue
            }
            found.append(Disturbance(from: incident.at, to: end, incident: incident))
        }
        guard record.messages.hasFaults else { return found }
        for fault in record.plan.faults {
            guard case .frames(let frames) = fault.kind else { continue }
            let from = record.begun.advanced(by: TimeSpan(frames.from))
            let to = frames.length.map { from.advanced(by: TimeSpan($0)) } ?? record.ended ?? from
            found.append(Disturbance(from: from, to: to.advanced(by: lease)))
        }
        return found
    }

    /// How much of the time after `instant` was disturbed for any of some workers' processes, as far as `limit` reaches.
    func disturbance(of processes: [Int32], after instant: Instant, within limit: TimeSpan) -> TimeSpan {
        let end = instant.advanced(by: limit)
        var longest = TimeSpan.zero
        for disturbance in disturbances
        where disturbance.from <= end && disturbance.to >= instant && disturbance.concerns(processes: processes) {
            longest = max(longest, disturbance.to.since(max(disturbance.from, instant)))
        }
        return longest
    }
}
