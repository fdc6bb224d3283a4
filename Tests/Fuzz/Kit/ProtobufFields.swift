/// The fields of an encoded protobuf message, without knowing what they mean: enough to change one and leave the rest in order.
struct ProtobufFields {
    enum Value {
        case varint(UInt64)
        case fixed([UInt8])
        case bytes([UInt8])
    }

    struct Field {
        var number: UInt64
        var wireType: UInt64
        var value: Value
    }

    private static let oddNumbers: [UInt64] = [
        0, 1, 2, 63, 64, 127, 128, 1 << 20, (1 << 20) + 1, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 63, .max, .max - 1,
    ]

    var fields: [Field] = []

    /// Nil if the bytes are no message, as far as that can be told.
    init?(_ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let tag = Self.varint(&rest), tag >> 3 != 0 else { return nil }
            let value: Value
            switch tag & 7 {
            case 0:
                guard let number = Self.varint(&rest) else { return nil }
                value = .varint(number)
            case 1, 5:
                let length = tag & 7 == 1 ? 8 : 4
                guard rest.count >= length else { return nil }
                value = .fixed(Array(rest.prefix(length)))
                rest = rest.dropFirst(length)
            case 2:
                guard let length = Self.varint(&rest), length <= rest.count else { return nil }
                value = .bytes(Array(rest.prefix(Int(length))))
                rest = rest.dropFirst(Int(length))
            default: return nil
            }
            fields.append(Field(number: tag >> 3, wireType: tag & 7, value: value))
        }
    }

    var bytes: [UInt8] {
        var bytes: [UInt8] = []
        for field in fields {
            Self.append(field.number << 3 | field.wireType, to: &bytes)
            switch field.value {
            case .varint(let number): Self.append(number, to: &bytes)
            case .fixed(let value): bytes += value
            case .bytes(let value):
                Self.append(UInt64(value.count), to: &bytes)
                bytes += value
            }
        }
        return bytes
    }

    /// Changes one thing, at some depth.
    mutating func mutate(with other: ProtobufFields?, _ random: inout SplitMix64) {
        guard !fields.isEmpty else {
            if let field = other?.fields.first { fields.append(field) }
            return
        }
        let index = random.below(fields.count)
        switch random.below(7) {
        case 0: fields.remove(at: index)
        case 1: fields.insert(fields[index], at: random.below(fields.count + 1))
        case 2: fields.swapAt(index, random.below(fields.count))
        case 3:
            guard let other, !other.fields.isEmpty else { return }
            fields.insert(other.fields[random.below(other.fields.count)], at: index)
        case 4: fields[index].number = 1 + UInt64(random.below(64))
        default: mutate(&fields[index], with: other, &random)
        }
    }

    private func mutate(_ field: inout Field, with other: ProtobufFields?, _ random: inout SplitMix64) {
        switch field.value {
        case .varint(let number):
            let odd = Self.oddNumbers[random.below(Self.oddNumbers.count)]
            field.value = .varint(random.below(2) == 0 ? odd : number &+ UInt64(random.below(5)) &- 2)
        case .fixed(var value):
            value[random.below(value.count)] = random.byte()
            field.value = .fixed(value)
        case .bytes(var value):
            // Bytes that could be a message mostly are one; columns and text now and then too, which does no harm.
            if random.below(4) != 0, var inner = ProtobufFields(value), !inner.fields.isEmpty {
                inner.mutate(with: other, &random)
                value = inner.bytes
            } else if random.below(3) == 0 || value.isEmpty {
                Self.append(Self.oddNumbers[random.below(Self.oddNumbers.count)], to: &value)
            } else if random.below(2) == 0 {
                value.removeLast()
            } else {
                value[random.below(value.count)] = random.byte()
            }
            field.value = .bytes(value)
        }
    }

    private static func varint(_ rest: inout ArraySlice<UInt8>) -> UInt64? {
        var number: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 64, by: 7) {
            guard let byte = rest.popFirst() else { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var number = number
        while number >= 0x80 {
            bytes.append(UInt8(number & 0x7f) | 0x80)
            number >>= 7
        }
        bytes.append(UInt8(number))
    }
}
