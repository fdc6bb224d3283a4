/// How many processes of this one's control group the kernel has killed for want of memory: the evidence without which a
/// SIGKILL is nobody's in particular.
///
/// Counted by the group, in which other processes may be too; never by the whole machine, where it could have been anyone.
package struct MemoryKills: Sendable {
    private let root: String

    /// - Parameter root: what stands before `/proc` and `/sys`, for tests.
    package init(root: String = "") {
        self.root = root
    }

    /// Kills so far; 0 where the kernel does not tell.
    package var count: UInt64 {
        guard let groups = text("/proc/self/cgroup") else { return 0 }
        // `number:controllers:path`: no controllers for version 2, else one of them is memory.
        let lines = groups.split(separator: "\n").map { line in
            line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        }
        var count: UInt64 = 0
        for fields in lines where fields.count == 3 {
            if fields[1].isEmpty {
                count += kills(in: "/sys/fs/cgroup\(fields[2])/memory.events")
            } else if fields[1].split(separator: ",").contains("memory") {
                count += kills(in: "/sys/fs/cgroup/memory\(fields[2])/memory.oom_control")
            }
        }
        return count
    }

    private func kills(in path: String) -> UInt64 {
        for line in (text(path) ?? "").split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == "oom_kill", let number = UInt64(words[1]) { return number }
        }
        return 0
    }

    private func text(_ path: String) -> String? {
        ProcFile.read(root + path).map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Whether the kernel has killed for want of memory of late in one life of a program: looked at now and then, so that a kill
/// of long ago is not taken for that of today.
package struct MemoryEvidence {
    private let kills: MemoryKills
    private var last: UInt64
    /// At the look before the last: what has died may take a while to be reported, and looks may come between.
    private var beforeLast: UInt64

    package init(_ kills: MemoryKills = MemoryKills()) {
        self.kills = kills
        last = kills.count
        beforeLast = last
    }

    package mutating func look() {
        beforeLast = last
        last = kills.count
    }

    /// There was a kill since the look before the last.
    package var isFresh: Bool { kills.count > beforeLast }
}
