/// Cuts one direction of a ZMTP 3 connection without encryption into pieces that can be passed on, held back, repeated or left
/// out without the connection noticing: the greeting, commands, and whole messages.
package struct MessageSplitter: Sendable {
    package enum Piece: Sendable, Equatable {
        /// Of the greeting, or a command of the protocol, such as a heartbeat: to be passed on as it is.
        case other([UInt8])
        /// A whole message as it travels; `bodies` are the places of its frames' contents in it.
        case message([UInt8], bodies: [Range<Int>])

        package var bytes: [UInt8] {
            switch self {
            case .other(let bytes), .message(let bytes, _): bytes
            }
        }
    }

    /// The bytes cannot be those of a connection that this understands.
    package struct Garbled: Error {}

    private static let greetingBytes = 64
    private static let more: UInt8 = 1
    private static let long: UInt8 = 2
    private static let command: UInt8 = 4

    private var greetingLeft = greetingBytes
    private var buffer: [UInt8] = []
    /// Where the unread part of `buffer` begins.
    private var start = 0
    /// The frames so far of a message that has more to come.
    private var message: [UInt8] = []
    private var bodies: [Range<Int>] = []
    private let limit: Int

    /// - Parameter limit: bytes of a frame beyond which the connection counts as garbled.
    package init(limit: Int) { self.limit = limit }

    package mutating func append(_ bytes: some Sequence<UInt8>) {
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next whole piece; `nil` until more bytes have come.
    package mutating func next() throws(Garbled) -> Piece? {
        if greetingLeft > 0 {
            // Both sides wait for parts of each other's greeting: every byte goes on at once.
            let count = min(greetingLeft, buffer.count - start)
            guard count > 0 else { return nil }
            greetingLeft -= count
            return .other(take(count))
        }
        while let (flags, header, length) = try frame() {
            guard buffer.count - start >= header + length else { return nil }
            let bytes = take(header + length)
            // A heartbeat may come between the frames of a message.
            if flags & Self.command != 0 { return .other(bytes) }
            bodies.append((message.count + header)..<(message.count + bytes.count))
            message += bytes
            if flags & Self.more != 0 { continue }
            defer {
                message = []
                bodies = []
            }
            return .message(message, bodies: bodies)
        }
        return nil
    }

    /// Flags, the size of the header, and the size of the body of the frame that comes next.
    private func frame() throws(Garbled) -> (flags: UInt8, header: Int, length: Int)? {
        guard start < buffer.count else { return nil }
        let flags = buffer[start]
        guard flags & ~(Self.more | Self.long | Self.command) == 0 else { throw Garbled() }
        let isLong = flags & Self.long != 0
        let header = isLong ? 9 : 2
        guard buffer.count - start >= header else { return nil }
        guard isLong else { return (flags, header, Int(buffer[start + 1])) }
        let length = buffer[(start + 1)..<(start + 9)].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard length <= UInt64(limit) else { throw Garbled() }
        return (flags, header, Int(length))
    }

    private mutating func take(_ count: Int) -> [UInt8] {
        defer { start += count }
        return Array(buffer[start..<(start + count)])
    }
}
