/// A setting of a socket, with the type of its value.
///
/// Times are `Duration`s, cut to milliseconds upwards; where nil is a value, it means "no limit" or "off", as told with each.
public struct SocketOption<Value: Sendable>: Sendable {
    /// The name of the static member, for messages.
    public let name: String
    let number: Int32
    let coding: OptionCoding<Value>

    init(_ name: String, _ number: Int32, _ coding: OptionCoding<Value>) {
        self.name = name
        self.number = number
        self.coding = coding
    }
}

/// How a value of an option is laid out in memory for libzmq.
struct OptionCoding<Value: Sendable>: Sendable {
    /// Room that a value needs when it is read, in bytes.
    let capacity: Int
    /// What is accepted, for the message when `encode` gives nil.
    let expectation: String
    let encode: @Sendable (Value) -> [UInt8]?
    let decode: @Sendable ([UInt8]) -> Value
}

extension OptionCoding<Int> {
    /// A C `int`.
    static var integer: Self {
        OptionCoding(
            capacity: 4,
            expectation: "expected a number of 32 bits",
            encode: { Int32(exactly: $0).map(rawBytes) },
            decode: { Int(decoded($0, as: Int32.self)) }
        )
    }
}

extension OptionCoding<Int64> {
    /// An `int64_t`; libzmq refuses any other width for the options that have it.
    static var wideInteger: Self {
        OptionCoding(
            capacity: 8,
            expectation: "expected a number of 64 bits",
            encode: { rawBytes($0) },
            decode: { decoded($0, as: Int64.self) }
        )
    }
}

extension OptionCoding<Bool> {
    /// A C `int` of 0 or 1.
    static var flag: Self {
        OptionCoding(
            capacity: 4,
            expectation: "expected true or false",
            encode: { rawBytes($0 ? 1 : 0 as Int32) },
            decode: { decoded($0, as: Int32.self) != 0 }
        )
    }
}

extension OptionCoding<Duration> {
    /// A C `int` of milliseconds.
    static var milliseconds: Self {
        OptionCoding(
            capacity: 4,
            expectation: "expected a time from 0 to 24 days",
            encode: { $0.wholeMilliseconds.map(rawBytes) },
            decode: { .milliseconds(decoded($0, as: Int32.self)) }
        )
    }
}

extension OptionCoding<Duration?> {
    /// A C `int` of milliseconds, where -1 stands for nil.
    static var optionalMilliseconds: Self {
        OptionCoding(
            capacity: 4,
            expectation: "expected a time from 0 to 24 days, or nil",
            encode: { value in
                guard let value else { return rawBytes(-1 as Int32) }
                return value.wholeMilliseconds.map(rawBytes)
            },
            decode: { bytes in
                let milliseconds = decoded(bytes, as: Int32.self)
                return milliseconds < 0 ? nil : .milliseconds(milliseconds)
            }
        )
    }
}

extension OptionCoding<[UInt8]> {
    /// Up to 255 bytes.
    static var bytes: Self {
        OptionCoding(capacity: 255, expectation: "expected bytes", encode: { $0 }, decode: { $0 })
    }

    /// The name of a peer at a ROUTER; a first byte of zero marks those that the ROUTER makes up.
    static var routingID: Self {
        OptionCoding(
            capacity: 255,
            expectation: "expected 1 to 255 bytes, the first of them not zero",
            encode: { (1...255).contains($0.count) && $0[0] != 0 ? $0 : nil },
            decode: { $0 }
        )
    }
}

extension OptionCoding<String> {
    /// Text that C ends with a zero byte when it is read.
    static var text: Self {
        OptionCoding(
            capacity: 1024,
            expectation: "expected 1 to 255 bytes of text, none of them zero",
            encode: { (1...255).contains($0.utf8.count) && !$0.utf8.contains(0) ? Array($0.utf8) : nil },
            decode: { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        )
    }

    /// A key of 32 bytes, written in Z85.
    static var key: Self {
        OptionCoding(
            capacity: Curve.keyLength + 1,
            expectation: "expected a key of \(Curve.keyLength) Z85 characters",
            encode: { $0.utf8.count == Curve.keyLength ? Array($0.utf8) : nil },
            decode: { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        )
    }
}

private func rawBytes<I: FixedWidthInteger>(_ value: I) -> [UInt8] {
    unsafe withUnsafeBytes(of: value) { unsafe Array($0) }
}

private func decoded<I: FixedWidthInteger>(_ bytes: [UInt8], as type: I.Type) -> I {
    guard bytes.count >= MemoryLayout<I>.size else { return 0 }
    return unsafe bytes.withUnsafeBytes { unsafe $0.loadUnaligned(as: I.self) }
}
