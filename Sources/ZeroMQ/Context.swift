internal import CZeroMQ
internal import Glibc
internal import Synchronization

/// The I/O threads and the `inproc` name space that sockets live in.
///
/// A context may be used from any thread; its sockets may not. Every socket keeps what it needs of its context alive, so
/// the order in which they go does not matter: when the context goes, its sockets fail with `contextTerminated`, and when
/// the last of them is closed too, the I/O threads end. Pending messages hold that up for no longer than each socket's
/// linger time.
public struct Context: ~Copyable, Sendable {
    let handle: ContextHandle

    /// Makes a context. Its I/O threads start with the first socket.
    ///
    /// - Parameters:
    ///   - ioThreads: Threads that do the network's work; one is enough for about a gigabyte a second.
    ///   - maxSockets: How many sockets may be open at once.
    public init(ioThreads: Int = 1, maxSockets: Int = 1023) throws(ZeroMQError) {
        handle = try ContextHandle(options: [
            (ZMQ_IO_THREADS, "ioThreads", ioThreads, 0),
            (ZMQ_MAX_SOCKETS, "maxSockets", maxSockets, 1),
        ])
    }

    deinit {
        handle.shutdown()
    }

    /// Makes every operation on every socket of the context fail with `contextTerminated`, also those that wait in
    /// another thread. Returns at once; the sockets must still be closed by their owners.
    public func shutdown() {
        handle.shutdown()
    }

    /// Terminates the context, and waits until every socket is closed and its messages are sent or its linger time is over.
    ///
    /// Sockets that the calling thread still holds would make it wait for ever: close them first.
    public consuming func close() {
        handle.terminate()
    }
}

/// The C context, shared by a ``Context`` and its sockets, so that it is freed by the last of them and never under a socket.
@safe
final class ContextHandle: Sendable {
    // libzmq guards contexts by itself: every zmq_ctx_ function may be called from any thread.
    nonisolated(unsafe) let raw: UnsafeMutableRawPointer
    private let isTerminated = Atomic(false)

    init(options: [(number: Int32, name: String, value: Int, least: Int)]) throws(ZeroMQError) {
        let operation = "create a context"
        guard let raw = unsafe zmq_ctx_new() else {
            throw .last(operation: operation)
        }
        unsafe self.raw = unsafe raw
        for option in options {
            let subject = "with \(option.name) \(option.value)"
            guard option.value >= option.least, let value = Int32(exactly: option.value) else {
                let reason = "expected a number from \(option.least) to \(Int32.max)"
                throw ZeroMQError(.invalidArgument, operation: operation, subject: subject, reason: reason)
            }
            guard unsafe zmq_ctx_set(raw, option.number, value) == 0 else {
                throw .last(operation: operation, subject: subject)
            }
        }
    }

    deinit {
        terminate()
    }

    func shutdown() {
        guard !isTerminated.load(ordering: .acquiring) else { return }
        // Fails only for a pointer that is no context.
        _ = unsafe zmq_ctx_shutdown(raw)
    }

    func terminate() {
        guard !isTerminated.exchange(true, ordering: .acquiringAndReleasing) else { return }
        while unsafe zmq_ctx_term(raw) != 0, zmq_errno() == EINTR {}
    }
}
