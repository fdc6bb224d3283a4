internal import CohortCore
internal import Testing

/// What workers say, about tasks named as in the trace: `g1/0` is task 0 of group 1.
extension CoreScript {
    /// The last assignment of a task. A name that no worker has heard of is a mistake in the test.
    func held(_ task: String, sourceLocation: SourceLocation = #_sourceLocation) -> ActionTrace.Held {
        guard let held = trace.held[task] else {
            Issue.record("no worker was ever given \(task)", sourceLocation: sourceLocation)
            let nothing = AttemptRef(task: TaskKey(index: 0, generation: 0), attempt: 0)
            return ActionTrace.Held(worker: SessionID(0), ref: nothing)
        }
        return held
    }

    mutating func report(
        from worker: SessionID,
        sourceLocation: SourceLocation = #_sourceLocation,
        _ fill: (inout WorkerReport) -> Void
    ) {
        var report = WorkerReport()
        fill(&report)
        send(.workerReported(worker, report), sourceLocation: sourceLocation)
    }

    mutating func start(_ tasks: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        for task in tasks {
            let held = held(task, sourceLocation: sourceLocation)
            report(from: held.worker, sourceLocation: sourceLocation) { $0.started.append(held.ref) }
        }
    }

    mutating func finish(
        _ task: String,
        _ status: AttemptStatus = .ok,
        started: Bool = true,
        value: String = "",
        error: String? = nil,
        elapsed: TimeSpan = .seconds(1),
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let held = held(task, sourceLocation: sourceLocation)
        let event = Self.finished(held, status, started: started, value: value, error: error, elapsed: elapsed)
        send(event, sourceLocation: sourceLocation)
    }

    /// The same from another session than the one that it was assigned in.
    mutating func finishAs(
        _ task: String,
        at worker: SessionID,
        _ status: AttemptStatus = .ok,
        value: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let ref = held(task, sourceLocation: sourceLocation).ref
        send(Self.finished(.init(worker: worker, ref: ref), status, value: value), sourceLocation: sourceLocation)
    }

    /// The event of `finish`, for bursts.
    static func finished(
        _ held: ActionTrace.Held,
        _ status: AttemptStatus = .ok,
        started: Bool = true,
        value: String = "",
        error: String? = nil,
        elapsed: TimeSpan = .seconds(1)
    ) -> CoordinatorEvent {
        var report = WorkerReport()
        if let error {
            var detail = AttemptDetail()
            detail.type = error
            report.details.append(detail)
        }
        report.payload = Array(value.utf8)
        report.finished.append(
            FinishedAttempt(
                ref: held.ref,
                status: status,
                started: started,
                elapsed: elapsed,
                valueLength: UInt32(value.utf8.count),
                detail: error == nil ? -1 : 0
            )
        )
        return .workerReported(held.worker, report)
    }

    /// One report of the worker that holds them, in this order.
    mutating func giveBack(_ tasks: String..., sourceLocation: SourceLocation = #_sourceLocation) {
        let held = tasks.map { self.held($0, sourceLocation: sourceLocation) }
        report(from: held[0].worker, sourceLocation: sourceLocation) { $0.returned = held.map(\.ref) }
    }

    mutating func acknowledgeCancel(_ task: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let held = held(task, sourceLocation: sourceLocation)
        report(from: held.worker, sourceLocation: sourceLocation) { $0.cancelsSeen.append(held.ref) }
    }

    /// The task waits for groups of its own, and gives up its slot.
    mutating func wait(_ task: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let held = held(task, sourceLocation: sourceLocation)
        report(from: held.worker, sourceLocation: sourceLocation) { $0.waiting.append(held.ref) }
    }

    /// The task has what it waited for, and wants a slot to go on.
    mutating func want(_ task: String, sourceLocation: SourceLocation = #_sourceLocation) {
        let held = held(task, sourceLocation: sourceLocation)
        report(from: held.worker, sourceLocation: sourceLocation) { $0.wanting.append(held.ref) }
    }

    /// The worker is killed, and its record names what it had begun.
    mutating func kill(
        _ worker: SessionID,
        begun: String...,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let refs = begun.map { held($0, sourceLocation: sourceLocation).ref }
        send(.sessionEnded(worker, .died(WorkerDeath(signal: 9, begun: refs))), sourceLocation: sourceLocation)
    }

    mutating func lose(
        _ session: SessionID,
        _ end: SessionEnd = .leaseExpired,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        send(.sessionEnded(session, end), sourceLocation: sourceLocation)
    }
}
