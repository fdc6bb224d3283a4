internal import FoundationEssentials
internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// Control groups, in made-up trees, and in the real one where this user may make some.
struct ControlGroupTests {
    private let root = FileManager.default.temporaryDirectory.path + "/groups-\(UInt64.random(in: 0...(.max)))"

    private func write(_ path: String, _ text: String) throws {
        let whole = root + path
        let directory = whole[..<(whole.lastIndex(of: "/") ?? whole.endIndex)]
        try FileManager.default.createDirectory(atPath: String(directory), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: URL(filePath: whole))
    }

    private func makeTree(group: String = "0::/user/seven\n") throws {
        try write("/proc/self/cgroup", "3:cpu:/elsewhere\n" + group)
        try write(
            "/proc/self/mountinfo",
            """
            20 1 0:5 / /proc rw - proc proc rw
            31 30 0:27 / /groups rw,nosuid shared:4 - cgroup2 cgroup2 rw

            """
        )
        try write("/groups/user/seven/cgroup.procs", "")
    }

    private var names: [String] {
        get throws { try FileManager.default.contentsOfDirectory(atPath: root + "/groups/user/seven").sorted() }
    }

    @Test func `a kernel that cannot kill groups gets none`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try makeTree()
        #expect(ControlGroup.make(root: root)?.path == nil)
        #expect(try names == ["cgroup.procs"])
    }

    @Test func `groups of processes that are gone are removed`() throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try makeTree()
        for name in ["cohort-999999999", "cohort-\(getppid())", "cohort-x", "other-999999999"] {
            mkdir("\(root)/groups/user/seven/\(name)", 0o755)
        }
        _ = ControlGroup.make(root: root)
        #expect(try names == ["cgroup.procs", "cohort-\(getppid())", "cohort-x", "other-999999999"].sorted())
    }

    @Test(arguments: ["", "3:cpu:/\n", "0::/nowhere\n"])
    func `without a group of version 2 there is none`(group: String) throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try makeTree(group: group)
        #expect(ControlGroup.make(root: root)?.path == nil)
    }

    @Test func `a program starts in it and is killed with it`() throws {
        // Where this user may make none there is nothing to be shown.
        guard let group = ControlGroup.make() else { return }
        defer { group.remove() }
        let guarded = try Guardian.start(
            program: "/bin/sh",
            arguments: ["/bin/sh", "-c", "setsid sleep 60 & exec sleep 60"],
            leftovers: Guardian.Leftovers(controlGroup: group)
        )
        let members = String(decoding: ProcFile.read("\(group.path)/cgroup.procs") ?? [], as: UTF8.self)
        #expect(members.split(separator: "\n").contains("\(guarded.program)"))
        group.kill()
        #expect(guarded.collect() == .signalled(signal: SIGKILL, coreDumped: false))
    }
}
