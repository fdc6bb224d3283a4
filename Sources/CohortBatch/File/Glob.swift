internal import Glibc

/// File names that match a shell pattern.
enum Glob {
    /// Why a pattern gave no usable names, as the end of a sentence.
    struct Failure: Error {
        var message: String
    }

    /// The names that match `pattern`, seen from `directory` and sorted by their bytes, so that no locale changes the order.
    ///
    /// - Parameter directory: where a relative pattern starts; `nil` for the process's own directory.
    static func names(matching pattern: String, in directory: String?) throws(Failure) -> [String] {
        let isRelative = pattern.utf8.first != UInt8(ascii: "/")
        let prefix = isRelative ? directory.map { escaping($0) + "/" } ?? "" : ""
        let literalPrefix = isRelative ? directory.map { $0 + "/" } ?? "" : ""
        var found = glob_t()
        defer { globfree(&found) }
        switch glob(prefix + pattern, GLOB_NOSORT, nil, &found) {
        case 0: break
        case GLOB_NOMATCH: return []
        case GLOB_NOSPACE: throw Failure(message: "matches more files than fit in memory")
        default: throw Failure(message: "cannot be looked up: a directory cannot be read")
        }
        var names: [String] = []
        for index in 0..<Int(found.gl_pathc) {
            guard let path = found.gl_pathv[index] else { continue }
            guard let name = String(validatingCString: path) else {
                let shown = String(cString: path)
                throw Failure(message: "matches '\(shown)', whose name is not UTF-8: rename it, or use 'cohort map'")
            }
            // By bytes: a name may start with a mark that Swift counts as one character with the slash before it.
            names.append(String(decoding: name.utf8.dropFirst(literalPrefix.utf8.count), as: UTF8.self))
        }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    private static func escaping(_ path: String) -> String {
        var output = ""
        for character in path.unicodeScalars {
            if "*?[]\\".unicodeScalars.contains(character) { output += "\\" }
            output.unicodeScalars.append(character)
        }
        return output
    }
}
