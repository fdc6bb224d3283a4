internal import Glibc

/// Looks at endpoints before libzmq does, which says little of what is wrong with them.
enum EndpointGuard {
    /// libzmq's own limit for a path, without the scheme.
    private static let longestPath = 107

    static func check(_ endpoint: String) throws(CoordinatorError) {
        guard endpoint.hasPrefix("ipc://") else {
            guard endpoint.hasPrefix("tcp://") else {
                throw CoordinatorError(
                    description: "cannot bind '\(endpoint)': an endpoint is tcp://ADDRESS:PORT or ipc://PATH"
                )
            }
            return
        }
        let path = String(endpoint.dropFirst("ipc://".count))
        if path.utf8.count > longestPath {
            throw CoordinatorError(
                description:
                    "cannot bind '\(endpoint)': the path has \(path.utf8.count) bytes, at most \(longestPath) work"
            )
        }
        if isTaken(path) {
            throw CoordinatorError(
                description: "cannot bind '\(endpoint)': there is a file of that name, which is no socket"
            )
        }
        if isAlive(path) {
            // libzmq would take the path over without a word, and the other coordinator would never hear from anyone again.
            throw CoordinatorError(description: "cannot bind '\(endpoint)': another process listens there")
        }
    }

    /// Runs `body` so that sockets it makes belong to this user alone.
    static func withPrivateUmask<Result>(_ body: () throws -> Result) rethrows -> Result {
        let before = umask(0o077)
        defer { umask(before) }
        return try body()
    }

    /// libzmq removes whatever is at the path; only what a coordinator has left behind may go.
    private static func isTaken(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFSOCK
    }

    private static func isAlive(_ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return false }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }
}
