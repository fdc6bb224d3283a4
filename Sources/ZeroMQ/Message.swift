internal import CZeroMQ
internal import Glibc

/// One frame: bytes that libzmq owns or borrows, sent or received without a copy.
///
/// Arrays that are sent by ``Socket/trySend(_:)`` need no message; use this type for frames too big to copy.
@safe
public struct Message: ~Copyable {
    /// From this size on, handing an array's storage to libzmq is cheaper than copying it.
    public static let zeroCopySize = 16 * 1024

    // libzmq keeps pointers into a zmq_msg_t, which therefore never moves; a stored property may.
    let raw: UnsafeMutablePointer<zmq_msg_t>

    /// Makes an empty message, to receive into.
    public init() {
        unsafe raw = unsafe Self.allocate()
    }

    /// Makes a message of `size` bytes that have no defined value yet.
    public init(size: Int) throws(ZeroMQError) {
        unsafe raw = try unsafe Self.allocate(size: size)
    }

    /// Makes a message with a copy of the bytes.
    public init(copying bytes: UnsafeRawBufferPointer) throws(ZeroMQError) {
        unsafe raw = try unsafe Self.allocate(size: bytes.count)
        unsafe withUnsafeMutableBytes { unsafe $0.copyMemory(from: bytes) }
    }

    /// Makes a message with a copy of the bytes.
    public init(copying bytes: [UInt8]) throws(ZeroMQError) {
        unsafe raw = try unsafe Self.allocate(size: bytes.count)
        unsafe withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
    }

    /// Makes a message of an array, whose storage it shares if it is big (``zeroCopySize``), and copies if it is small.
    ///
    /// Shared storage is released once, by whichever thread of libzmq is the last to need it.
    public init(_ bytes: [UInt8]) throws(ZeroMQError) {
        if bytes.count < Self.zeroCopySize {
            unsafe raw = try unsafe Self.allocate(size: bytes.count)
            unsafe withUnsafeMutableBytes { unsafe $0.copyBytes(from: bytes) }
        } else {
            let owner = ArrayOwner(bytes)
            unsafe raw = try unsafe Self.allocate(lending: owner.storage, of: owner)
        }
    }

    /// Makes a message of memory that `owner` keeps valid and unchanged while it lives.
    ///
    /// - Parameter owner: Retained by the message, and released once, on whichever thread is the last to need the bytes.
    public init(bytes: UnsafeRawBufferPointer, keeping owner: any AnyObject & Sendable) throws(ZeroMQError) {
        unsafe raw = try unsafe Self.allocate(lending: bytes, of: owner)
    }

    deinit {
        unsafe zmq_msg_close(raw)
        unsafe raw.deallocate()
    }

    /// The number of bytes.
    public var count: Int { unsafe zmq_msg_size(raw) }

    /// Whether it has no bytes.
    public var isEmpty: Bool { count == 0 }

    /// Whether a received message has a next part.
    public var hasMore: Bool { unsafe zmq_msg_more(raw) != 0 }

    /// A copy of the bytes.
    public func bytes() -> [UInt8] {
        unsafe raw.copyBytes()
    }

    /// Calls `body` with the bytes, which stay valid while it runs.
    public func withUnsafeBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(UnsafeRawBufferPointer(start: zmq_msg_data(raw), count: count))
    }

    /// Calls `body` with the bytes of a message that has not been sent, to fill them.
    ///
    /// Not for bytes that the message shares with an array or an owner: those must not change.
    public mutating func withUnsafeMutableBytes<R: ~Copyable, E: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(E) -> R
    ) throws(E) -> R {
        try unsafe body(UnsafeMutableRawBufferPointer(start: zmq_msg_data(raw), count: count))
    }
}

extension Message {
    private static func allocate() -> UnsafeMutablePointer<zmq_msg_t> {
        let raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        // Always succeeds, as the manual says.
        unsafe zmq_msg_init(raw)
        return unsafe raw
    }

    private static func allocate(size: Int) throws(ZeroMQError) -> UnsafeMutablePointer<zmq_msg_t> {
        guard size >= 0 else {
            throw ZeroMQError(.invalidArgument, operation: "make a message", reason: "its size is \(size)")
        }
        let raw = UnsafeMutablePointer<zmq_msg_t>.allocate(capacity: 1)
        guard unsafe zmq_msg_init_size(raw, size) == 0 else {
            let error = ZeroMQError.last(operation: "make a message", subject: "of \(size) bytes")
            unsafe raw.deallocate()
            throw error
        }
        return unsafe raw
    }

    private static func allocate(
        lending bytes: UnsafeRawBufferPointer,
        of owner: any AnyObject & Sendable
    ) throws(ZeroMQError) -> UnsafeMutablePointer<zmq_msg_t> {
        let raw = unsafe allocate()
        do {
            try unsafe raw.lend(bytes, of: owner)
        } catch {
            unsafe raw.deallocate()
            throw error
        }
        return unsafe raw
    }
}

/// Keeps an array's storage alive while libzmq points into it.
final class ArrayOwner: Sendable {
    private let bytes: [UInt8]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The array's elements, valid while this object lives.
    ///
    /// Arrays of a trivial type are always native and contiguous on Linux, and as long as this object holds a reference
    /// nobody changes the storage in place: that makes the address outlive the closure it is taken in.
    var storage: UnsafeRawBufferPointer {
        unsafe bytes.withUnsafeBytes { unsafe $0 }
    }
}

extension UnsafeMutablePointer<zmq_msg_t> {
    /// Makes an initialised, empty message point at memory, and hold one retain of its owner until it is freed.
    func lend(_ bytes: UnsafeRawBufferPointer, of owner: any AnyObject & Sendable) throws(ZeroMQError) {
        let retained = unsafe Unmanaged<AnyObject>.passRetained(owner)
        let result = unsafe zmq_msg_init_data(
            self,
            UnsafeMutableRawPointer(mutating: bytes.baseAddress),
            bytes.count,
            { _, hint in
                guard let hint = unsafe hint else { return }
                unsafe Unmanaged<AnyObject>.fromOpaque(hint).release()
            },
            unsafe retained.toOpaque()
        )
        guard result == 0 else {
            let error = ZeroMQError.last(operation: "make a message", subject: "of \(bytes.count) bytes")
            unsafe zmq_msg_init(self)
            unsafe retained.release()
            throw error
        }
    }

    /// The bytes of an initialised message as an array.
    func copyBytes() -> [UInt8] {
        let count = unsafe zmq_msg_size(self)
        guard count > 0, let data = unsafe zmq_msg_data(self) else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            unsafe UnsafeMutableRawBufferPointer(buffer)
                .copyMemory(from: UnsafeRawBufferPointer(start: data, count: count))
            initialized = count
        }
    }
}
