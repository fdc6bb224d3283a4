extension OrderHeader {
    /// Writes the header to `bytes`, which has room for it.
    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.put(bodyLength, at: 0)
        bytes.put(kind.rawValue, at: 4)
        bytes.put(flags.rawValue, at: 5)
        bytes.put(UInt16(0), at: 6)
        bytes.put(sequence, at: 8)
        bytes.put(timeout, at: 16)
        bytes.put(attempt, at: 24)
        bytes.put(functionLength, at: 28)
        bytes.put(taskLength, at: 32)
        bytes.put(groupLength, at: 36)
    }

    /// Reads a header; nil if it is none.
    init?(_ bytes: UnsafeRawPointer) {
        guard let kind = HostFrame.OrderKind(rawValue: bytes.take(at: 4)) else { return nil }
        self.init(kind: kind, sequence: bytes.take(at: 8))
        bodyLength = bytes.take(at: 0)
        flags = HostFrame.OrderFlags(rawValue: bytes.take(at: 5))
        timeout = bytes.take(at: 16)
        attempt = bytes.take(at: 24)
        functionLength = bytes.take(at: 28)
        taskLength = bytes.take(at: 32)
        groupLength = bytes.take(at: 36)
        let names = UInt64(functionLength) + UInt64(taskLength) + UInt64(groupLength)
        guard bodyLength <= HostFrame.maximumBodyBytes, names <= bodyLength else { return nil }
    }
}

extension ReplyHeader {
    /// Writes the header to `bytes`, which has room for it.
    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.put(bodyLength, at: 0)
        bytes.put(kind.rawValue, at: 4)
        bytes.put(status.rawValue, at: 5)
        bytes.put(UInt16(0), at: 6)
        bytes.put(sequence, at: 8)
        bytes.put(elapsed, at: 16)
        bytes.put(outputEnd.standardOutput, at: 24)
        bytes.put(outputEnd.standardError, at: 32)
        bytes.put(userTime, at: 40)
        bytes.put(systemTime, at: 48)
    }

    /// Reads a header; nil if it is none.
    init?(_ bytes: UnsafeRawPointer) {
        guard let kind = HostFrame.ReplyKind(rawValue: bytes.take(at: 4)),
            let status = HostFrame.Status(rawValue: bytes.take(at: 5))
        else { return nil }
        self.init(kind: kind, status: status, sequence: bytes.take(at: 8))
        bodyLength = bytes.take(at: 0)
        elapsed = bytes.take(at: 16)
        outputEnd.standardOutput = bytes.take(at: 24)
        outputEnd.standardError = bytes.take(at: 32)
        userTime = bytes.take(at: 40)
        systemTime = bytes.take(at: 48)
        guard bodyLength <= HostFrame.maximumBodyBytes else { return nil }
    }
}

extension CallFailure {
    /// The error as the body of a reply.
    func encoded() -> [UInt8] {
        var body = [UInt8](repeating: 0, count: 8)
        body.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress {
                start.put(UInt32(type.utf8.count), at: 0)
                start.put(UInt32(message.utf8.count), at: 4)
            }
        }
        body += type.utf8
        body += message.utf8
        body += trace.utf8
        return body
    }

    /// Reads the body of a reply; nil if its lengths contradict one another.
    init?(encoded body: UnsafeRawBufferPointer) {
        guard body.count >= 8, let start = body.baseAddress else { return nil }
        let typeLength = Int(UnsafeRawPointer(start).take(at: 0) as UInt32)
        let messageLength = Int(UnsafeRawPointer(start).take(at: 4) as UInt32)
        guard 8 + typeLength + messageLength <= body.count else { return nil }
        let texts = body[8...]
        self.init(
            type: String(decoding: texts.prefix(typeLength), as: UTF8.self),
            message: String(decoding: texts.dropFirst(typeLength).prefix(messageLength), as: UTF8.self),
            trace: String(decoding: texts.dropFirst(typeLength + messageLength), as: UTF8.self)
        )
    }
}

extension UnsafeMutableRawPointer {
    func put<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at offset: Int) {
        storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
    }
}

extension UnsafeRawPointer {
    func take<Value: FixedWidthInteger & BitwiseCopyable>(at offset: Int) -> Value {
        Value(littleEndian: loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
