internal import CohortProcess
internal import Glibc

/// The directory of a private pool's socket, which only this user can enter.
///
/// Whoever has made it holds a lock on it for as long as it lives, however it dies. One that nobody holds is what a pool has
/// left behind of which every process was killed at once: the next pool beside it removes it.
package struct RunDirectory: Sendable {
    private static let prefix = "cohort-pool-"
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
        var problem = "no parent is left"
        for parent in Directory.socketParents {
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
            guard let path = Directory.makeFresh(in: parent, prefix: prefix) else {
                throw RunDirectoryError(description: "\(parent): \(String(cString: strerror(errno)))")
            }
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
        for name in Directory.names(in: parent)
        where name.hasPrefix(prefix) && name.utf8.count == prefix.utf8.count + Directory.randomCount {
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
}

/// Why no directory could be made.
struct RunDirectoryError: Error, CustomStringConvertible {
    let description: String
}
