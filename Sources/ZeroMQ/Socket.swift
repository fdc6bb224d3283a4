internal import CZeroMQ
internal import Glibc

/// A ZeroMQ socket.
///
/// Not thread-safe and so not `Sendable`: it lives and dies on the thread that made it, typically a ``LoopThread``. It is
/// closed when it goes out of scope.
@safe
public struct Socket: ~Copyable {
    /// The messaging pattern of a socket, which decides who can talk to it and how.
    public enum Kind: Int32, Sendable, CaseIterable {
        /// One peer, both ways.
        case pair = 0
        /// Sends to every subscriber.
        case pub = 1
        /// Receives what it subscribes to.
        case sub = 2
        /// Asks, then waits for the reply.
        case req = 3
        /// Waits for a question, then replies.
        case rep = 4
        /// Sends to its peers in turn, receives from all.
        case dealer = 5
        /// Prefixes what it receives with the sender's routing id, and sends to whom the first part names.
        case router = 6
        /// Receives from all its peers.
        case pull = 7
        /// Sends to its peers in turn.
        case push = 8
        /// PUB that sees subscriptions as messages.
        case xpub = 9
        /// SUB that subscribes by messages.
        case xsub = 10
        /// Talks to plain TCP peers.
        case stream = 11
    }

    /// The messaging pattern.
    public let kind: Kind

    let handle: UnsafeMutableRawPointer
    let liveness: SocketLiveness
    // Every receive into arrays, and every send without a copy, goes through this one: none allocates a zmq_msg_t.
    let scratch: UnsafeMutablePointer<zmq_msg_t>
    // Freed after the socket, whoever goes first.
    let context: ContextHandle

    /// Opens a socket, which belongs to the calling thread from then on.
    ///
    /// - Parameter linger: See ``SocketOption/linger``; by default nothing outlives the socket.
    public init(_ kind: Kind, in context: borrowing Context, linger: Duration? = .zero) throws(ZeroMQError) {
        try self.init(sharing: context.handle, kind: kind, linger: linger)
    }

    init(sharing context: ContextHandle, kind: Kind, linger: Duration? = .zero) throws(ZeroMQError) {
        let operation = "open a \(kind) socket"
        guard let linger = SocketOption.linger.coding.encode(linger) else {
            throw ZeroMQError(.invalidArgument, operation: operation, reason: "the linger time is out of range")
        }
        guard let handle = unsafe zmq_socket(context.raw, kind.rawValue) else {
            throw .last(operation: operation)
        }
        // Before anything can fail: the default of libzmq would keep the context from ending.
        guard unsafe zmq_setsockopt(handle, ZMQ_LINGER, linger, linger.count) == 0 else {
            let error = ZeroMQError.last(operation: operation)
            unsafe zmq_close(handle)
            throw error
        }
        self.kind = kind
        unsafe self.handle = unsafe handle
        self.context = context
        liveness = unsafe SocketLiveness(handle)
        unsafe scratch = .allocate(capacity: 1)
        unsafe zmq_msg_init(scratch)
    }

    deinit {
        // A socket that is being closed still tells its monitor, and once that is gone too an I/O thread of libzmq would wait for
        // ever for somebody to take the next event: with it, every connection of the context.
        if liveness.monitor != 0 { _ = unsafe zmq_socket_monitor(handle, nil, 0) }
        // The thread has a share in the context, and whoever closes the last socket here counts on ending that.
        liveness.monitorThreadEnd?.wait()
        liveness.end()
        unsafe zmq_msg_close(scratch)
        unsafe scratch.deallocate()
        // Fails only for a pointer that is no socket.
        unsafe zmq_close(handle)
    }

    /// Closes the socket now. Messages that wait to be sent have the linger time left, and what it was bound to becomes free
    /// a moment later.
    public consuming func close() {
        // Consuming the value runs the deinitialiser.
    }

    /// Waits until a message can be received. A blocking call: not for code that runs on a loop or in a task.
    ///
    /// - Parameter timeout: nil is for ever.
    /// - Returns: false if the time ran out first.
    public func waitUntilReadable(timeout: Duration?) throws(ZeroMQError) -> Bool {
        let operation = "wait for a \(kind) socket"
        let deadline = timeout.map { ContinuousClock.now + $0 }
        while true {
            var milliseconds = -1
            if let deadline {
                let left = max(.zero, deadline - ContinuousClock.now)
                milliseconds = Int(left.wholeMilliseconds ?? .max)
            }
            var item = unsafe zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
            let ready = unsafe zmq_poll(&item, 1, milliseconds)
            if ready >= 0 { return ready > 0 }
            let errno = zmq_errno()
            guard errno == EINTR else { throw ZeroMQError(errno: errno, operation: operation) }
        }
    }
}

/// Tells those who hold a socket's handle without owning it, a monitor or a poll set, whether it is still open.
///
/// Confined to the thread of the socket.
@safe
final class SocketLiveness {
    private(set) var handle: UnsafeMutableRawPointer?
    /// The number of the monitor that watches the socket, so that an older one leaves it alone.
    var monitor = 0
    /// Opens when the thread that watches the socket has ended; `nil` if there is none.
    var monitorThreadEnd: Latch?

    init(_ handle: UnsafeMutableRawPointer) {
        unsafe self.handle = unsafe handle
    }

    func end() {
        unsafe handle = nil
    }
}
