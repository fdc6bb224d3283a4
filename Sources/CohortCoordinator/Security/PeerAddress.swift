internal import Glibc

/// The other end of a connection, for people.
enum PeerAddress {
    static let unknown = "somebody who is gone"

    /// The host's address without the port, which is another one with each try; of a process of this machine its number.
    static func text(of descriptor: Int32) -> String? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard getpeername(descriptor, address, &size) == 0 else { return nil }
                if address.pointee.sa_family == sa_family_t(AF_UNIX) { return process(at: descriptor) }
                var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
                guard getnameinfo(address, size, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST) == 0 else {
                    return nil
                }
                let text = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
                // A socket for both versions shows the addresses of the older one so.
                return text.hasPrefix("::ffff:") ? String(text.dropFirst("::ffff:".count)) : text
            }
        }
    }

    private static func process(at descriptor: Int32) -> String? {
        // `struct ucred`, which is not in every view of the system's headers: process, user and group.
        var numbers: [UInt32] = [0, 0, 0]
        var size = socklen_t(MemoryLayout<UInt32>.stride * numbers.count)
        guard getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &numbers, &size) == 0 else { return nil }
        return "process \(numbers[0]) of user \(numbers[1])"
    }
}
