internal import Glibc

/// Sizes of processes on this host, as `/proc/PID/status` tells them.
enum ProcessMemory {
    /// The resident set, in bytes; `nil` if the process is not there.
    static func resident(_ pid: Int32) -> Int? { field("VmRSS:", of: pid) }

    /// The largest that the resident set has been, in bytes.
    static func peak(_ pid: Int32) -> Int? { field("VmHWM:", of: pid) }

    private static func field(_ name: String, of pid: Int32) -> Int? {
        guard let file = fopen("/proc/\(pid)/status", "re") else { return nil }
        defer { fclose(file) }
        var line = [CChar](repeating: 0, count: 256)
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                .split(whereSeparator: \.isWhitespace)
            if words.first == name[...], words.count > 1, let kilobytes = Int(words[1]) { return kilobytes << 10 }
        }
        return nil
    }
}
