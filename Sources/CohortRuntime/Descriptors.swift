internal import Glibc

/// The system refuses a descriptor, mostly since this process has too many.
package struct DescriptorError: Error, CustomStringConvertible {
    let kind: String
    let errno: Int32

    package var description: String { "cannot make \(kind): \(String(cString: strerror(errno)))" }
}

package enum Descriptors {
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
