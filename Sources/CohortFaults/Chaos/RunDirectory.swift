internal import CohortProcess
internal import Glibc

/// A fresh directory that only this user can enter, with a path short enough for sockets in it; gone when the run is over.
///
/// It is locked for as long as the run lives. What a run has left that was killed, the next one removes.
final class RunDirectory {
    private static let start = "cohort-chaos-"
    private static let lockName = "lock"

    let path: String
    private let lock: Int32

    init() throws(ChaosError) {
        var problem = ""
        for parent in Directory.socketParents {
            Self.removeLeftovers(in: parent)
            if let made = Directory.makeFresh(in: parent, prefix: Self.start) {
                path = made
                lock = Self.takeLock(in: path, creating: true) ?? -1
                return
            }
            problem = "\(parent): \(String(cString: strerror(errno)))"
        }
        throw .failed("cannot make a directory for the run: \(problem)")
    }

    deinit { if lock >= 0 { close(lock) } }

    /// Removes the directories of runs that nobody is making any more.
    private static func removeLeftovers(in parent: String) {
        for name in Directory.names(in: parent) where name.hasPrefix(start) {
            let path = "\(parent)/\(name)"
            guard let lock = takeLock(in: path, creating: false) else { continue }
            removeAll(path)
            close(lock)
        }
    }

    /// Nil if there is no lock, or somebody has it.
    private static func takeLock(in directory: String, creating: Bool) -> Int32? {
        let flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | (creating ? O_CREAT : 0)
        let descriptor = open("\(directory)/\(lockName)", flags, 0o600)
        guard descriptor >= 0 else { return nil }
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return descriptor }
        close(descriptor)
        return nil
    }

    private static func removeAll(_ directory: String) {
        for name in Directory.names(in: directory) { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func endpoint(_ name: String) -> String { "ipc://\(file(name))" }

    func write(_ name: String, _ text: String) throws(ChaosError) {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make \(file(name))", errno) }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                throw .system("write \(file(name))", errno)
            }
            rest = rest.dropFirst(count)
        }
    }

    /// Opens a file to which processes append.
    func log(_ name: String) throws(ChaosError) -> Int32 {
        let descriptor = open(file(name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("make \(file(name))", errno) }
        return descriptor
    }

    /// A file's text, empty if there is none.
    func read(_ name: String, limit: Int = 256 << 20) -> String {
        let descriptor = open(file(name), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 1) { buffer in
            while bytes.count < limit, case let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count),
                count > 0
            {
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Removes it with all that is in it, which is files only.
    func remove() { Self.removeAll(path) }
}
