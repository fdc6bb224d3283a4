extension OrderHeader {
    /// Writes the header to `bytes`, which has room for it.
    func write(to bytes: UnsafeMutableRawPointer) {
        bytes.put(bodyLength, at: 0)
        bytes.put(kind.rawValue, at: 4)
        bytes.put(flags.rawValue, at: 5)
        bytes.put(UInt16(0), at: 6)
        bytes.put(sequence, at: 8)
        bytes.put(timeout, at: 16)
        bytes.put(deadline, at: 24)
        bytes.put(task, at: 32)
        bytes.put(fence, at: 40)
        bytes.put(attempt, at: 44)
        bytes.put(functionLength, at: 48)
        bytes.put(taskLength, at: 52)
        bytes.put(groupLength, at: 56)
        bytes.put(settingsLength, at: 60)
        bytes.put(record, at: 64)
        bytes.put(UInt32(0), at: 68)
    }

    /// Reads a header; nil if it is none.
    init?(_ bytes: UnsafeRawPointer) {
        guard let kind = HostFrame.OrderKind(rawValue: bytes.take(at: 4)) else { return nil }
        self.init(kind: kind, sequence: bytes.take(at: 8))
        bodyLength = bytes.take(at: 0)
        flags = HostFrame.OrderFlags(rawValue: bytes.take(at: 5))
        timeout = bytes.take(at: 16)
        deadline = bytes.take(at: 24)
        task = bytes.take(at: 32)
        fence = bytes.take(at: 40)
        attempt = bytes.take(at: 44)
        functionLength = bytes.take(at: 48)
        taskLength = bytes.take(at: 52)
        groupLength = bytes.take(at: 56)
        settingsLength = bytes.take(at: 60)
        record = bytes.take(at: 64)
        let parts = UInt64(functionLength) + UInt64(taskLength) + UInt64(groupLength) + UInt64(settingsLength)
        guard bodyLength <= HostFrame.maximumBodyBytes, parts <= bodyLength else { return nil }
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
    private static let lengthsBytes = 12

    /// The error as the body of a reply.
    func encoded() -> [UInt8] {
        var body = [UInt8](repeating: 0, count: Self.lengthsBytes)
        body.withUnsafeMutableBytes { bytes in
            if let start = bytes.baseAddress {
                start.put(UInt32(type.utf8.count), at: 0)
                start.put(UInt32(message.utf8.count), at: 4)
                start.put(UInt32(trace.utf8.count), at: 8)
            }
        }
        body += type.utf8
        body += message.utf8
        body += trace.utf8
        body += tree
        return body
    }

    /// Reads the body of a reply; nil if its lengths contradict one another.
    init?(encoded body: UnsafeRawBufferPointer) {
        guard body.count >= Self.lengthsBytes, let start = body.baseAddress else { return nil }
        let typeLength = Int(UnsafeRawPointer(start).take(at: 0) as UInt32)
        let messageLength = Int(UnsafeRawPointer(start).take(at: 4) as UInt32)
        let traceLength = Int(UnsafeRawPointer(start).take(at: 8) as UInt32)
        guard Self.lengthsBytes + typeLength + messageLength + traceLength <= body.count else { return nil }
        var rest = body[Self.lengthsBytes...]
        func take(_ length: Int) -> Slice<UnsafeRawBufferPointer> {
            defer { rest = rest.dropFirst(length) }
            return rest.prefix(length)
        }
        self.init(
            type: String(decoding: take(typeLength), as: UTF8.self),
            message: String(decoding: take(messageLength), as: UTF8.self),
            trace: String(decoding: take(traceLength), as: UTF8.self),
            tree: Array(rest)
        )
    }
}

/// What a call tells of how far it has come, as the body of a reply.
struct ProgressNote: Equatable {
    private static let fractionBytes = 8

    /// From 0 to 1; nil: not told.
    var fraction: Double?
    var note: String

    func encoded() -> [UInt8] {
        var body = [UInt8](repeating: 0, count: Self.fractionBytes)
        body.withUnsafeMutableBytes { $0.baseAddress?.put((fraction ?? .nan).bitPattern, at: 0) }
        return body + note.utf8
    }

    init(fraction: Double?, note: String) {
        self.fraction = fraction.flatMap { $0.isNaN ? nil : min(max($0, 0), 1) }
        self.note = note.cut(to: HostFrame.maximumNoteBytes)
    }

    init?(encoded body: UnsafeRawBufferPointer) {
        guard body.count >= Self.fractionBytes, let start = body.baseAddress else { return nil }
        let fraction = Double(bitPattern: UnsafeRawPointer(start).take(at: 0))
        self.init(fraction: fraction, note: String(decoding: body[Self.fractionBytes...], as: UTF8.self))
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
