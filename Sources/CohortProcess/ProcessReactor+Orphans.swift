internal import CCohortProcess
internal import Glibc

/// A process that this one has adopted.
struct Orphan {
    enum Owner {
        /// A command, or a host.
        case command(serial: UInt64)
        /// One of these commands and hosts, which ran when it was first seen; nothing about it says which.
        case anyOf(Set<UInt64>)
        /// Nobody here.
        case foreign
    }

    var owner: Owner
    /// What is known of the owner is final.
    var isSettled = false
}

/// A host that was reaped and of which something may be left.
struct EndedHost {
    /// When it is said to be gone whatever is left.
    var isGivenUpAt: Int64
    var whenGone: @Sendable () -> Void
}

extension ProcessReactor {
    /// What a host is called among commands, whose serials count from 1 and do not come so far.
    static func serial(ofHost number: UInt64) -> UInt64 { number | 1 << 63 }

    /// Time between looks for orphans that have ended, while commands run or hosts live: 1 s.
    static var routineSweep: Int64 { 1_000_000_000 }
    /// How long somebody waits for what a host has left: 2 s.
    static var hostPatience: Int64 { 2_000_000_000 }
    static var shortestSweep: Int64 { 1_000_000 }
    static var longestSweep: Int64 { 50_000_000 }

    /// Whether there are adopted processes that have to go before a stop is complete.
    var hasOwnOrphans: Bool {
        orphans.values.contains(where: isOurs)
    }

    /// Looks at all adopted children: reaps those that have ended, kills those of ended commands, and lets commands go on
    /// of which nothing is left.
    func sweep() {
        refreshLists()
        let strangers = Spawn.strangers(lists.all)
        forgetOrphans(except: strangers.map(\.pid))
        let busy = hosts.filter { $0.value.isBusy }.map(\.key)
        let candidates = Set(busy).union(commands.keys).union(endedHosts.keys)
        // Commands and ended hosts that have to wait, and for how long.
        var awaited: Set<UInt64> = []
        var pause: Int64?
        // The youngest first: among many that have ended it is the one that may still start others.
        for (pid, isCertain) in strangers.reversed() {
            var orphan = orphans[pid] ?? Orphan(owner: .anyOf(candidates))
            if !orphan.isSettled {
                if isCertain {
                    settle(&orphan, pid)
                }
                // One that has just ended may have started others since the lists were read.
                awaited.formUnion(suspects(of: orphan))
                pause = orphan.isSettled ? 0 : pause ?? sweepInterval
            }
            orphans[pid] = orphan
            guard orphan.isSettled, isOurs(orphan) else { continue }
            let owners = suspects(of: orphan)
            if reap(pid, owners) {
                orphans[pid] = nil
                awaited.formUnion(owners)
                pause = 0
            } else if !isSpared(orphan) {
                killTree(pid, owners)
                awaited.formUnion(owners)
                pause = pause ?? sweepInterval
            }
        }
        ending.filter { !awaited.contains($0.serial) }.forEach(treeGone)
        ending.removeAll { $0.phase != .ending }
        let now = Self.now()
        for (serial, host) in endedHosts where !awaited.contains(serial) || host.isGivenUpAt <= now {
            endedHosts[serial] = nil
            host.whenGone()
        }
        planSweep(pause)
    }

    /// Whether an orphan may go on. What a host is known to have started may as long as the host lives, what nobody is known
    /// to have started only while somebody executes who may have.
    private func isSpared(_ orphan: Orphan) -> Bool {
        switch orphan.owner {
        case .command(let serial): hosts[serial] != nil || commands[serial]?.phase == .running
        case .anyOf(let serials):
            serials.contains { hosts[$0]?.isBusy == true || commands[$0]?.phase == .running }
        case .foreign: true
        }
    }

    private func refreshLists() {
        let now = Self.now()
        if now < refreshAt { return }
        lists.refresh()
        refreshAt = now + Self.routineSweep
    }

    /// The commands and hosts that an orphan may belong to.
    private func suspects(of orphan: Orphan) -> Set<UInt64> {
        switch orphan.owner {
        case .command(let serial): [serial]
        case .anyOf(let serials): serials
        case .foreign: []
        }
    }

    /// Whether an orphan is to be reaped and killed here.
    private func isOurs(_ orphan: Orphan) -> Bool {
        switch orphan.owner {
        case .command: true
        case .anyOf: claimsStrangers
        case .foreign: false
        }
    }

    /// Finds out whose an orphan is.
    private func settle(_ orphan: inout Orphan, _ pid: Int32) {
        if let serial = relatives[pid] ?? leaders[getsid(pid)] {
            orphan.owner = .command(serial: serial)
            orphan.isSettled = true
            return
        }
        switch tag.read(fromEnvironmentOf: pid) {
        case .command(let serial):
            orphan.owner = .command(serial: serial)
            orphan.isSettled = true
        case .foreign:
            orphan.owner = .foreign
            orphan.isSettled = true
        case .untagged:
            orphan.isSettled = true
        case .unknown:
            orphan.isSettled = cohort_has_ended(pid)
        }
    }

    /// Reaps an orphan if it has ended, to the account of its owner.
    private func reap(_ pid: Int32, _ owners: Set<UInt64>) -> Bool {
        guard let (status, usage) = Spawn.collect(pid) else { return false }
        relatives[pid] = nil
        if owners.count == 1, let command = owners.first.flatMap({ commands[$0] }) {
            command.usage.add(usage, ownPeakKilobytes: cohort_own_peak_kilobytes())
            if case .signalled(signal: SIGKILL, _) = status {
                command.strays += 1
            }
        }
        return true
    }

    /// Kills an orphan with its group and what is below it.
    private func killTree(_ pid: Int32, _ owners: Set<UInt64>) {
        let descendants = ProcessTree.descendants(of: pid)
        // From the top, so that none sees its children die and does something about it. Members of a session that is not
        // this process's are all descendants of commands; a group is killed at one stroke, so that none can fork away.
        let session = getsid(pid)
        let group = getpgid(pid)
        if session > 0 && group > 1 && session != getsid(0) {
            Glibc.kill(-group, SIGKILL)
        }
        Glibc.kill(pid, SIGKILL)
        let owner = owners.count == 1 ? owners.first.flatMap { commands[$0] } : nil
        for descendant in descendants {
            // Struck out when the command is. What is of a host is known by its environment, or killed as nobody's.
            relatives[descendant] = owner?.serial
            Glibc.kill(descendant, SIGKILL)
        }
    }

    private func forgetOrphans(except present: [Int32]) {
        if orphans.isEmpty { return }
        let present = Set(present)
        orphans = orphans.filter { present.contains($0.key) }
    }

    /// - Parameter pause: How long to wait for processes that are about to go; nil if there are none.
    private func planSweep(_ pause: Int64?) {
        if let pause {
            sweepAt = Self.now() + pause
            sweepInterval = pause == 0 ? Self.shortestSweep : min(2 * sweepInterval, Self.longestSweep)
        } else {
            sweepInterval = Self.shortestSweep
            let isNeeded = !commands.isEmpty || !hosts.isEmpty || !orphans.isEmpty
            sweepAt = isNeeded ? Self.now() + Self.routineSweep : .max
        }
    }
}
