package import Cohort
internal import Glibc

/// A directory of results (`--results DIR`), laid out as GNU parallel does it: a directory for each task with the files
/// `stdout`, `stderr`, `seq` and `exitval`; beside them `outcome.json` for the group as a whole.
///
/// Nothing is kept open between two writes, so that any number of tasks may run at once.
package final class ResultsDirectory {
    /// Where the files of one task are.
    package struct Slot: Sendable, Equatable {
        /// Path of the task's directory.
        package let path: String
    }

    private let path: String
    /// Hashes of the paths taken in this run. Two paths with one hash cost the second a suffix, no more.
    private var taken: Set<Int> = []

    /// Creates the directory and those above it where they are missing.
    ///
    /// - Parameter replaces: it need not be empty: what has the name of something that is written is replaced, and all else
    ///   stays.
    package init(path: String, replaces: Bool) throws(ReportError) {
        self.path = path
        try Self.createDirectories(path)
        if !replaces, let name = Self.firstName(in: path) { throw ReportError.notEmpty(path: path, name: name) }
    }

    /// The first thing in a directory by name, hidden ones aside; `nil` if there is none.
    private static func firstName(in path: String) -> String? {
        guard let stream = opendir(path) else { return nil }
        defer { closedir(stream) }
        var first: String?
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix("."), first.map({ name < $0 }) ?? true { first = name }
        }
        return first
    }

    /// Creates a task's directory and its files, empty. What an earlier run has left in them is gone.
    ///
    /// - Parameters:
    ///   - sequence: Number of the task, from 1.
    ///   - name: Names of the directories below each other, such as group and task, or input source and argument. Each
    ///     is made safe; a name that another task of this run has gets the number as suffix.
    package func begin(sequence: Int, name: [String]) throws(ReportError) -> Slot {
        let components = name.isEmpty ? ["\(sequence)"] : name.map(SafeName.component)
        var directory = components.reduce(path) { $0 + "/" + $1 }
        if !taken.insert(directory.hashValue).inserted { directory += SafeName.suffix("\(sequence)") }
        try Self.createDirectories(directory)
        let slot = Slot(path: directory)
        try restart(slot)
        try write("\(sequence)", to: slot, "seq")
        return slot
    }

    /// Empties the files for another attempt at the task.
    package func restart(_ slot: Slot) throws(ReportError) {
        try write("", to: slot, "stdout")
        try write("", to: slot, "stderr")
    }

    package func append(_ stream: TaskStream, _ bytes: RawSpan, to slot: Slot) throws(ReportError) {
        let name = stream == .stdout ? "stdout" : "stderr"
        try FileIO.write(bytes, toFile: slot.path + "/" + name, O_CREAT | O_APPEND)
    }

    /// - Parameter exitValue: As in the log of tasks: `-1` for a task that was stopped or lost.
    package func end(_ slot: Slot, exitValue: Int) throws(ReportError) {
        try write("\(exitValue)", to: slot, "exitval")
    }

    /// Writes `outcome.json`: whole, or not at all.
    package func write(_ document: OutcomeDocument) throws(ReportError) {
        let file = path + "/outcome.json"
        let draft = file + ".\(getpid())"
        let text = Array((document.jsonText(.indented) + "\n").utf8)
        do throws(ReportError) {
            try FileIO.write(text.span.bytes, toFile: draft, O_CREAT | O_TRUNC)
        } catch {
            unlink(draft)
            throw error
        }
        guard rename(draft, file) == 0 else {
            let failure = errno
            unlink(draft)
            throw ReportError.file(path: file, action: "write to", errno: failure)
        }
    }

    private func write(_ text: String, to slot: Slot, _ name: String) throws(ReportError) {
        try FileIO.write(Array(text.utf8).span.bytes, toFile: slot.path + "/" + name, O_CREAT | O_TRUNC)
    }

    private static func createDirectories(_ path: String) throws(ReportError) {
        var failure = createDirectory(path)
        if failure == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try createDirectories(String(path[..<slash]))
            failure = createDirectory(path)
        }
        if failure != 0 { throw ReportError.file(path: path, action: "create the directory", errno: failure) }
    }

    /// - Returns: 0 if the directory is there now, or an `errno`.
    private static func createDirectory(_ path: String) -> Int32 {
        if mkdir(path, 0o777) == 0 { return 0 }
        let failure = errno
        guard failure == EEXIST else { return failure }
        var status = stat()
        guard stat(path, &status) == 0 else { return errno }
        return status.st_mode & S_IFMT == S_IFDIR ? 0 : ENOTDIR
    }
}

/// Names of files from text that anybody may have written.
package enum SafeName {
    /// Most file systems take 255 bytes; this leaves room for a suffix.
    private static let maximumLength = 200

    /// One component of a path: never empty, `.` or `..`, without `/` and control characters, and not too long.
    ///
    /// Distinct texts have distinct names. As in GNU parallel, `/` becomes `\_` and `\` becomes `\\`.
    package static func component(_ text: String) -> String {
        var name = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "/": name += "\\_"
            case "\\": name += "\\\\"
            case "\u{0}"..<" ", "\u{7f}"..<"\u{a0}": name += "\\x" + String(scalar.value, radix: 16) + ";"
            default: name.unicodeScalars.append(scalar)
            }
        }
        switch name {
        case "": name = "\\e"
        case ".", "..": name = "\\" + name
        default: break
        }
        guard name.utf8.count > maximumLength else { return name }
        var start = ""
        for character in name {
            guard start.utf8.count + String(character).utf8.count <= maximumLength else { break }
            start.append(character)
        }
        return start + suffix(String(hash(name), radix: 16))
    }

    /// An ending that no safe name has by itself.
    static func suffix(_ text: String) -> String { "\\~" + text }

    /// FNV-1a, as it must be the same in every run.
    private static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
