internal import CohortProcess
internal import Glibc

/// Processes by a mark in their environment, which whatever they start inherits: by name, those of other people would be
/// found as well.
struct MarkedProcess {
    /// What a process is to Cohort.
    enum Role: String, CaseIterable {
        case client
        case coordinator
        case supervisor
        case guardian
        case worker
        case task
        /// A call host, or a process that has not said yet what it is.
        case other
    }

    var pid: Int32
    var parent: Int32
    var role: Role
    var mark: String
    /// As listings show it.
    var name: String
    /// A letter, as in `/proc/PID/stat`.
    var state: String
    /// In clock ticks since the machine was started.
    var startedAt: UInt64

    static let variable = "COHORT_HARNESS_MARK"

    /// All processes with a mark that run now.
    static func all() -> [MarkedProcess] {
        var found = Directory.names(in: "/proc").compactMap { Int32($0) }.compactMap { MarkedProcess($0) }
        // A guardian is a copy of its supervisor, and goes by that one's name until it has run for a moment.
        let supervisors = Set(found.filter { $0.role == .supervisor }.map(\.pid))
        for index in found.indices where supervisors.contains(found[index].parent) && found[index].role == .supervisor {
            found[index].role = .guardian
        }
        return found
    }

    /// nil if the process has no mark, or has ended: then it has no environment, even while nobody has reaped it.
    private init?(_ pid: Int32) {
        let entries = Self.read("/proc/\(pid)/environ").split(separator: 0)
        let key = Array("\(Self.variable)=".utf8)
        guard let entry = entries.first(where: { $0.starts(with: key) }) else { return nil }
        let stat = String(decoding: Self.read("/proc/\(pid)/stat"), as: UTF8.self)
        guard let open = stat.firstIndex(of: "("), let close = stat.lastIndex(of: ")") else { return nil }
        let name = stat[stat.index(after: open)..<close]
        let fields = stat[stat.index(after: close)...].split(separator: " ")
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X", let parent = Int32(fields[1]),
            let startedAt = UInt64(fields[19])
        else { return nil }
        self.pid = pid
        self.parent = parent
        self.name = String(name)
        self.state = String(fields[0])
        self.startedAt = startedAt
        mark = String(decoding: entry.dropFirst(key.count), as: UTF8.self)
        let isTask = entries.contains { $0.starts(with: Array("COHORT_TASK=".utf8)) }
        role = isTask ? .task : Self.role(named: name)
    }

    private static func role(named name: Substring) -> Role {
        switch name {
        case "cohort-coord": .coordinator
        case "cohort-superv": .supervisor
        case "cohort-guardian": .guardian
        case "cohort-worker": .worker
        default: .other
        }
    }

    private static func read(_ path: String) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while case let count = Glibc.read(file, &buffer, buffer.count), count > 0 { content += buffer[..<count] }
        return content
    }
}
