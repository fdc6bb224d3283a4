internal import CohortCore

/// The tables of the cores agree with each other between any two events, and are empty when there is nothing left to do.
enum InvariantsOfTheCore {
    static func check(_ core: CoordinatorCore) -> BrokenPromise? {
        let faults = core.checkInvariants()
        guard let first = faults.first else { return nil }
        return BrokenPromise(promise: .invariants, message: first, evidence: Array(faults.dropFirst()))
    }

    static func checkEmptiness(_ core: CoordinatorCore, at now: Instant) -> BrokenPromise? {
        let leftovers = core.checkEmptiness(at: now)
        guard let first = leftovers.first else { return nil }
        return BrokenPromise(promise: .emptiness, message: first, evidence: Array(leftovers.dropFirst()))
    }

    static func checkEmptiness(_ core: WorkerCore, of worker: String) -> BrokenPromise? {
        let leftovers = core.checkEmptiness()
        guard let first = leftovers.first else { return nil }
        return BrokenPromise(
            promise: .emptiness,
            message: "\(worker): \(first)",
            evidence: Array(leftovers.dropFirst())
        )
    }
}
