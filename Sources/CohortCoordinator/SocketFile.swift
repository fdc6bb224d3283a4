internal import Glibc

/// A socket in the file system, told apart from another one that takes its place.
package struct SocketFile: Sendable {
    private let path: String
    private let identity: Identity

    /// A number of the file system alone is given to the next file as soon as this one has gone.
    private struct Identity: Sendable, Equatable {
        var device: UInt64
        var number: UInt64
        var seconds: Int
        var nanoseconds: Int

        init?(at path: String) {
            var status = stat()
            guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
            device = UInt64(status.st_dev)
            number = UInt64(status.st_ino)
            // Nothing is ever written to a socket's file: it is the time at which it was made.
            seconds = status.st_mtim.tv_sec
            nanoseconds = status.st_mtim.tv_nsec
        }
    }

    /// The one that is there now; `nil` if none is.
    package init?(at path: String) {
        guard let identity = Identity(at: path) else { return nil }
        self.path = path
        self.identity = identity
    }

    /// Removes it, unless another one is in its place by now: a coordinator that was started as this one ended.
    package func remove() {
        if Identity(at: path) == identity { unlink(path) }
    }
}
