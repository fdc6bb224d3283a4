internal import Glibc

/// A process that has a certain variable in its environment, by which it is known wherever it has gone in the process tree.
package struct MarkedProcess: Sendable, Hashable {
    package var pid: Int32
    /// Its command line.
    package var command: String
    private var entries: [String]

    /// The processes of this machine that may be looked at and have `NAME=value` among their variables now.
    ///
    /// A process amid execve shows no environment: whoever wants to be sure looks twice.
    package static func all(with mark: String) -> [MarkedProcess] {
        ProcFile.numbers(in: "/proc").compactMap { MarkedProcess($0, mark: mark) }
    }

    /// Nil if the process has no such mark, or has ended.
    package init?(_ pid: Int32, mark: String) {
        guard case .entries(let found) = ProcFile.environment(of: pid),
            found.contains(where: { $0.elementsEqual(mark.utf8) })
        else { return nil }
        self.pid = pid
        entries = found.map { String(decoding: $0, as: UTF8.self) }
        let words = (ProcFile.read("/proc/\(pid)/cmdline") ?? []).split(separator: 0)
        command = words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
    }

    /// The value of one of its variables.
    package subscript(name: String) -> String? {
        entries.first { $0.hasPrefix("\(name)=") }.map { String($0.dropFirst(name.utf8.count + 1)) }
    }

    /// Whether a process is there and has not ended, reaped or not.
    package static func isRunning(_ pid: Int32) -> Bool { !ProcFile.hasEnded("/proc/\(pid)/stat") }
}
