internal import CohortCore
internal import Glibc

/// A call as its host holds it.
struct HostCall: Sendable {
    let sequence: UInt64
    let function: String
    /// A JSON object of propagated values, or empty.
    let settings: [UInt8]
    let payload: [UInt8]
    let scope: CallScope
    /// It has the host to itself: worth being announced and measured.
    let isExclusive: Bool
    let hold: CallHold
    /// Its place in the record of attempts.
    let record: UInt32
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
            case .proceed: proceed(header.sequence)
            }
            buffer.consume(length)
        }
        enqueue(calls)
        return true
    }

    private func call(_ header: OrderHeader, _ body: UnsafeRawBufferPointer, received: UInt64) -> HostCall {
        var rest = body[...]
        func take(_ length: UInt32) -> UnsafeRawBufferPointer {
            defer { rest = rest.dropFirst(Int(length)) }
            return UnsafeRawBufferPointer(rebasing: rest.prefix(Int(length)))
        }
        let function = String(decoding: take(header.functionLength), as: UTF8.self)
        let taskName = String(decoding: take(header.taskLength), as: UTF8.self)
        let groupName = String(decoding: take(header.groupLength), as: UTF8.self)
        let settings = Array(take(header.settingsLength))
        let scope = CallScope(
            taskName: taskName,
            groupName: groupName,
            attempt: Int(header.attempt),
            timeoutAt: header.flags.contains(.hasTimeout) ? received.saturatingAdd(header.timeout) : nil,
            deadlineAt: header.flags.contains(.hasDeadline) ? received.saturatingAdd(header.deadline) : nil,
            link: CallLink(
                host: self,
                sequence: header.sequence,
                ref: AttemptRef(task: TaskKey(raw: header.task), attempt: header.fence)
            )
        )
        return HostCall(
            sequence: header.sequence,
            function: function,
            settings: settings,
            payload: Array(rest),
            scope: scope,
            isExclusive: header.flags.contains(.exclusive),
            hold: header.flags.hold,
            record: header.record
        )
    }
}
