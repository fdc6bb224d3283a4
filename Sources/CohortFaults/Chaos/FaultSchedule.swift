package import CohortBatch

/// When which process is to be killed or stopped: the same for the same plan and seed.
package struct FaultSchedule: Sendable {
    /// One fault to come.
    package struct Entry: Sendable, Equatable {
        /// Counted from the moment at which the batch is handed over.
        package var at: Duration
        /// The rule's place in the plan.
        package var rule: Int
        package var fault: ProcessFault
        /// Which of the workers, from 0.
        package var worker: Int
    }

    /// One rule, and how far it has come.
    private struct Cursor: Sendable {
        let rule: Int
        let fault: ProcessFault
        let workers: Int
        var moments: SeededGenerator
        var targets: SeededGenerator
        var count = 0
        /// The next second to draw for, of `perSecond`.
        var second = 0
        var next: Entry?

        mutating func advance(horizon: Duration) {
            next = nil
            if let times = fault.times, count >= times { return }
            guard let at = nextMoment(horizon), at <= horizon else { return }
            count += 1
            let worker = Int.random(in: 0..<workers, using: &targets)
            next = Entry(at: at, rule: rule, fault: fault, worker: worker)
        }

        private mutating func nextMoment(_ horizon: Duration) -> Duration? {
            switch fault.moments {
            case .at(let at): return count == 0 ? at : nil
            case .every(let period): return period * (count + 1)
            case .perSecond(let probability):
                while .seconds(second) < horizon {
                    let isHit = Double.random(in: 0..<1, using: &moments) < probability
                    let within = Int.random(in: 0..<1_000, using: &moments)
                    second += 1
                    if isHit { return .seconds(second - 1) + .milliseconds(within) }
                }
                return nil
            }
        }
    }

    private var cursors: [Cursor] = []
    private let horizon: Duration

    /// - Parameter horizon: nothing happens later than this.
    package init(_ plan: FaultPlan, seed: UInt64, horizon: Duration) {
        self.horizon = horizon
        for (number, fault) in plan.faults.enumerated() {
            guard case .process(let process) = fault.kind else { continue }
            var cursor = Cursor(
                rule: number,
                fault: process,
                workers: plan.pool.workers,
                moments: SeededGenerator(seed: seed, "moments", String(number)),
                targets: SeededGenerator(seed: seed, "targets", String(number))
            )
            cursor.advance(horizon: horizon)
            cursors.append(cursor)
        }
    }

    /// When the next one is due; `nil` if there is none.
    package var nextMoment: Duration? { cursors.compactMap { $0.next?.at }.min() }

    /// Takes the next one: the earliest, and of several at once the first in the plan.
    package mutating func next() -> Entry? {
        guard let moment = nextMoment, let place = cursors.firstIndex(where: { $0.next?.at == moment }) else {
            return nil
        }
        let entry = cursors[place].next
        cursors[place].advance(horizon: horizon)
        return entry
    }
}
