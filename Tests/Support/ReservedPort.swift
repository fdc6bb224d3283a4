package import Glibc

/// A TCP port of 127.0.0.1 that nobody is given by chance while this is held, and on which nothing listens by itself.
///
/// It is bound and not listened at: the system gives it to no other socket, neither to one that binds any port nor to one that
/// connects, and refuses connections. Whoever names it may listen there, and again after that has ended, as libzmq asks for
/// addresses that others have as well.
package final class ReservedPort {
    package let number: UInt16
    private let descriptor: Int32

    package init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemFailure(what: "make a socket") }
        var isShared: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &isShared, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(descriptor, pointer, length) == 0 ? getsockname(descriptor, pointer, &length) : -1
            }
        }
        number = UInt16(bigEndian: address.sin_port)
        guard result == 0 else {
            close(descriptor)
            throw SystemFailure(what: "bind a port")
        }
    }

    deinit { close(descriptor) }

    package var endpoint: String { "tcp://127.0.0.1:\(number)" }

    /// The address of a port of 127.0.0.1.
    package static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        return address
    }
}
