internal import DequeModule

/// Calls that wait for groups of their own: their slots are used by others meanwhile, and they come first when they go on.
extension WorkerCore {
    mutating func callWaiting(_ task: TaskKey) {
        guard let entry = entries[task], entry.isCall, entry.phase == .submitted, !entry.isSuspended else { return }
        if !entry.hasStarted { attemptStarted(task) }
        entries[task]?.isSuspended = true
        suspendedCount += 1
        callsSubmitted -= 1
        report.waiting(entry.ref)
    }

    /// The coordinator lets a call go on: in the next slot, or at once if it is to clean up.
    ///
    /// One that still waits has not asked for that: it would count as one that runs, and not be heard when it asks.
    mutating func proceedGranted(_ ref: AttemptRef, into actions: inout [WorkerAction]) {
        guard let entry = entries[ref.task], entry.ref == ref, entry.isWanting, !resuming.contains(ref.task) else {
            return
        }
        if entry.cancelRequested || commandsRunning + callsSubmitted < slots {
            resume(ref.task, into: &actions)
            return
        }
        resuming.append(ref.task)
        // Calls that were sent ahead to hosts would otherwise run before it, or keep a slot while they wait behind another.
        retractCalls(into: &actions) { !$0.isRunning }
    }

    mutating func resume(_ task: TaskKey, into actions: inout [WorkerAction]) {
        entries[task]?.isSuspended = false
        entries[task]?.isWanting = false
        suspendedCount -= 1
        callsSubmitted += 1
        actions.append(.proceed(task))
    }
}
