internal import CCohortProcess
internal import Glibc
internal import Synchronization

/// Values handed from any thread to one that waits in `poll`.
package final class Mailbox<Value: Sendable>: Sendable {
    package let descriptor: Int32
    private let values = Mutex<[Value]>([])

    package init() throws(DescriptorError) {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC | EFD_NONBLOCK))
        guard descriptor >= 0 else { throw DescriptorError(kind: "an eventfd", errno: errno) }
    }

    deinit { close(descriptor) }

    package func put(_ value: Value) {
        let wasEmpty = values.withLock { values in
            values.append(value)
            return values.count == 1
        }
        guard wasEmpty else { return }
        var one: UInt64 = 1
        _ = write(descriptor, &one, 8)
    }

    /// All that has come since the last time.
    package func takeAll() -> [Value] {
        var count: UInt64 = 0
        _ = read(descriptor, &count, 8)
        return values.withLock { values in
            let all = values
            values.removeAll(keepingCapacity: true)
            return all
        }
    }
}
