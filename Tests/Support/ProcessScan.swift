internal import Glibc

/// Looks for processes by a mark in their environment, which whatever they start inherits: by name, those of other tests and
/// other people would be found as well.
package struct ProcessScan {
    package struct Found: Hashable, CustomStringConvertible {
        package var pid: Int32
        package var command: String

        package var description: String { "\(pid): \(command)" }
    }

    /// `NAME=value`.
    package let mark: String

    /// The name of a process, as `ps -e` shows it; empty if it is gone.
    package static func name(of pid: Int32) -> String {
        String(decoding: (contents("/proc/\(pid)/comm") ?? []).dropLast(), as: UTF8.self)
    }

    /// The marked processes that run now.
    package func running() -> [Found] {
        var found: [Found] = []
        for name in Self.names(in: "/proc") {
            guard let pid = Int32(name) else { continue }
            // A process that has ended has no environment, even while nobody has asked how it ended.
            guard let environment = Self.contents("/proc/\(pid)/environ") else { continue }
            guard environment.split(separator: 0).contains(where: { $0.elementsEqual(mark.utf8) }) else { continue }
            let words = (Self.contents("/proc/\(pid)/cmdline") ?? []).split(separator: 0)
            let command = words.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
            found.append(Found(pid: pid, command: command))
        }
        return found
    }

    /// Waits until no marked process is left.
    ///
    /// - Returns: those that still run at the end of the limit, as `OwnTime` counts it.
    package func survivors(after limit: Duration) -> [Found] {
        var time = OwnTime(limit)
        while true {
            let left = running()
            // Amid execve a process shows no environment: the second look is for those.
            if left.isEmpty, running().isEmpty { return [] }
            if time.isOver() { return left }
            // Nobody but its parent is told of a process's end: looking again is all there is.
            usleep(2_000)
        }
    }

    /// Waits until no marked process runs a command; returns false if one still does at the end of the limit.
    package func waitForEnd(of command: String, limit: Duration = .seconds(2)) -> Bool {
        var time = OwnTime(limit)
        while running().contains(where: { $0.command == command }) {
            if time.isOver() { return false }
            usleep(2_000)
        }
        return true
    }

    /// The greatest resident size that a process has had, in bytes.
    package static func peakMemory(of pid: Int32) -> Int? {
        let text = String(decoding: contents("/proc/\(pid)/status") ?? [], as: UTF8.self)
        let line = text.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }.map {
            $0 << 10
        }
    }

    /// The names in a directory, without `.` and `..`.
    package static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// All bytes of a file, `nil` if it cannot be read.
    package static func contents(_ path: String) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        let isWhole = withUnsafeTemporaryAllocation(byteCount: 16 << 10, alignment: 1) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count <= 0 { return count == 0 }
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        return isWhole ? bytes : nil
    }
}

/// A span of which only the time counts in which this process has its turns.
///
/// Others are to do something within the span, on the same processors. Where those have much to do, or stand still, whoever
/// looks comes to it as late as they do: a turn counts for no more than it takes where nothing else runs.
private struct OwnTime {
    private static let turn = Duration.milliseconds(10)

    private var left: Duration
    private var last = ContinuousClock.now

    init(_ span: Duration) { left = span }

    /// Whether it is over at this turn.
    mutating func isOver() -> Bool {
        let now = ContinuousClock.now
        left -= min(last.duration(to: now), Self.turn)
        last = now
        return left <= .zero
    }
}
