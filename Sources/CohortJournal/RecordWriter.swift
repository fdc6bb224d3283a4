internal import CohortCore

/// Puts a record's fields one after the other into bytes: numbers as varints, texts and bytes with their length before them.
///
/// What stands where is part of the file's format (`JournalSchema.version`).
struct RecordWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    mutating func put(_ value: some FixedWidthInteger & UnsignedInteger) { put(UInt64(value)) }

    /// Small negative numbers stay short.
    mutating func put(_ value: Int64) { put(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    mutating func put(_ value: Int32) { put(Int64(value)) }

    mutating func put(_ value: Int) { put(Int64(value)) }

    mutating func put(_ value: Bool) { bytes.append(value ? 1 : 0) }

    mutating func put(_ value: String) { put(Array(value.utf8)) }

    mutating func put(_ value: [UInt8]) {
        put(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    mutating func put(_ value: TimeSpan) { put(value.nanoseconds) }

    mutating func put(_ value: Instant) { put(value.nanoseconds) }

    mutating func put(_ value: some RawRepresentable<UInt8>) { bytes.append(value.rawValue) }

    mutating func put<Value: Recorded>(_ value: Value) { value.write(to: &self) }

    mutating func put<Value>(_ value: Value?, _ write: (inout RecordWriter, Value) -> Void) {
        put(value != nil)
        if let value { write(&self, value) }
    }

    mutating func put<Element>(_ list: [Element], _ write: (inout RecordWriter, Element) -> Void) {
        put(UInt64(list.count))
        for element in list { write(&self, element) }
    }
}

/// Takes apart what `RecordWriter` has put together. Nothing in the bytes can make it trap.
struct RecordReader {
    /// The bytes are not what was written.
    struct Fault: Error {}

    private var bytes: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func unsigned() throws(Fault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            guard shift < 63 || shift == 63 && byte <= 1 else { throw Fault() }
            value |= UInt64(byte & 0x7f) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw Fault()
    }

    mutating func number<Value: FixedWidthInteger & UnsignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(Fault) -> Value {
        guard let value = Value(exactly: try unsigned()) else { throw Fault() }
        return value
    }

    mutating func signed<Value: FixedWidthInteger & SignedInteger>(
        _ type: Value.Type = Value.self
    ) throws(Fault) -> Value {
        let raw = try unsigned()
        guard let value = Value(exactly: Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)) else {
            throw Fault()
        }
        return value
    }

    mutating func flag() throws(Fault) -> Bool {
        guard let byte = bytes.popFirst(), byte <= 1 else { throw Fault() }
        return byte == 1
    }

    mutating func data() throws(Fault) -> [UInt8] {
        guard let count = Int(exactly: try unsigned()), count <= bytes.count else { throw Fault() }
        defer { bytes = bytes.dropFirst(count) }
        return Array(bytes.prefix(count))
    }

    mutating func text() throws(Fault) -> String { String(decoding: try data(), as: UTF8.self) }

    mutating func span() throws(Fault) -> TimeSpan { TimeSpan(nanoseconds: try unsigned()) }

    mutating func instant() throws(Fault) -> Instant { Instant(nanoseconds: try unsigned()) }

    mutating func choice<Value: RawRepresentable<UInt8>>(_ type: Value.Type = Value.self) throws(Fault) -> Value {
        guard let byte = bytes.popFirst(), let value = Value(rawValue: byte) else { throw Fault() }
        return value
    }

    mutating func record<Value: Recorded>(_ type: Value.Type = Value.self) throws(Fault) -> Value {
        try Value(from: &self)
    }

    mutating func optional<Value>(_ read: (inout RecordReader) throws(Fault) -> Value) throws(Fault) -> Value? {
        try flag() ? try read(&self) : nil
    }

    mutating func list<Element>(_ read: (inout RecordReader) throws(Fault) -> Element) throws(Fault) -> [Element] {
        var list: [Element] = []
        // A count that is no count ends when the bytes do: every element has at least one.
        for _ in 0..<(try unsigned()) { list.append(try read(&self)) }
        return list
    }
}

/// Something with a form in the file.
protocol Recorded {
    func write(to writer: inout RecordWriter)
    init(from reader: inout RecordReader) throws(RecordReader.Fault)
}

extension Recorded {
    /// All of it in bytes.
    var recordBytes: [UInt8] {
        var writer = RecordWriter()
        write(to: &writer)
        return writer.bytes
    }
}
