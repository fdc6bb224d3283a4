internal import Glibc

/// Directories, by their paths.
package enum Directory {
    /// The names in a directory, in no order; empty if it cannot be read.
    package static func names(in path: String) -> [String] {
        guard let stream = opendir(path) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    /// Where directories for the sockets of one run belong, best first, with paths short enough for a socket below them.
    package static var socketParents: [String] {
        let candidates = [getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR")].compactMap { $0.map { String(cString: $0) } }
        return (candidates + ["/tmp"]).filter { $0.utf8.count < 64 && !$0.isEmpty }
    }

    /// How many characters `makeFresh` adds to its prefix.
    package static let randomCount = 6

    /// Makes a directory that only this user can enter, with a name of its own; returns its path, nil with errno.
    package static func makeFresh(in parent: String, prefix: String) -> String? {
        var template = Array("\(parent)/\(prefix)\(String(repeating: "X", count: randomCount))".utf8CString)
        guard mkdtemp(&template) != nil else { return nil }
        return String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}
