internal import CCohortProcess
internal import Glibc

/// Finds and ends the processes below a process.
package enum ProcessTree {
    /// The children of a process, ended ones that were not reaped included.
    package static func children(of pid: Int32) -> [Int32] {
        var children: [Int32] = []
        for thread in ProcFile.numbers(in: "/proc/\(pid)/task") {
            guard let text = ProcFile.read("/proc/\(pid)/task/\(thread)/children") else {
                // The thread is gone, or the kernel keeps no such lists.
                if access("/proc/self/task/\(getpid())/children", R_OK) == 0 { continue }
                return ProcFile.numbers(in: "/proc").filter { ProcFile.parent("/proc/\($0)/stat") == pid }
            }
            children.append(contentsOf: ProcFile.numbers(in: text))
        }
        return children
    }

    /// All processes below `pid`, parents before their children; `pid` itself is not among them.
    package static func descendants(of pid: Int32) -> [Int32] {
        var found = children(of: pid)
        var next = 0
        while next < found.count {
            found.append(contentsOf: children(of: found[next]).filter { !found.contains($0) })
            next += 1
        }
        return found
    }

    /// Sends SIGKILL to everything below `pid` until nothing of it lives, for at most `limit`.
    ///
    /// If `pid` is this process, its children are reaped as well; it should be a subreaper, or orphans slip away. New
    /// descendants that appear meanwhile are killed too. Returns those still there at the end: processes that the kernel
    /// holds in an uninterruptible state.
    ///
    /// - Parameter reaped: told of each child that was reaped, and how it had ended.
    @discardableResult
    package static func killDescendants(
        of pid: Int32 = getpid(),
        within limit: Duration = .seconds(5),
        reaped: (Int32, ExitStatus) -> Void = { _, _ in }
    ) -> [Int32] {
        let deadline = ContinuousClock.now + limit
        let reaps = pid == getpid()
        while true {
            var left: [Int32] = []
            var hasReaped = false
            for descendant in descendants(of: pid) {
                if reaps, let (status, _) = Spawn.collect(descendant) {
                    reaped(descendant, status)
                    hasReaped = true
                    continue
                }
                if !reaps && ProcFile.hasEnded("/proc/\(descendant)/stat") { continue }
                kill(descendant, SIGKILL)
                left.append(descendant)
            }
            // The children of one that ended while the tree was read may be in neither list: they are there the next time.
            if left.isEmpty && !hasReaped || ContinuousClock.now >= deadline { return left }
            // A killed process needs a moment to go; nothing announces the end of another process's child.
            usleep(500)
        }
    }

    /// Makes the orphans among this process's descendants its children from now on.
    package static func becomeSubreaper() throws(SpawnError) {
        if cohort_become_subreaper() != 0 {
            throw .system("become a subreaper", errno)
        }
        if cohort_keep_wait_statuses() != 0 {
            throw .system("keep the wait statuses of children", errno)
        }
    }
}
