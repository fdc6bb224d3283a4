/// How attempts end here, and what is told of that.
extension WorkerCore {
    mutating func commandEnded(
        _ task: TaskKey,
        _ end: CommandEnd,
        at now: Instant,
        into actions: inout [WorkerAction]
    ) {
        guard let entry = leave(task, at: now) else { return }
        let status: AttemptStatus
        var detail = AttemptDetail()
        if end.exitCode == 0 {
            status = .ok
        } else if entry.cancelRequested && end.wasSignalled {
            // After a signal a program has no other way to say that it was stopped: no code of its own is an error then.
            status = .cancelled
        } else {
            status = .failed
            detail.type = end.signal == nil ? "CommandFailed" : "CommandKilled"
            detail.message = end.signal.map { "killed by signal \($0)" } ?? "exit status \(end.exitCode ?? 0)"
        }
        detail.exitCode = end.exitCode
        detail.signal = end.signal
        detail.coreDumped = end.coreDumped
        detail.forced = end.forced
        detail.command = status == .ok ? "" : end.command
        detail.userTime = end.userTime
        detail.systemTime = end.systemTime
        detail.maxResidentBytes = end.maxResidentBytes
        detail.standardOutput = Array(entry.standardOutputTail.suffix(Self.tailBytes))
        detail.standardError =
            entry.standardErrorTail.isEmpty
            ? end.standardErrorTail : Array(entry.standardErrorTail.suffix(Self.tailBytes))
        detail.standardOutputBytes = end.standardOutputBytes
        detail.standardErrorBytes = end.standardErrorBytes
        finish(entry, status, elapsed: end.elapsed, detail: detail)
    }

    mutating func commandNotStarted(_ task: TaskKey, message: String, command: String, at now: Instant) {
        guard let entry = leave(task, at: now) else { return }
        var detail = AttemptDetail()
        detail.type = "StartFailed"
        detail.message = message
        detail.command = command
        finish(entry, .failed, elapsed: .zero, detail: detail)
    }

    mutating func callEnded(_ task: TaskKey, _ end: CallEnd, elapsed: TimeSpan, at now: Instant) {
        guard let entry = leave(task, at: now) else { return }
        var detail = AttemptDetail()
        detail.standardOutput = Array(entry.standardOutputTail.suffix(Self.tailBytes))
        detail.standardError = Array(entry.standardErrorTail.suffix(Self.tailBytes))
        let hasOutput = !detail.standardOutput.isEmpty || !detail.standardError.isEmpty
        switch end {
        case .returned(let value):
            finish(entry, .ok, elapsed: elapsed, detail: hasOutput ? detail : nil, value: value)
        case .threw(let type, let message, let trace, let tree):
            detail.type = type
            detail.message = message
            detail.trace = trace
            detail.tree = tree
            finish(entry, .failed, elapsed: elapsed, detail: detail)
        case .cancelled(let started):
            finish(entry, .cancelled, started: started, elapsed: elapsed, detail: hasOutput ? detail : nil)
        case .died(let exitCode, let signal, let forced):
            detail.exitCode = exitCode
            detail.signal = signal
            detail.forced = forced
            if forced && entry.cancelRequested {
                finish(entry, .cancelled, elapsed: elapsed, detail: detail)
            } else {
                detail.type = exitCode == nil ? "WorkerLost" : "TaskExited"
                detail.message =
                    signal.map { "its process was killed by signal \($0)" }
                    ?? "its process exited with status \(exitCode ?? 0)"
                // A process that leaves by itself ends its own task (R6); one that is killed loses it (R15).
                finish(entry, exitCode == nil ? .lost : .failed, elapsed: elapsed, detail: detail)
            }
        }
    }

    mutating func callReturned(_ task: TaskKey) {
        guard let entry = entries[task] else { return }
        callsSubmitted -= 1
        entries[task] = nil
        if entry.isUnwanted {
            return
        } else if entry.cancelRequested {
            reportUnstarted(entry.ref)
        } else {
            report.returned(entry.ref)
        }
    }

    /// Frees what the attempt held.
    private mutating func leave(_ task: TaskKey, at now: Instant) -> Entry? {
        guard let entry = entries.removeValue(forKey: task) else { return nil }
        if entry.isSuspended {
            suspendedCount -= 1
            resuming.removeAll { $0 == task }
        } else if entry.isCall {
            callsSubmitted -= 1
        } else {
            commandsRunning -= 1
            if entry.slot > 0 { freeSlotNumbers.append(entry.slot) }
        }
        lastProgress = now
        return entry
    }

    private mutating func finish(
        _ entry: Entry,
        _ status: AttemptStatus,
        started: Bool = true,
        elapsed: TimeSpan,
        detail: AttemptDetail?,
        value: [UInt8] = []
    ) {
        if entry.isUnwanted { return }
        let detail = entry.withRest(detail, isKept: keepsOutput)
        if let silence = entry.silence {
            if !started && !entry.cancelRequested { return report.returned(entry.ref) }
            // What has ended in another way before the kill could reach it has ended so.
            if status == .failed || status == .lost {
                return finishGivenUp(entry, silence, elapsed: elapsed, detail: detail)
            }
        }
        let attempt = FinishedAttempt(ref: entry.ref, status: status, started: started, elapsed: elapsed)
        report.finished(attempt, detail: detail, value: value)
        applyHold(after: entry, status)
    }

    /// What the end of this attempt may stop must not begin in its slot (R15): it goes back, and comes again if nothing stops.
    /// Calls that were sent ahead are handed back by the host itself, which has the rule too.
    private mutating func applyHold(after entry: Entry, _ status: AttemptStatus) {
        guard let template = template(entry.template) else { return }
        let triggers: Bool =
            switch template.hold {
            case .never: false
            case .afterFailure: status == .failed || status == .lost
            case .afterSuccess: status == .ok
            }
        // Whatever group it is of: which groups lie around and below this one is known to the coordinator only.
        if triggers { handBackWaiting { _ in true } }
    }
}
