internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// Kills for want of memory, in made-up trees of control groups.
@Suite(.timeLimit(.minutes(5)))
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
        let tree = try GroupTree(groups, directory: directory)
        tree.write(name, content)
        #expect(MemoryKills(root: tree.root).count == expected)
    }

    @Test func `of long ago are no evidence`() throws {
        let tree = try GroupTree("0::/users/7\n", directory: "/sys/fs/cgroup/users/7")
        tree.write("memory.events", "oom_kill 1\n")
        var evidence = MemoryEvidence(MemoryKills(root: tree.root))
        #expect(!evidence.isFresh)
        tree.write("memory.events", "oom_kill 2\n")
        #expect(evidence.isFresh)
        // Looked at between the kill and the report of it.
        evidence.look()
        #expect(evidence.isFresh)
        evidence.look()
        #expect(!evidence.isFresh)
    }

    @Test func `one kill is evidence for one death`() async throws {
        let tree = try GroupTree("0::/users/7\n", directory: "/sys/fs/cgroup/users/7")
        let program = try Program(["remembering", tree.root])
        defer { kill(program.pid, SIGKILL) }
        let first = try await child(of: program)
        try killForMemory(first, of: program, tree)
        #expect(await program.next() == "signalled(signal: 9, coreDumped: false), out of memory")
        let second = try await child(of: program)
        kill(second, SIGKILL)
        #expect(await program.next() == "signalled(signal: 9, coreDumped: false), no evidence")
    }

    @Test func `a kill is told however long the rest takes to end`() async throws {
        let tree = try GroupTree("0::/users/7\n", directory: "/sys/fs/cgroup/users/7")
        let program = try Program(["remembering", tree.root])
        defer { kill(program.pid, SIGKILL) }
        let child = try await child(of: program)
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        kill(guardian, SIGSTOP)
        try killForMemory(child, of: program, tree)
        // Time for ten looks at the evidence.
        try await Task.sleep(for: .milliseconds(100))
        kill(guardian, SIGCONT)
        #expect(await program.next() == "signalled(signal: 9, coreDumped: false), out of memory")
    }

    private func child(of program: Program) async throws -> Int32 {
        let words = try #require(await program.next()).split(separator: " ")
        try #require(words.count == 2 && words[0] == "child")
        return try #require(Int32(words[1]))
    }

    /// What the kernel does. The supervisor is stopped meanwhile: it looks far more often than it takes a process to die.
    private func killForMemory(_ child: Int32, of program: Program, _ tree: GroupTree) throws {
        let guardian = try #require(ProcFile.parent("/proc/\(child)/stat"))
        var polled = pollfd(fd: try Guardian.open(child, below: guardian), events: Int16(POLLIN), revents: 0)
        try #require(polled.fd >= 0)
        defer { close(polled.fd) }
        kill(program.pid, SIGSTOP)
        tree.write("memory.events", "oom_kill 1\n")
        kill(child, SIGKILL)
        // Not by its state, which tells of its first thread only.
        while poll(&polled, 1, -1) < 0, errno == EINTR {}
        kill(program.pid, SIGCONT)
    }
}

/// A made-up tree of control groups, as `/proc` and `/sys` show it.
private final class GroupTree {
    let root: String
    private let directory: String
    private var made: [String] = []

    init(_ groups: String, directory: String) throws {
        var template = Array("/tmp/memory-kills-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        root = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        self.directory = directory
        for path in ["/proc/self", directory] { makeDirectory(path) }
        put("/proc/self/cgroup", groups)
    }

    deinit {
        for path in made.reversed() { remove(path) }
        rmdir(root)
    }

    /// Writes a file of the group.
    func write(_ name: String, _ text: String) { put("\(directory)/\(name)", text) }

    private func makeDirectory(_ path: String) {
        var whole = root
        for part in path.split(separator: "/") {
            whole += "/\(part)"
            if mkdir(whole, 0o700) == 0 { made.append(whole) }
        }
    }

    private func put(_ path: String, _ text: String) {
        let file = open(root + path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        if !made.contains(root + path) { made.append(root + path) }
        _ = text.withCString { Glibc.write(file, $0, text.utf8.count) }
        close(file)
    }
}
