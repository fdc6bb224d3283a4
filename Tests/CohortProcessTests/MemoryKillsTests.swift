internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// Kills for want of memory, in made-up trees of control groups.
struct MemoryKillsTests {
    @Test(arguments: [
        ("0::/users/7\n", "/sys/fs/cgroup/users/7", "memory.events", "low 0\nhigh 3\noom 2\noom_kill 2\n", UInt64(2)),
        (
            "9:cpu:/\n4:memory:/a\n0::/\n", "/sys/fs/cgroup/memory/a", "memory.oom_control",
            "under_oom 0\noom_kill 5\n", 5
        ),
        ("0::/users/7\n", "/sys/fs/cgroup/users/7", "memory.events", "no such thing\n", 0),
        ("", "/sys", "nothing", "", 0),
    ])
    func `are read where the kernel tells them`(
        groups: String,
        directory: String,
        name: String,
        content: String,
        expected: UInt64
    ) throws {
        var template = Array("/tmp/memory-kills-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        var made: [String] = []
        defer {
            for path in made.reversed() { remove(path) }
            rmdir(root)
        }
        func makeDirectory(_ path: String) {
            var whole = root
            for part in path.split(separator: "/") {
                whole += "/\(part)"
                if mkdir(whole, 0o700) == 0 { made.append(whole) }
            }
        }
        func write(_ path: String, _ text: String) {
            let file = open(root + path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
            made.append(root + path)
            _ = text.withCString { Glibc.write(file, $0, text.utf8.count) }
            close(file)
        }
        makeDirectory("/proc/self")
        makeDirectory(directory)
        write("/proc/self/cgroup", groups)
        write("\(directory)/\(name)", content)
        #expect(MemoryKills(root: root).count == expected)
    }
}
