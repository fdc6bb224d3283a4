internal import Glibc

/// A call as its host holds it.
struct HostCall: Sendable {
    let sequence: UInt64
    let function: String
    let payload: [UInt8]
    let scope: CallScope
    /// It has the host to itself: worth being announced and measured.
    let isExclusive: Bool
    let hold: CallHold
}

extension CallHost {
    private static let bufferBytes = 256 << 10

    /// Reads orders until the pool is gone, which is the end of the process.
    func read() {
        var buffer = FrameBuffer(capacity: Self.bufferBytes)
        while true {
            let count = buffer.fill { recv(socket, $0.baseAddress, $0.count, 0) }
            if count < 0, errno == EINTR { continue }
            // Nobody is there to learn how anything ends.
            guard count > 0, take(from: &buffer) else { _exit(0) }
        }
    }

    /// Takes all whole orders out of the buffer. Returns false if the stream is broken.
    private func take(from buffer: inout FrameBuffer) -> Bool {
        let received = MonotonicClock.nanoseconds()
        var calls: [HostCall] = []
        while let bytes = buffer.peek(OrderHeader.size) {
            guard let header = OrderHeader(bytes) else { return false }
            let length = OrderHeader.size + Int(header.bodyLength)
            guard let frame = buffer.peek(length) else {
                buffer.reserve(length)
                break
            }
            let body = UnsafeRawBufferPointer(start: frame + OrderHeader.size, count: Int(header.bodyLength))
            if header.kind == .call {
                calls.append(call(header, body, received: received))
            } else {
                enqueue(calls)
                calls.removeAll(keepingCapacity: true)
            }
            switch header.kind {
            case .call: break
            case .cancel: cancel(header.sequence, reason: String(decoding: body, as: UTF8.self))
            case .recall: recall(header.sequence)
            case .resume: resume()
            }
            buffer.consume(length)
        }
        enqueue(calls)
        return true
    }

    private func call(_ header: OrderHeader, _ body: UnsafeRawBufferPointer, received: UInt64) -> HostCall {
        let functionEnd = Int(header.functionLength)
        let taskEnd = functionEnd + Int(header.taskLength)
        let groupEnd = taskEnd + Int(header.groupLength)
        let scope = CallScope(
            taskName: String(decoding: UnsafeRawBufferPointer(rebasing: body[functionEnd..<taskEnd]), as: UTF8.self),
            groupName: String(decoding: UnsafeRawBufferPointer(rebasing: body[taskEnd..<groupEnd]), as: UTF8.self),
            attempt: Int(header.attempt),
            deadline: header.flags.contains(.hasTimeout) ? received.saturatingAdd(header.timeout) : nil
        )
        return HostCall(
            sequence: header.sequence,
            function: String(decoding: UnsafeRawBufferPointer(rebasing: body[..<functionEnd]), as: UTF8.self),
            payload: Array(UnsafeRawBufferPointer(rebasing: body[groupEnd...])),
            scope: scope,
            isExclusive: header.flags.contains(.exclusive),
            hold: header.flags.hold
        )
    }
}
