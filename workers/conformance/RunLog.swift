internal import Cohort
internal import Glibc

/// What the processes of one run have to tell, in a file to which all of them append: a line of JSON for each entry.
///
/// The lines carry the time of the system's monotonic clock, which all processes of one machine share.
struct RunLog: Sendable {
    private let descriptor: Int32

    /// Opens the file for as long as the process lives, which is as long as there may be something to write.
    init(path: String) throws(RunError) {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw RunError("cannot open \(path): \(String(cString: strerror(errno)))") }
    }

    /// An entry of the scenario's log.
    func write(_ entry: JSONValue) throws(RunError) {
        try append("log", entry)
    }

    /// The end of a group, with all its tasks.
    func write(_ document: OutcomeDocument) throws(RunError) {
        let tasks = document.tasks.map { [.string($0.name), $0.inLanguage] as JSONValue }
        try append("group", [.string(document.group), document.inLanguage, .array(tasks)])
    }

    /// One call of `write`: with `O_APPEND` lines of several processes do not mix.
    private func append(_ kind: String, _ value: JSONValue) throws(RunError) {
        let record: JSONValue = [.int(Self.now), .string(kind), value]
        let line = Array((record.text() + "\n").utf8)
        guard line.withUnsafeBytes({ Glibc.write(descriptor, $0.baseAddress, $0.count) }) == line.count else {
            throw RunError("cannot write the log of the run: \(String(cString: strerror(errno)))")
        }
    }

    func close() {
        _ = Glibc.close(descriptor)
    }

    /// Nanoseconds.
    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }
}

/// A run that could not be done as the scenario has it, through no fault of what is tested.
struct RunError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
