internal import CohortCore

extension CoordinatorCore {
    /// What it would answer to a query now. Everything that has gathered must have been flushed.
    func snapshot(at now: Instant) -> Snapshot? {
        var copy = self
        var actions: [CoordinatorAction] = []
        let asking = SessionID(.max)
        copy.handle(.clientJoined(asking), at: now, into: &actions)
        copy.handle(.queried(asking), at: now, into: &actions)
        copy.flush(at: now, into: &actions)
        for case .answer(asking, let snapshot) in actions { return snapshot }
        return nil
    }

    /// How many tasks the worker of this number holds, running or sent ahead.
    func held(byWorker number: UInt32) -> Int? {
        let worker = snapshot(at: Instant(nanoseconds: 0))?.workers.first { $0.number == number }
        return worker.map { Int($0.running + $0.prefetched) }
    }
}
