internal import Glibc
internal import Synchronization

/// Replies on their way from a host to its pool.
///
/// `append` is called under the host's lock, which keeps replies whole and in order; `flush` from any thread. What is
/// appended survives the host, see ``HostPage``.
final class HostOutbox: Sendable {
    private let socket: Int32
    private let page: HostPage
    /// Held for as long as somebody sends.
    private let sending = Mutex<Void>(())
    /// How much of what was written is sent.
    private let sent = Atomic<UInt64>(0)

    init(socket: Int32, page: HostPage) {
        self.socket = socket
        self.page = page
    }

    /// Bytes that are not yet sent.
    var waiting: UInt64 {
        // In this order: what is sent never overtakes what is written.
        let sent = sent.load(ordering: .acquiring)
        return page.written - sent
    }

    func append(_ header: ReplyHeader, body: UnsafeRawBufferPointer = UnsafeRawBufferPointer(start: nil, count: 0)) {
        withUnsafeTemporaryAllocation(byteCount: ReplyHeader.size, alignment: 8) { bytes in
            guard let start = bytes.baseAddress else { return }
            header.write(to: start)
            let length = UInt64(ReplyHeader.size + body.count)
            if waiting + length > HostPage.ringCapacity { flush() }
            let position = page.written
            if length <= HostPage.ringCapacity {
                page.copyIn(UnsafeRawBufferPointer(bytes), at: position)
                page.copyIn(body, at: position + UInt64(ReplyHeader.size))
                page.written = position + length
            } else {
                // Too big for the ring. A host that dies halfway has not delivered its result: the call is lost.
                sending.withLock { _ in
                    send(UnsafeRawBufferPointer(bytes))
                    send(body)
                    page.written = position + length
                    sent.store(position + length, ordering: .releasing)
                }
            }
        }
    }

    /// Sends all that was appended before; returns when it is sent.
    func flush() {
        sending.withLock { _ in
            var position = sent.load(ordering: .acquiring)
            var end = page.written
            while position < end {
                let chunk = page.chunk(from: position, to: end)
                send(chunk)
                position += UInt64(chunk.count)
                sent.store(position, ordering: .releasing)
                end = page.written
            }
        }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let chunk = UnsafeRawBufferPointer(rebasing: rest)
            let count = Glibc.send(socket, chunk.baseAddress, chunk.count, Int32(MSG_NOSIGNAL))
            if count < 0 {
                if errno == EINTR { continue }
                // The pool is gone; the reader is about to find the same.
                _exit(0)
            }
            rest = rest.dropFirst(count)
        }
    }
}
