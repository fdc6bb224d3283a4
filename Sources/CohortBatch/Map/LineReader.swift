internal import Glibc

/// The values in a file or pipe, read a block at a time as they are asked for.
///
/// Not `Sendable`: one thread reads. The descriptor is closed with the reader if the reader opened it.
final class LineReader {
    static let blockBytes = 64 * 1024
    /// The longest value; what is longer is no list of values.
    static let valueBytesMax = 16 * 1024 * 1024

    private let descriptor: Int32
    private let closesDescriptor: Bool
    /// How messages name the source.
    private let name: String
    private let separator: UInt8
    /// The bytes from `position` on are not yet given out.
    private var buffer: [UInt8] = []
    private var position = 0
    /// How far `buffer` is known to hold no separator.
    private var searched = 0
    private var isAtEnd = false
    private var valueCount = 0

    init(descriptor: Int32, name: String, separator: UInt8) {
        self.descriptor = descriptor
        self.name = name
        self.separator = separator
        closesDescriptor = false
    }

    init(path: [UInt8], separator: UInt8) throws(MapInputError) {
        let shown = String(decoding: path, as: UTF8.self)
        guard !path.isEmpty, !path.contains(0) else { throw MapInputError("'\(shown)' is no file name") }
        let terminated = path + [0]
        descriptor = terminated.withUnsafeBytes { bytes in
            open(bytes.bindMemory(to: CChar.self).baseAddress!, O_RDONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw MapInputError("cannot open '\(shown)': \(String(cString: strerror(errno)))")
        }
        name = "'\(shown)'"
        self.separator = separator
        closesDescriptor = true
    }

    deinit {
        if closesDescriptor { close(descriptor) }
    }

    /// The next value without its separator, `nil` at the end. The last one needs no separator.
    func next() throws(MapInputError) -> [UInt8]? {
        while true {
            if let end = nextSeparator() {
                let value = Array(buffer[position..<end])
                position = end + 1
                searched = position
                return try checked(value)
            }
            searched = buffer.count
            if isAtEnd {
                guard position < buffer.count else { return nil }
                let value = Array(buffer[position...])
                position = buffer.count
                return try checked(value)
            }
            guard buffer.count - position <= Self.valueBytesMax else {
                let limit = Self.valueBytesMax / 1024 / 1024
                throw MapInputError(
                    "value \(valueCount + 1) of \(name) is longer than \(limit) MiB: is the separator right?"
                )
            }
            try fill()
        }
    }

    /// What is held at the moment, given out or not.
    var bufferedBytes: Int { buffer.count }

    private func nextSeparator() -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard searched < bytes.count, let start = bytes.baseAddress,
                let found = memchr(start + searched, Int32(separator), bytes.count - searched)
            else { return nil }
            return UnsafeRawPointer(found) - start
        }
    }

    private func checked(_ value: [UInt8]) throws(MapInputError) -> [UInt8] {
        valueCount += 1
        if separator != 0, value.contains(0) {
            throw MapInputError(
                "line \(valueCount) of \(name) has a NUL byte, which no command can be given: use --null if NUL separates values"
            )
        }
        return value
    }

    private func fill() throws(MapInputError) {
        buffer.removeFirst(position)
        searched -= position
        position = 0
        switch DescriptorRead.block(of: Self.blockBytes, from: descriptor) {
        case .success(let bytes):
            isAtEnd = bytes.isEmpty
            buffer += bytes
        case .failure(let failure):
            throw MapInputError("cannot read \(name): \(String(cString: strerror(failure.number)))")
        }
    }
}
