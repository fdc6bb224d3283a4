internal import Glibc

/// Why nothing answers at an endpoint, asked of the system itself: libzmq tries again without a word.
package enum Reachability {
    /// In words for people, to stand after a colon. Looks up the name of a host, which may take a few seconds.
    package static func trouble(at endpoint: String) -> String {
        let nothing = "nothing listens there"
        guard let endpoint = try? Endpoint(endpoint) else { return nothing }
        if let host = endpoint.host { return trouble(withHost: host) ?? nothing }
        guard let path = endpoint.path else { return nothing }
        return trouble(withSocket: path) ?? nothing
    }

    /// What can be said without asking anybody else; `nil` if nothing.
    package static func localTrouble(at endpoint: String) -> String? {
        (try? Endpoint(endpoint))?.path.flatMap { trouble(withSocket: $0) }
    }

    /// Why no coordinator will ever answer there, as long as nobody changes more than to start one; `nil` if one may.
    package static func obstacle(at endpoint: String) -> String? {
        guard let path = (try? Endpoint(endpoint))?.path else { return nil }
        // Without connecting: a coordinator would take that for somebody who hangs up on it.
        if access(path, W_OK) == 0 { return isSocket(path) ? nil : trouble(withSocket: path) }
        guard errno == ENOENT else { return trouble(withSocket: path) }
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        return access(directory, F_OK) == 0 ? nil : "there is no directory \(directory)"
    }

    /// Whether the process that has listened at a socket of this machine has ended, for all that can be seen.
    package static func isAbandoned(_ endpoint: String) -> Bool {
        guard let path = (try? Endpoint(endpoint))?.path else { return false }
        return [ECONNREFUSED, ENOENT].contains(connectionError(atSocket: path))
    }

    private static func isSocket(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFSOCK
    }

    private static func trouble(withHost host: String) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let problem = getaddrinfo(host, nil, &hints, &found)
        defer { if let found { freeaddrinfo(found) } }
        return switch problem {
        case 0: nil
        case EAI_NONAME: "no host is called '\(host)'"
        default: "the host '\(host)' cannot be looked up (\(lowercased(gai_strerror(problem))))"
        }
    }

    private static func trouble(withSocket path: String) -> String? {
        if access(path, F_OK) == 0, !isSocket(path) { return "\(path) is not a socket" }
        return switch connectionError(atSocket: path) {
        case 0: nil
        case ENOENT: "there is no socket at \(path)"
        case EACCES, EPERM:
            "permission denied: this user may not use the socket, which is for whoever has started the coordinator"
        case ECONNREFUSED: "nothing listens there any more; the socket was left behind"
        case let number: "the socket cannot be used: \(lowercased(strerror(number)))"
        }
    }

    /// Connects to a socket in the file system and hangs up.
    ///
    /// - Returns: the system's error number, 0 if somebody listens.
    package static func connectionError(atSocket path: String) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return ENAMETOOLONG }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let kind = SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue
        let descriptor = socket(AF_UNIX, Int32(kind), 0)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
        // A queue that is full is somebody's.
        return isConnected || errno == EAGAIN ? 0 : errno
    }

    private static func lowercased(_ text: UnsafePointer<CChar>?) -> String {
        text.map { String(cString: $0).lowercased() } ?? "for an unknown reason"
    }
}
