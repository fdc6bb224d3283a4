internal import CohortRuntime
internal import Glibc
internal import Synchronization

/// Looks at endpoints before they are bound: whether that can work, and who could connect.
enum EndpointGuard {
    /// - Parameter isOpen: it may be bound where other machines can reach it.
    static func check(_ text: String, isOpen: Bool) throws(CoordinatorError) {
        let endpoint: Endpoint
        do {
            endpoint = try Endpoint(text, isBound: true)
        } catch {
            throw CoordinatorError(description: "cannot bind: \(error)")
        }
        guard isOpen || endpoint.isLocal else {
            throw CoordinatorError(
                description: "cannot bind '\(text)': whoever can reach it could run any command on the workers; "
                    + "give --key and --allow (see 'cohort help keygen'), bind 127.0.0.1, or insist with --insecure"
            )
        }
        guard let path = endpoint.path else { return }
        try checkDirectory(of: path, text)
        if isTaken(path) {
            throw CoordinatorError(
                description: "cannot bind '\(text)': there is a file of that name, which is no socket"
            )
        }
        if Reachability.connectionError(atSocket: path) == 0 {
            // libzmq would take the path over without a word, and the other coordinator would never hear from anyone again.
            throw CoordinatorError(description: "cannot bind '\(text)': another process listens there")
        }
    }

    /// Whoever can write to the directory can put a socket of his own in the place of this one.
    private static func checkDirectory(of path: String, _ text: String) throws(CoordinatorError) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        // Where there is none, binding says so.
        guard stat(directory, &status) == 0, status.st_mode & 0o022 != 0, status.st_mode & S_ISVTX == 0 else { return }
        throw CoordinatorError(
            description: "cannot bind '\(text)': others may write to its directory (mode "
                + "\(String(status.st_mode & 0o777, radix: 8))): run chmod 700 '\(directory)', or take another one"
        )
    }

    /// The mask is the whole process's: of two who change it at once, the second would restore what the first has set.
    private static let umaskLock = Mutex(())

    /// Runs `body` so that sockets it makes belong to this user alone.
    static func withPrivateUmask(_ body: () throws -> Void) rethrows {
        try umaskLock.withLock { _ in
            let before = umask(0o077)
            defer { umask(before) }
            try body()
        }
    }

    /// libzmq removes whatever is at the path; only what a coordinator has left behind may go.
    private static func isTaken(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFSOCK
    }
}
