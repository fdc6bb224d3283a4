internal import Glibc

/// What /proc tells of processes. Everything here may be outdated when it is read.
enum ProcFile {
    /// The whole content of a file, or nil if it cannot be opened. Reads at most `limit` bytes.
    static func read(_ path: String, limit: Int = 4 << 20) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return read(descriptor, limit: limit)
    }

    /// The content of an open file from its beginning, wherever its offset is; nil if it is about something gone.
    static func read(_ descriptor: Int32, limit: Int = 4 << 20) -> [UInt8]? {
        var content: [UInt8] = []
        let failed = withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
            while content.count < limit {
                let count = pread(descriptor, buffer.baseAddress, buffer.count, off_t(content.count))
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { return count < 0 }
                content.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return false
        }
        return failed ? nil : content
    }

    /// The numbers among the names in a directory.
    static func numbers(in directory: String) -> [Int32] {
        Directory.names(in: directory).compactMap { Int32($0) }
    }

    /// The numbers in a text of numbers and blanks.
    static func numbers(in text: [UInt8]) -> [Int32] {
        var numbers: [Int32] = []
        var current: Int32?
        for byte in text {
            if byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") {
                current = (current ?? 0) &* 10 &+ Int32(byte - UInt8(ascii: "0"))
            } else if let number = current {
                numbers.append(number)
                current = nil
            }
        }
        if let current {
            numbers.append(current)
        }
        return numbers
    }

    /// The fields of a `stat` file from the third on: state, parent, …; nil if there is none.
    private static func statFields(_ path: String) -> [ArraySlice<UInt8>]? {
        // The second field is the program's name in parentheses and may itself contain blanks and parentheses.
        guard let text = read(path), let end = text.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        return text[(end + 1)...].split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\n") }
    }

    /// The parent of a process, from its `stat` file.
    static func parent(_ path: String) -> Int32? {
        guard let fields = statFields(path), fields.count > 1 else { return nil }
        return numbers(in: Array(fields[1])).first
    }

    /// The environment of a process.
    enum Environment {
        /// The `name=value` entries with which its program was started, perhaps none.
        case entries([ArraySlice<UInt8>])
        /// Amid execve, or ended: there is no environment, not even an empty one.
        case none
        /// It may not be looked at.
        case hidden
    }

    static func environment(of pid: Int32) -> Environment {
        while true {
            guard let text = read("/proc/\(pid)/environ") else { return .hidden }
            if !text.isEmpty { return .entries(text.split(separator: 0)) }
            // Fields 50 and 51 are the addresses between which it lies. They tell nothing from empty, and if they have
            // come to be since the first look, there is something to read now.
            guard let fields = statFields("/proc/\(pid)/stat"), fields.count > 48,
                !fields[48].elementsEqual(CollectionOfOne(UInt8(ascii: "0")))
            else { return .none }
            if fields[47] == fields[48] { return .entries([]) }
        }
    }

    /// Whether a process or thread has ended, reaped or not.
    static func hasEnded(_ path: String) -> Bool {
        guard let state = statFields(path)?.first?.first else { return true }
        return state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    }
}
