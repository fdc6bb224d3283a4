internal import FoundationEssentials
internal import Glibc
package import ZeroMQ

/// The files that `cohort keygen` writes: FILE with both keys of a pair, for its owner alone, and FILE.pub with the public one.
///
/// A line is a name and a key in Z85: `public-key KEY`, `secret-key KEY`. Comments begin with `#`.
package enum KeyFile {
    private static let publicName = "public-key"
    private static let secretName = "secret-key"
    /// More than any such file has; a device or a log given by mistake is not read to its end.
    private static let bytesMax = 64 << 10

    package static func publicPath(of path: String) -> String { path + ".pub" }

    // MARK: Reading

    /// Both keys of a pair. A file that others may read or write is refused.
    package static func readPair(_ path: String) throws(KeyFileError) -> Curve.KeyPair {
        let (text, status) = try contents(of: path)
        let keys = try parse(text, file: path)
        guard let secretKey = keys[secretName] else {
            let whole = path.hasSuffix(".pub") ? path.dropLast(4) : "the file that 'cohort keygen' wrote beside it"
            let isHalf = keys[publicName] != nil
            let found = isHalf ? "it is the public half of a key alone" : "there is no secret-key in it"
            throw KeyFileError(path, nil, "\(found); give \(whole), which has both halves")
        }
        try checkOthers(path, status, mayNot: 0o077, "use it", mend: "600")
        let publicKey: String
        do {
            publicKey = try Curve.publicKey(of: secretKey.text)
        } catch {
            throw KeyFileError(path, secretKey.place, "the secret-key cannot be used: \(error.reason)")
        }
        if let told = keys[publicName], told.text != publicKey {
            throw KeyFileError(path, told.place, "the public-key is not that of the secret-key")
        }
        return Curve.KeyPair(publicKey: publicKey, secretKey: secretKey.text)
    }

    /// The key of a FILE.pub.
    package static func readPublic(_ path: String) throws(KeyFileError) -> String {
        let keys = try parse(try contents(of: path).text, file: path)
        if let secretKey = keys[secretName] {
            let advice = "give \(publicPath(of: path)), and this one to nobody"
            throw KeyFileError(path, secretKey.place, "there is a secret-key in it: \(advice)")
        }
        guard let publicKey = keys[publicName] else { throw KeyFileError(path, nil, "there is no public-key in it") }
        return publicKey.text
    }

    /// The keys in the text of a key file, by their names.
    package static func parse(_ text: String, file: String) throws(KeyFileError) -> [String: WordLines.Word] {
        var keys: [String: WordLines.Word] = [:]
        for words in WordLines(text) {
            guard [publicName, secretName].contains(words[0].text) else {
                throw KeyFileError(file, words[0].place, "expected public-key or secret-key, and then the key")
            }
            // The word itself is not told: it may be a secret with a slip in it.
            guard words.count == 2, Curve.isKey(words[1].text) else {
                let place = (words.count > 2 ? words[2] : words.last ?? words[0]).place
                let advice = "expected a key of \(Curve.keyLength) Z85 characters and nothing else"
                throw KeyFileError(file, place, "\(advice) after \(words[0].text)")
            }
            guard keys.updateValue(words[1], forKey: words[0].text) == nil else {
                throw KeyFileError(file, words[0].place, "there is a second \(words[0].text)")
            }
        }
        return keys
    }

    /// The text of a list of keys that are let in: who can write to it decides who comes in.
    package static func list(_ path: String, limit: Int) throws(KeyFileError) -> String {
        let (text, status) = try contents(of: path, limit: limit)
        try checkOthers(path, status, mayNot: 0o022, "change it, and let anybody in", mend: "go-w")
        return text
    }

    /// - Parameters:
    ///   - forbidden: permissions that nobody but the file's owner may have.
    ///   - deed: what others could do with them.
    ///   - mend: what chmod is to be given.
    private static func checkOthers(
        _ path: String,
        _ status: stat,
        mayNot forbidden: mode_t,
        _ deed: String,
        mend: String
    ) throws(KeyFileError) {
        guard status.st_mode & forbidden != 0 else { return }
        let mode = String(status.st_mode & 0o777, radix: 8)
        var who = ""
        if status.st_uid != geteuid() {
            let name = getpwuid(status.st_uid).map { String(cString: $0.pointee.pw_name) }
            who = ", as its owner \(name ?? "with the user id \(status.st_uid)")"
        }
        throw KeyFileError(path, nil, "others may \(deed) (its mode is \(mode)): run chmod \(mend) '\(path)'\(who)")
    }

    /// A small file of UTF-8: its text, and who may do what with it.
    private static func contents(
        of path: String,
        limit: Int = bytesMax
    ) throws(KeyFileError) -> (text: String, status: stat) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw KeyFileError(path, nil, "cannot open it: \(problem())") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw KeyFileError(path, nil, "cannot look at it: \(problem())") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw KeyFileError(path, nil, "it is not a file of text") }
        guard status.st_size <= limit else {
            throw KeyFileError(path, nil, "it has \(status.st_size) bytes, more than \(limit)")
        }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let more = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress! + count, $0.count - count)
            }
            if more < 0, errno == EINTR { continue }
            guard more >= 0 else { throw KeyFileError(path, nil, "cannot read it: \(problem())") }
            if more == 0 { break }
            count += more
        }
        guard count <= limit, let text = String(validating: bytes.prefix(count), as: UTF8.self) else {
            throw KeyFileError(path, nil, "it is not a small file of UTF-8 text")
        }
        return (text, status)
    }

    // MARK: Writing

    /// Makes a fresh pair and writes both files, each whole or not at all.
    ///
    /// - Parameter replacing: take the place of files that are there; else they are an error.
    package static func create(_ path: String, replacing: Bool) throws(KeyFileError) -> Curve.KeyPair {
        let publicPath = publicPath(of: path)
        if !replacing {
            for path in [path, publicPath] where access(path, F_OK) == 0 {
                throw KeyFileError(path, nil, "it is there already, and whoever uses it would be locked out: \(advice)")
            }
        }
        let pair = try freshPair(for: path)
        let secretText = """
            # A key of Cohort. Whoever can read this file can pass for its owner: it must stay with mode 0600.
            # The public half is in the file of the same name with .pub.
            \(publicName) \(pair.publicKey)
            \(secretName) \(pair.secretKey)

            """
        let publicText = """
            # The public half of a key of Cohort: may be given to anybody.
            \(publicName) \(pair.publicKey)

            """
        try write(secretText, to: path, mode: 0o600, replacing: replacing)
        do {
            try write(publicText, to: publicPath, mode: 0o644, replacing: replacing)
        } catch {
            if !replacing { unlink(path) }
            throw error
        }
        return pair
    }

    private static let advice = "give another name, or --force to replace it"

    /// A pair whose public key can be an argument and the first word of a line: it begins with a letter or a digit.
    private static func freshPair(for path: String) throws(KeyFileError) -> Curve.KeyPair {
        do {
            while true {
                let pair = try Curve.keyPair()
                if let first = pair.publicKey.first, first.isASCII, first.isLetter || first.isNumber { return pair }
            }
        } catch {
            throw KeyFileError(path, nil, "\(error)")
        }
    }

    /// Writes beside the place first, so that nobody ever finds half a key.
    private static func write(_ text: String, to path: String, mode: mode_t, replacing: Bool) throws(KeyFileError) {
        let draft = "\(path).\(getpid()).new"
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw KeyFileError(path, nil, "cannot write it: \(problem())") }
        defer { unlink(draft) }
        let bytes = Array(text.utf8)
        let isWritten =
            fchmod(descriptor, mode) == 0 && Glibc.write(descriptor, bytes, bytes.count) == bytes.count
            && fsync(descriptor) == 0
        let cause = problem()
        close(descriptor)
        guard isWritten else { throw KeyFileError(path, nil, "cannot write it: \(cause)") }
        // A link fails where a file is, a rename takes its place.
        guard (replacing ? rename(draft, path) : link(draft, path)) == 0 else {
            throw KeyFileError(
                path,
                nil,
                errno == EEXIST ? "it is there already: \(advice)" : "cannot write it: \(problem())"
            )
        }
    }

    private static func problem() -> String { String(cString: strerror(errno)).lowercased() }
}
