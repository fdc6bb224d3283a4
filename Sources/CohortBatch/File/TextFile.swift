internal import Glibc

/// Reads small files whole, with errors that say what to do.
enum TextFile {
    /// Why a file could not be read, as a sentence without the file's name.
    struct ReadError: Error, Equatable {
        var message: String
    }

    /// The largest file that is read.
    static let bytesMax = 64 * 1024 * 1024

    /// The text of a file, or of standard input for `-`, without a byte order mark.
    static func read(path: String) throws(ReadError) -> String {
        var bytes = try readBytes(path: path)
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) {
            bytes.removeFirst(3)
        }
        guard !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) else {
            throw ReadError(message: "it is not a text file: save it as UTF-8 text")
        }
        return text
    }

    private static func readBytes(path: String) throws(ReadError) -> [UInt8] {
        if path == "-" {
            return try readAll(STDIN_FILENO)
        }
        guard !path.isEmpty, !path.utf8.contains(0) else {
            throw ReadError(message: "this is no file name")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReadError(message: explanation(of: errno)) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw ReadError(message: explanation(of: errno)) }
        if status.st_mode & S_IFMT == S_IFDIR {
            throw ReadError(message: explanation(of: EISDIR))
        }
        if status.st_mode & S_IFMT == S_IFREG, status.st_size > bytesMax { throw tooLarge }
        return try readAll(descriptor)
    }

    private static func readAll(_ descriptor: Int32) throws(ReadError) -> [UInt8] {
        var bytes: [UInt8] = []
        let block = 256 * 1024
        while true {
            switch DescriptorRead.block(of: block, from: descriptor) {
            case .failure(let failure): throw ReadError(message: explanation(of: failure.number))
            case .success(let read):
                if read.isEmpty { return bytes }
                bytes += read
            }
            if bytes.count > bytesMax { throw tooLarge }
        }
    }

    private static var tooLarge: ReadError {
        ReadError(message: "it is larger than \(bytesMax / 1024 / 1024) MiB, the most that is read")
    }

    private static func explanation(of error: Int32) -> String {
        switch error {
        case ENOENT: "no such file"
        case EISDIR: "it is a directory, and a file is needed"
        case EACCES: "permission denied"
        default: "cannot read it: \(String(cString: strerror(error)))"
        }
    }
}

/// One read(2), repeated when a signal interrupts it.
enum DescriptorRead {
    /// An `errno`.
    struct Failure: Error {
        var number: Int32
    }

    /// Up to `count` bytes; none at the end.
    static func block(of count: Int, from descriptor: Int32) -> Result<[UInt8], Failure> {
        var failure: Failure?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            while true {
                let result = read(descriptor, buffer.baseAddress, count)
                if result >= 0 {
                    filled = result
                    return
                }
                if errno != EINTR {
                    failure = Failure(number: errno)
                    return
                }
            }
        }
        return failure.map { .failure($0) } ?? .success(bytes)
    }
}

/// File names, handled as text: nothing here looks at the file system but `current`.
enum FilePath {
    /// The directory of the calling process; `/` if it has been removed.
    static func current() -> String {
        guard let buffer = getcwd(nil, 0) else { return "/" }
        defer { free(buffer) }
        return String(cString: buffer)
    }

    /// `path` seen from `directory`, without `.` components and doubled slashes; `..` stays, as links give it its meaning.
    static func join(_ directory: String, _ path: String) -> String {
        let whole = path.utf8.first == UInt8(ascii: "/") ? path : directory + "/" + path
        var result = whole.utf8.first == UInt8(ascii: "/") ? "" : "."
        for part in whole.split(separator: "/") where part != "." {
            result += "/" + part
        }
        return result.isEmpty ? "/" : result
    }

    /// Everything before the last component, `.` if there is nothing.
    static func directory(of path: String) -> String {
        String(decoding: PathParts.directory(of: Array(path.utf8)[...]), as: UTF8.self)
    }

    /// The last component without its last extension.
    static func stem(of path: String) -> String {
        String(decoding: PathParts.withoutExtension(PathParts.base(of: Array(path.utf8)[...])), as: UTF8.self)
    }
}
