internal import CZeroMQ
internal import Glibc

/// What became of a try to receive a whole multipart message.
public enum ReceiveResult: Hashable, Sendable {
    /// Nothing waits.
    case empty
    /// The message was appended; it has this many parts.
    case received(frames: Int)
    /// It had more parts than allowed, all of which are gone.
    ///
    /// `first` is the first part: on a ROUTER, the routing id of whoever sent it.
    case tooLong(frames: Int, first: [UInt8])
}

extension Socket {
    /// Sends a message of one or more parts, whole or not at all, without waiting.
    public func trySend(_ frames: [[UInt8]]) throws(ZeroMQError) -> SendResult {
        guard !frames.isEmpty else { throw noFrames }
        var errno = transmit(frames, from: 0)
        if errno == EAGAIN, lookForRoom() {
            errno = transmit(frames, from: 0)
        }
        return try result(of: errno)
    }

    /// Sends a message of one or more parts to one peer of a ROUTER, whole or not at all, without waiting.
    ///
    /// Without ``SocketOption/routerMandatory`` a message to an unknown peer counts as sent, and vanishes.
    public func trySend(to routingID: [UInt8], _ frames: [[UInt8]]) throws(ZeroMQError) -> SendResult {
        guard !frames.isEmpty else { throw noFrames }
        let flags = ZMQ_DONTWAIT | ZMQ_SNDMORE
        var errno = transmit(routingID, flags)
        if errno == EAGAIN, lookForRoom() {
            errno = transmit(routingID, flags)
        }
        guard errno == 0 else { return try result(of: errno) }
        return try result(of: transmit(frames, from: 0))
    }

    /// Receives a whole message if one waits.
    ///
    /// - Parameter maxFrames: A message with more parts is discarded whole, and the error is `multipartTooLong`.
    /// - Returns: nil if nothing waits.
    public func tryReceiveMultipart(maxFrames: Int) throws(ZeroMQError) -> [[UInt8]]? {
        var frames: [[UInt8]] = []
        switch try tryReceiveMultipart(into: &frames, maxFrames: maxFrames) {
        case .empty:
            return nil
        case .received:
            return frames
        case .tooLong(let count, _):
            throw ZeroMQError(
                .multipartTooLong,
                operation: "receive on a \(kind) socket",
                reason: "the message has \(count) parts, at most \(maxFrames) are taken"
            )
        }
    }

    /// Receives a whole message if one waits, and appends its parts.
    ///
    /// - Parameters:
    ///   - frames: Changed only if the result is `received`.
    ///   - maxFrames: A message with more parts is discarded whole.
    public func tryReceiveMultipart(
        into frames: inout [[UInt8]],
        maxFrames: Int
    ) throws(ZeroMQError) -> ReceiveResult {
        let start = frames.count
        var count = 0
        var first: [UInt8] = []
        repeat {
            let errno = unsafe accept(scratch, ZMQ_DONTWAIT)
            if errno != 0 {
                if errno == EAGAIN, count == 0 { return .empty }
                frames.removeSubrange(start...)
                throw receiveError(errno)
            }
            count += 1
            if count <= maxFrames {
                unsafe frames.append(scratch.copyBytes())
            } else if count == maxFrames + 1 {
                first = unsafe count == 1 ? scratch.copyBytes() : frames[start]
                frames.removeSubrange(start...)
            }
        } while unsafe zmq_msg_more(scratch) != 0
        return count <= maxFrames ? .received(frames: count) : .tooLong(frames: count, first: first)
    }

    /// What the connection that the last received part came by is known for, such as `User-Id`, which the authentication
    /// handler has given it, or `Peer-Address`.
    ///
    /// - Returns: nil if it is not known, and once something else was received or sent.
    public func lastReceivedProperty(_ name: String) -> String? {
        guard let value = unsafe zmq_msg_gets(scratch, name) else { return nil }
        return unsafe String(cString: value)
    }

    /// Takes notice of new peers and of what they have read. Sending does so about once in a millisecond, to be fast, and says
    /// until then that there is no room.
    ///
    /// - Returns: Whether anything can be sent to anybody.
    private func lookForRoom() -> Bool {
        var events: Int32 = 0
        var size = MemoryLayout<Int32>.size
        return unsafe zmq_getsockopt(handle, ZMQ_EVENTS, &events, &size) == 0 && events & ZMQ_POLLOUT != 0
    }

    private var noFrames: ZeroMQError {
        ZeroMQError(.invalidArgument, operation: "send on a \(kind) socket", reason: "the message has no parts")
    }

    /// Sends frames from an index on, the last of which ends the message. Returns 0 or the error number.
    private func transmit(_ frames: [[UInt8]], from start: Int) -> Int32 {
        let last = frames.count - 1
        for index in start...last {
            let errno = transmit(frames[index], index == last ? ZMQ_DONTWAIT : ZMQ_DONTWAIT | ZMQ_SNDMORE)
            guard errno != 0 else { continue }
            if index > 0, index < last, isLoadBalanced, errno == EAGAIN {
                // The connection went away in mid-message. libzmq took back the parts sent so far and now discards up to
                // the end of this message: give it that end, or it would discard the start of the next one.
                _ = transmit(frames, from: index + 1)
            }
            return errno
        }
        return 0
    }

    private var isLoadBalanced: Bool {
        switch kind {
        case .dealer, .push, .req: true
        default: false
        }
    }

    /// Sends one part, shared if it is big and copied if it is small. Returns 0 or the error number.
    private func transmit(_ frame: [UInt8], _ flags: Int32) -> Int32 {
        if frame.count < Message.zeroCopySize {
            return unsafe frame.withUnsafeBytes { buffer in
                while unsafe zmq_send(handle, buffer.baseAddress, buffer.count, flags) < 0 {
                    let errno = zmq_errno()
                    if errno != EINTR { return errno }
                }
                return 0
            }
        }
        unsafe zmq_msg_close(scratch)
        unsafe zmq_msg_init(scratch)
        do {
            let owner = ArrayOwner(frame)
            try unsafe scratch.lend(owner.storage, of: owner)
        } catch {
            return error.errno
        }
        let errno = unsafe transmit(scratch, flags)
        if errno != 0 {
            unsafe zmq_msg_close(scratch)
            unsafe zmq_msg_init(scratch)
        }
        return errno
    }
}
