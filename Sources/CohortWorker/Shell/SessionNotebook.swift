internal import CCohortProcess
internal import CohortCore
internal import CohortProcess
internal import Glibc

/// Which session a worker has, for whoever must speak for it when it has died.
struct SessionNote: Equatable {
    var endpoint: String
    var epoch: UInt64
    var session: UInt64
    var token: PeerToken
}

/// A pipe by which the worker keeps its guardian up to date about its session.
struct SessionNotebook {
    private static let variable = "COHORT_SESSION_FD"

    /// Only the guardian reads.
    private let reading: Int32
    let writing: Int32

    /// In the guardian.
    init() throws {
        var reading: Int32 = -1
        var writing: Int32 = -1
        guard cohort_pipe(&reading, &writing) == 0 else { throw SpawnError.system("open a pipe", errno) }
        // A guardian that never reads must not make the worker wait, however often that finds a new session.
        cohort_set_nonblocking(reading)
        cohort_set_nonblocking(writing)
        self.reading = reading
        self.writing = writing
    }

    private init(writing: Int32) {
        reading = -1
        self.writing = writing
    }

    /// In the worker: the guardian's notebook; `nil` if there is none.
    static func inherited() -> SessionNotebook? {
        guard let value = getenv(variable).flatMap({ Int32(String(cString: $0)) }) else { return nil }
        unsetenv(variable)
        _ = fcntl(value, F_SETFD, FD_CLOEXEC)
        return SessionNotebook(writing: value)
    }

    /// What the worker's process is to find in its environment.
    var variables: [(String, String)] { [(Self.variable, String(writing))] }

    func write(_ note: SessionNote) {
        let line = Array("\(note.epoch) \(note.session) \(note.token.value) \(note.endpoint)\n".utf8)
        _ = line.withUnsafeBytes { Glibc.write(writing, $0.baseAddress, $0.count) }
    }

    /// The last note, if any was written.
    var latest: SessionNote? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(reading, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer.prefix(count))
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let fields = lines.last?.split(separator: " ", maxSplits: 3), fields.count == 4,
            let epoch = UInt64(fields[0]), let session = UInt64(fields[1]), let token = UInt64(fields[2])
        else { return nil }
        return SessionNote(
            endpoint: String(fields[3]),
            epoch: epoch,
            session: session,
            token: PeerToken(token)
        )
    }
}
