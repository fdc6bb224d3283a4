/// A worker without its coordinator: what it keeps, for how long, and what it has to show when it comes back.
extension WorkerCore {
    /// How long attached tasks go on when the connection has broken: their owner may be gone together with the coordinator.
    package static let attachedPatience = TimeSpan.seconds(1)

    /// Since when nothing is heard, and until when what runs may go on.
    struct CutOff: Sendable, Equatable {
        var attachedUntil: Instant
        var detachedUntil: Instant
        /// When the coordinator was last heard of.
        var lastHeard: Instant

        /// What is attached has been killed, and what is detached.
        var hasKilledAttached = false
        var hasKilledAll = false

        /// When something is to be killed next.
        var due: Instant? { hasKilledAll ? nil : hasKilledAttached ? detachedUntil : attachedUntil }
    }

    /// Ends of which the coordinator may not know.
    struct ReportedEnds: Sendable, Equatable {
        /// The report's number among all of this worker.
        var message: UInt64
        var ends: [FinishedAttempt]
    }

    /// What this worker still has, for the hello of a session that continues the last one: after `flush`.
    ///
    /// In the order of their keys; what has ended comes last.
    package var held: [HeldAttempt] {
        let own = entries.values.filter { !$0.isUnwanted }.sorted { $0.ref.task.raw < $1.ref.task.raw }
        let ended = reportedEnds.flatMap(\.ends).map { HeldAttempt(ref: $0.ref, state: .ended) }
        return own.map { HeldAttempt(ref: $0.ref, state: heldState(of: $0)) } + ended
    }

    private func heldState(of entry: Entry) -> HeldAttempt.State {
        // What was let go on only waits for a slot here: to say that it wants one would be answered once more.
        if entry.isWanting { return resuming.contains(entry.ref.task) ? .running : .wanting }
        if entry.isSuspended { return .waiting }
        return entry.hasStarted ? .running : .unstarted
    }

    /// The coordinator has all reports but the last so many. To be called now and then: ends are kept until then.
    package mutating func acknowledged(allBut outstanding: Int) {
        while let first = reportedEnds.first, first.message + UInt64(outstanding) <= reportCount {
            reportedEnds.removeFirst()
        }
    }

    mutating func wasCutOff(
        lastHeard: Instant,
        lease: TimeSpan,
        isDurable: Bool,
        at now: Instant,
        into actions: inout [WorkerAction]
    ) {
        // Another try that fails gives nothing more time.
        guard cutOff == nil else { return }
        let end = lastHeard.advanced(by: lease)
        let attachedUntil = min(now.advanced(by: Self.attachedPatience), end)
        cutOff = CutOff(
            attachedUntil: attachedUntil,
            detachedUntil: isDurable ? end : attachedUntil,
            lastHeard: lastHeard
        )
        // What hosts hold ready begins no more than what waits here.
        retractCalls(into: &actions) { !$0.isRunning }
        giveUpOverdue(at: now, into: &actions)
    }

    /// Something answers connections again, though nothing has been heard of the session: attached tasks get a little more.
    mutating func wayIsBack(at now: Instant) {
        guard let cutOff, !cutOff.hasKilledAttached else { return }
        let end = max(cutOff.attachedUntil, cutOff.detachedUntil)
        self.cutOff?.attachedUntil = min(now.advanced(by: Self.attachedPatience), end)
    }

    /// Kills what has gone on without the coordinator for as long as it may.
    mutating func giveUpOverdue(at now: Instant, into actions: inout [WorkerAction]) {
        guard let cutOff, now >= cutOff.attachedUntil else { return }
        let due = entries.values
            .filter { !$0.isGivenUp && (now >= cutOff.detachedUntil || !isDetached($0)) }
            .map(\.ref)
            .sorted { $0.task.raw < $1.task.raw }
        for ref in due {
            guard let entry = entries[ref.task] else { continue }
            if entry.phase == .waiting {
                waiting.removeAll { $0 == ref.task }
                entries[ref.task] = nil
                report.returned(ref)
            } else {
                entries[ref.task]?.silence = now.since(cutOff.lastHeard)
                actions.append(.kill(ref.task, isCall: entry.isCall))
            }
        }
        self.cutOff?.hasKilledAttached = true
        self.cutOff?.hasKilledAll = now >= cutOff.detachedUntil
    }

    private func isDetached(_ entry: Entry) -> Bool { templates[entry.template]?.detached ?? false }

    mutating func finishGivenUp(_ entry: Entry, _ silence: TimeSpan, elapsed: TimeSpan, detail: AttemptDetail?) {
        var detail = detail ?? AttemptDetail()
        detail.type = "CoordinatorLost"
        let seconds = Int(silence.seconds.rounded())
        detail.message = "nothing was heard of the coordinator for \(seconds) s, and its worker killed it"
        detail.forced = true
        report.finished(FinishedAttempt(ref: entry.ref, status: .lost, elapsed: elapsed), detail: detail)
    }

    /// A session continues the one that was lost.
    mutating func wasResumed(unwanted: [AttemptRef], into actions: inout [WorkerAction]) {
        cutOff = nil
        tombstones.removeAll()
        tombstoneOrder.removeAll()
        for ref in unwanted {
            guard let entry = entries[ref.task], entry.ref == ref, !entry.isUnwanted else { continue }
            if entry.phase == .waiting {
                waiting.removeAll { $0 == ref.task }
                entries[ref.task] = nil
            } else {
                entries[ref.task]?.isUnwanted = true
                if !entry.isGivenUp { actions.append(.kill(ref.task, isCall: entry.isCall)) }
            }
        }
        // The coordinator will not say that the templates of unwanted tasks are to be forgotten: it does not know them here.
        let used = Set(entries.values.filter { !$0.isUnwanted }.map(\.template))
        templates = templates.filter { used.contains($0.key) }
        forgetLatestTemplate()
        outputResumed(into: &actions)
    }
}
