internal import Glibc

/// A control group (version 2) for a worker and all that it starts, where this user may make one: the kernel then kills
/// everything in it at one stroke.
///
/// Guardians do not depend on it. It is named after the process that has made it, so that the next one can remove what a
/// killed one has left.
package struct ControlGroup: Sendable {
    private static let prefix = "cohort-"
    /// Set to `off` where none is to be made.
    package static let variable = "COHORT_CONTROL_GROUPS"

    /// Its directory.
    package let path: String
    /// For the start of a program in it. Close-on-exec.
    package let descriptor: Int32

    /// Makes one below this process's own; nil where there is none to be had.
    ///
    /// - Parameter root: what stands before `/proc` and the mount points, for tests.
    package static func make(root: String = "") -> ControlGroup? {
        if getenv(variable).map({ String(cString: $0) }) == "off" { return nil }
        guard let parent = ownDirectory(root), access("\(parent)/cgroup.procs", W_OK) == 0 else { return nil }
        removeAbandoned(in: parent)
        let path = "\(parent)/\(prefix)\(getpid())"
        guard mkdir(path, 0o755) == 0 else { return nil }
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        // Kernels before 5.14 cannot kill a group.
        guard descriptor >= 0, access("\(path)/cgroup.kill", W_OK) == 0 else {
            if descriptor >= 0 { close(descriptor) }
            rmdir(path)
            return nil
        }
        return ControlGroup(path: path, descriptor: descriptor)
    }

    /// Removes it, when nothing is left in it. The kernel would kill at once what is started in a group that was killed
    /// before: each life of a program has one of its own.
    package func remove() {
        close(descriptor)
        rmdir(path)
    }

    /// Kills everything in it.
    package func kill() {
        let file = open("\(path)/cgroup.kill", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, "1", 1)
        close(file)
    }

    /// The directory of this process's group in the hierarchy of version 2.
    private static func ownDirectory(_ root: String) -> String? {
        let groups = text("\(root)/proc/self/cgroup").split(separator: "\n")
        guard let own = groups.first(where: { $0.hasPrefix("0::/") })?.dropFirst(3) else { return nil }
        for line in text("\(root)/proc/self/mountinfo").split(separator: "\n") {
            // `… root mount-point options [fields] - type source options`
            let halves = line.split(separator: " ", omittingEmptySubsequences: false)
            guard let dash = halves.firstIndex(of: "-"), dash + 1 < halves.count, halves[dash + 1] == "cgroup2",
                halves.count > 4
            else { continue }
            // A mount may show a part of the hierarchy only; a group outside of it has no directory here.
            let shown = halves[3] == "/" ? "" : String(halves[3])
            guard own.hasPrefix(shown) else { return nil }
            let below = own.dropFirst(shown.count)
            return root + halves[4] + (below == "/" ? "" : below)
        }
        return nil
    }

    /// Removes groups of processes that are gone; one that is not empty stays.
    private static func removeAbandoned(in parent: String) {
        for name in Directory.names(in: parent) where name.hasPrefix(prefix) {
            guard let pid = Int32(name.dropFirst(prefix.count)), pid > 0 else { continue }
            if Glibc.kill(pid, 0) != 0 && errno == ESRCH { rmdir("\(parent)/\(name)") }
        }
    }

    private static func text(_ path: String) -> String {
        String(decoding: ProcFile.read(path) ?? [], as: UTF8.self)
    }
}
