internal import CZeroMQ
internal import Glibc

/// How to send a message.
public struct SendFlags: OptionSet, Sendable {
    /// The flags as libzmq takes them.
    public let rawValue: Int32

    /// Fail with `wouldBlock` rather than wait.
    public static let dontWait = SendFlags(rawValue: ZMQ_DONTWAIT)
    /// Another part of the same message follows.
    public static let more = SendFlags(rawValue: ZMQ_SNDMORE)

    /// Makes flags of what libzmq takes.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }
}

/// How to receive a message.
public struct ReceiveFlags: OptionSet, Sendable {
    /// The flags as libzmq takes them.
    public let rawValue: Int32

    /// Give nil rather than wait.
    public static let dontWait = ReceiveFlags(rawValue: ZMQ_DONTWAIT)

    /// Makes flags of what libzmq takes.
    public init(rawValue: Int32) {
        self.rawValue = rawValue
    }
}

/// What became of a message that was to be sent without waiting.
public enum SendResult: Hashable, Sendable {
    /// It is with libzmq now.
    case sent
    /// Nothing was sent: there is no peer, or no room in its queue.
    case wouldBlock
    /// Nothing was sent: no peer of the ROUTER has the routing id.
    case unreachable
}

extension Socket {
    /// Sends one part, and waits for room unless told otherwise.
    ///
    /// The message is gone in any case. To keep one that could not be sent, use ``trySend(_:flags:)``.
    public func send(_ message: consuming Message, flags: SendFlags = []) throws(ZeroMQError) {
        let errno = unsafe transmit(message.raw, flags.rawValue)
        guard errno == 0 else { throw sendError(errno) }
    }

    /// Sends one part if that is possible now. The message is empty afterwards if it was sent, and as it was otherwise.
    ///
    /// Parts after the first are always taken once the first was.
    public func trySend(_ message: inout Message, flags: SendFlags = []) throws(ZeroMQError) -> SendResult {
        try unsafe result(of: transmit(message.raw, flags.rawValue | ZMQ_DONTWAIT))
    }

    /// Receives one part, and waits for it unless told otherwise.
    ///
    /// - Returns: nil if nothing waits (`dontWait`), or nothing came within ``SocketOption/receiveTimeout``.
    public func receive(flags: ReceiveFlags = []) throws(ZeroMQError) -> Message? {
        let message = Message()
        let errno = unsafe accept(message.raw, flags.rawValue)
        if errno == 0 { return message }
        if errno == EAGAIN { return nil }
        throw receiveError(errno)
    }

    /// Sends an initialised message. Returns 0 or the error number.
    func transmit(_ raw: UnsafeMutablePointer<zmq_msg_t>, _ flags: Int32) -> Int32 {
        while unsafe zmq_msg_send(raw, handle, flags) < 0 {
            let errno = zmq_errno()
            if errno != EINTR { return errno }
        }
        return 0
    }

    /// Receives into an initialised message, whose former bytes are released. Returns 0 or the error number.
    func accept(_ raw: UnsafeMutablePointer<zmq_msg_t>, _ flags: Int32) -> Int32 {
        while unsafe zmq_msg_recv(raw, handle, flags) < 0 {
            let errno = zmq_errno()
            if errno != EINTR { return errno }
        }
        return 0
    }

    func result(of errno: Int32) throws(ZeroMQError) -> SendResult {
        switch errno {
        case 0: return .sent
        case EAGAIN: return .wouldBlock
        case EHOSTUNREACH: return .unreachable
        default: throw sendError(errno)
        }
    }

    func sendError(_ errno: Int32) -> ZeroMQError {
        ZeroMQError(errno: errno, operation: "send on a \(kind) socket")
    }

    func receiveError(_ errno: Int32) -> ZeroMQError {
        ZeroMQError(errno: errno, operation: "receive on a \(kind) socket")
    }
}
