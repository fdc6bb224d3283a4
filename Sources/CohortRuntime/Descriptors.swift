internal import Glibc

/// The system refuses a descriptor, mostly since this process has too many.
package struct DescriptorError: Error, CustomStringConvertible {
    let kind: String
    let errno: Int32

    package var description: String { "cannot make \(kind): \(String(cString: strerror(errno)))" }
}

package enum Descriptors {
    /// Whether both ends of a connection are this one.
    ///
    /// Who connects to a port of this machine at which nobody listens may be given that very port for his own end.
    package static func isConnectedToItself(_ descriptor: Int32) -> Bool {
        guard let own = address(getsockname, descriptor), let other = address(getpeername, descriptor) else {
            return false
        }
        return own == other
    }

    /// The bytes of an address of the internet; `nil` for others, of which several ends may have none.
    private static func address(
        _ call: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32,
        _ descriptor: Int32
    ) -> [UInt8]? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutablePointer(to: &storage) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &length) }
        }
        guard result == 0, [AF_INET, AF_INET6].contains(Int32(storage.ss_family)) else { return nil }
        return withUnsafeBytes(of: &storage) { Array($0.prefix(Int(length))) }
    }

    /// Waits until one of the descriptors can be read or has lost its other end.
    ///
    /// - Parameter timeout: `nil` for ever.
    /// - Returns: those that are ready, in the order given.
    package static func wait(for descriptors: [Int32], timeout: Duration? = nil) -> [Int32] {
        var items = descriptors.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        var milliseconds: Int32 = -1
        if let timeout {
            let (seconds, attoseconds) = timeout.components
            let exact = max(0, Double(seconds) * 1_000 + Double(attoseconds) / 1e15)
            milliseconds = Int32(min(exact.rounded(.up), Double(Int32.max)))
        }
        let count = poll(&items, nfds_t(items.count), milliseconds)
        guard count > 0 else { return [] }
        return items.filter { $0.revents != 0 }.map(\.fd)
    }
}
