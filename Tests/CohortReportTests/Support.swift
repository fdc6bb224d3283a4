internal import Glibc
internal import Testing

@testable internal import CohortReport

/// A directory that is removed with all that is in it when the test lets go of it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/cohort-report-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit {
        remove(path)
    }

    private func remove(_ path: String) {
        if unlink(path) == 0 { return }
        for name in entries(of: path) { remove(path + "/" + name) }
        rmdir(path)
    }

    func entries(of directory: String? = nil) -> [String] {
        guard let stream = opendir(directory ?? path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}

/// What a file holds, as text; `nil` if it cannot be read.
func contents(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    return String(decoding: readToEnd(descriptor), as: UTF8.self)
}

/// Reads until the end of the file, or until all writers of a pipe are gone.
func readToEnd(_ descriptor: Int32) -> [UInt8] {
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return bytes }
        bytes.append(contentsOf: buffer[..<count])
    }
}

/// A file without a name that takes what is printed.
final class Sink {
    let descriptor: Int32

    init() throws {
        descriptor = open("/tmp", 0o20_000_000 | O_DIRECTORY | O_RDWR | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
    }

    deinit {
        close(descriptor)
    }

    var text: String {
        lseek(descriptor, 0, SEEK_SET)
        return String(decoding: readToEnd(descriptor), as: UTF8.self)
    }
}

/// A generator whose numbers depend on the seed alone.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension OrderedOutput {
    func taskOutput(_ number: Int, _ stream: TaskStream, _ text: String) throws(ReportError) {
        try taskOutput(number, stream, Array(text.utf8).span.bytes)
    }
}

extension OutputSpool {
    func append(_ stream: TaskStream, _ text: String) throws(ReportError) {
        try append(stream, Array(text.utf8).span.bytes)
    }

    /// Drains into one text; changes of the stream are marked by `<` for stdout and `>` for stderr.
    func drainedText() throws(ReportError) -> String {
        var last: TaskStream?
        var bytes: [UInt8] = []
        try drain { stream, piece throws(ReportError) in
            if stream != last { bytes.append(UInt8(ascii: stream == .stdout ? "<" : ">")) }
            last = stream
            piece.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
