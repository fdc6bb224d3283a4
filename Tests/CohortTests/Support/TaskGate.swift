internal import Cohort
internal import Glibc
internal import Testing

/// A pipe with a name, at which commands wait until a test lets them go on.
final class TaskGate: Sendable {
    private let path: String
    private let descriptor: Int32

    init() throws {
        path = "/tmp/cohort-test-gate-\(UInt64.random(in: 0 ... .max))"
        try #require(mkfifo(path, 0o600) == 0)
        // Held open in both directions: nobody waits for the other side to open it, or sees its end.
        descriptor = Glibc.open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        try #require(descriptor >= 0)
    }

    deinit {
        close(descriptor)
        unlink(path)
    }

    /// Waits for the gate, and prints a word.
    func command(_ word: String) -> Command { .shell("read line < \(path); echo \(word)") }

    /// Lets one command go on.
    func open() { _ = write(descriptor, "go\n", 3) }
}
