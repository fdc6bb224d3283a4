internal import GRDB
internal import Glibc

extension JournalError {
    /// What an error of the database means for a state file.
    init(_ error: any Error, path: String) {
        if let error = error as? JournalError {
            self = error
            return
        }
        guard let error = error as? DatabaseError else {
            self.init(.failed, path: path, "the state file \(path) cannot be used: \(error)")
            return
        }
        let reason = error.message ?? "\(error.resultCode)"
        switch error.resultCode {
        case .SQLITE_FULL:
            self.init(.full, path: path, "the disk with the state file \(path) is full; make room there")
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            self.init(
                .inUse,
                path: path,
                "the state file \(path) is in use by another coordinator; end that one, or name another file"
            )
        case .SQLITE_READONLY:
            self.init(
                .readOnly,
                path: path,
                "the state file \(path) can only be read; make it and its directory writable, or name another file"
            )
        case .SQLITE_NOTADB, .SQLITE_CORRUPT:
            self = .corrupt(path: path, reason)
        case .SQLITE_CANTOPEN, .SQLITE_PERM:
            self.init(
                .unavailable,
                path: path,
                "the state file \(path) cannot be opened (\(reason)); check its path and who may write there"
            )
        default:
            self.init(
                .failed,
                path: path,
                "the state file \(path) cannot be used: \(reason) (SQLite \(error.extendedResultCode.rawValue))"
            )
        }
    }

    static func corrupt(path: String, _ reason: String) -> JournalError {
        JournalError(
            .corrupt,
            path: path,
            """
            the state file \(path) is damaged or no state file (\(reason)); restore it from a copy, or move it away \
            together with \(path)-wal to begin anew
            """
        )
    }

    /// Looks at what SQLite would say less about: where the file is, and who may use it.
    static func check(path: String) throws(JournalError) {
        let directory = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var status = stat()
        guard stat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw JournalError(
                .unavailable,
                path: path,
                "the state file \(path) cannot be made: there is no directory \(directory); make that first"
            )
        }
        if stat(path, &status) == 0 {
            guard status.st_mode & S_IFMT == S_IFREG else {
                throw JournalError(.unavailable, path: path, "the state file \(path) is no file; name another one")
            }
            guard access(path, R_OK) == 0 else {
                throw JournalError(
                    .unavailable,
                    path: path,
                    "the state file \(path) may not be read by this user; start as its owner, or name another file"
                )
            }
            guard access(path, W_OK) == 0 else {
                throw JournalError(
                    .readOnly,
                    path: path,
                    "the state file \(path) can only be read; make it writable, or name another file"
                )
            }
        }
        if !hasSignature(path) {
            // SQLite itself takes a file of a few bytes for an empty one, and writes over it.
            throw .corrupt(path: path, "it is no database")
        }
        // Its log is made beside it with every start.
        guard access(directory, W_OK | X_OK) == 0 else {
            throw JournalError(
                errno == EROFS ? .readOnly : .unavailable,
                path: path,
                """
                the state file \(path) cannot be used: nothing can be written in \(directory) \
                (\(String(cString: strerror(errno)))); make it writable, or name another file
                """
            )
        }
    }

    /// Whether a file begins as SQLite's do, or is empty or not there.
    private static func hasSignature(_ path: String) -> Bool {
        let signature = Array("SQLite format 3\0".utf8)
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return true }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: signature.count)
        let count = read(descriptor, &bytes, bytes.count)
        return count == 0 || bytes == signature
    }
}
