internal import CCohortProcess
internal import Glibc

/// The directory of a private pool's socket, which only this user can enter.
///
/// Whoever has made it holds a lock on it for as long as it lives, however it dies. One that nobody holds is what a pool has
/// left behind of which every process was killed at once: the next pool beside it removes it.
package struct RunDirectory: Sendable {
    private static let prefix = "cohort-pool-"
    private static let randomCount = 6
    private static let socketName = "/socket"

    package let path: String
    /// Holds the lock; -1 where this is not the maker.
    private let lock: Int32

    package var socket: String { path + Self.socketName }

    private init(path: String, lock: Int32) {
        self.path = path
        self.lock = lock
    }

    /// The directory of a socket that was made here; nil if it is none.
    init?(holding socket: some StringProtocol) {
        guard socket.hasSuffix(Self.socketName) else { return nil }
        self.init(path: String(socket.dropLast(Self.socketName.count)), lock: -1)
    }

    /// Makes one where sockets belong, with a path short enough for a socket in it.
    static func make() throws(RunDirectoryError) -> RunDirectory {
        let candidates = [getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR")].compactMap { $0.map { String(cString: $0) } }
        var problem = "no parent is left"
        for parent in candidates + ["/tmp"] where parent.utf8.count < 64 && !parent.isEmpty {
            do {
                return try make(in: parent)
            } catch {
                problem = error.description
            }
        }
        throw RunDirectoryError(description: problem)
    }

    static func make(in parent: String) throws(RunDirectoryError) -> RunDirectory {
        while true {
            var template = Array("\(parent)/\(prefix)XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else {
                throw RunDirectoryError(description: "\(parent): \(String(cString: strerror(errno)))")
            }
            let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
            if let lock = locked(path) { return RunDirectory(path: path, lock: lock) }
            // Either a pool that starts at this moment takes it for abandoned, or there are no locks here, and it is on
            // its own like all its kind.
            if errno != EWOULDBLOCK && access(path, F_OK) == 0 { return RunDirectory(path: path, lock: -1) }
        }
    }

    func remove() {
        unlink(socket)
        rmdir(path)
        if lock >= 0 { close(lock) }
    }

    /// Removes the directories beside this one that nobody holds.
    static func removeAbandoned(beside directory: RunDirectory) {
        guard let slash = directory.path.lastIndex(of: "/") else { return }
        removeAbandoned(in: String(directory.path[..<slash]))
    }

    static func removeAbandoned(in parent: String) {
        for name in names(in: parent)
        where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + randomCount {
            let path = "\(parent)/\(name)"
            guard isOwn(path), let lock = locked(path) else { continue }
            // Only what a pool leaves; a directory with anything else in it stays.
            RunDirectory(path: path, lock: lock).remove()
        }
    }

    /// Takes the lock of a directory that is there; nil if somebody has it, or the directory has gone.
    private static func locked(_ path: String) -> Int32? {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        var held = stat()
        var named = stat()
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fstat(descriptor, &held) == 0, lstat(path, &named) == 0,
            held.st_ino == named.st_ino
        else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func isOwn(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR && status.st_uid == getuid()
            && status.st_mode & 0o077 == 0
    }

    private static func names(in directory: String) -> [String] {
        guard let stream = opendir(directory) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        return names
    }
}

/// Why no directory could be made.
struct RunDirectoryError: Error, CustomStringConvertible {
    let description: String
}
