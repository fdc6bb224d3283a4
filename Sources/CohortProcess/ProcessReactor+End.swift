internal import CCohortProcess
internal import Glibc

extension ProcessReactor {
    /// Starts the ladder that ends a command, or shortens it.
    func cancel(_ command: RunningCommand, grace: Duration) {
        if command.phase == .running && cohort_has_ended(command.pid) {
            // It ended by itself, whatever order the news come in.
            leaderEnded(command)
        }
        if command.phase == .running && !command.signalSent {
            Glibc.kill(-command.pid, SIGTERM)
            // A stopped process gets its signal only when it runs again.
            Glibc.kill(-command.pid, SIGCONT)
            command.signalSent = true
        }
        let end = Self.now(after: grace)
        if let killAt = command.killAt {
            command.killAt = min(killAt, end)
        } else {
            command.killAt = end
            graced.append(command)
        }
    }

    /// Ends a command now. The rest of its tree follows when its own process has gone.
    func kill(_ command: RunningCommand) {
        command.abandonsOutput = true
        switch command.phase {
        case .running where cohort_has_ended(command.pid):
            leaderEnded(command)
        case .running:
            command.forced = true
            Glibc.kill(-command.pid, SIGKILL)
        case .ending:
            break
        case .draining:
            markReady(command)
        }
    }

    /// Kills the commands whose grace has run out.
    func endGraces() {
        if graced.isEmpty { return }
        let now = Self.now()
        for command in graced {
            guard let killAt = command.killAt, killAt <= now else { continue }
            command.killAt = nil
            kill(command)
        }
        graced.removeAll { $0.killAt == nil }
    }

    /// The command's own process has ended: what is left of its tree has no business any more.
    func leaderEnded(_ command: RunningCommand) {
        guard command.phase == .running else { return }
        command.phase = .ending
        command.endedAt = Self.now()
        // Its own process is a zombie still, so that the number cannot mean another group.
        Glibc.kill(-command.pid, SIGKILL)
        closeInput(command)
        ending.append(command)
    }

    /// Lets those commands go on whose processes are all gone.
    ///
    /// Whatever is left of a tree whose top has ended has an adopted child of this process at its own top. Mostly there is
    /// none, which one read per command tells.
    func settleEnded() {
        if ending.isEmpty {
            if Self.now() >= sweepAt { sweep() }
        } else if Self.now() >= sweepAt || !Spawn.strangers(lists.adoptionCandidates).isEmpty {
            sweep()
        } else {
            ending.forEach(treeGone)
            ending.removeAll(keepingCapacity: true)
        }
    }

    /// Collects the wait status of the command's own process, as the last of its tree.
    func treeGone(_ command: RunningCommand) {
        if let (status, usage) = Spawn.collect(command.pid) {
            command.status = status
            command.usage.add(usage, ownPeakKilobytes: cohort_own_peak_kilobytes())
        } else {
            // Someone else in this process has taken the status away. Success must not be made up.
            command.status = .exited(code: 255)
        }
        leaders[command.pid] = nil
        close(command.pidfd)
        beginDraining(command)
    }

    /// Reports the end of a command and forgets it.
    func finish(_ command: RunningCommand) {
        commands[command.serial] = nil
        serials[command.id] = nil
        if command.killAt != nil {
            command.killAt = nil
            graced.removeAll { $0 === command }
        }
        if !relatives.isEmpty {
            relatives = relatives.filter { $0.value != command.serial }
        }
        events.append(.exited(id: command.id, report: command.report))
    }

    /// The time `grace` from now; the end of time if that is too far to count.
    private static func now(after grace: Duration) -> Int64 {
        let (seconds, attoseconds) = max(grace, .zero).components
        let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        if overflows { return .max }
        let (sum, exceeds) = nanoseconds.addingReportingOverflow(attoseconds / 1_000_000_000)
        let (end, passes) = sum.addingReportingOverflow(now())
        return exceeds || passes ? .max : end
    }
}
