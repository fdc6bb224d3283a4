internal import CohortProcess
internal import Glibc

/// A directory for files that tests and the processes they start tell each other by; removed with this object.
final class TestDirectory: Sendable {
    let path: String

    init() {
        var template = Array("/tmp/cohort-test-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
    }

    deinit {
        for name in names { unlink(self.path(name)) }
        rmdir(path)
    }

    /// What is in it.
    var names: [String] { Directory.names(in: path) }

    func path(_ name: String) -> String { path + "/" + name }

    func make(_ name: String) { close(creat(path(name), 0o600)) }

    /// Waits until somebody has written the number of a process to that file.
    func pid(_ name: String) async throws -> Int32 {
        while true {
            if let file = fopen(path(name), "r") {
                defer { fclose(file) }
                var number: Int32 = 0
                if withUnsafeMutablePointer(to: &number, { withVaList([$0]) { vfscanf(file, "%d", $0) } }) == 1 {
                    return number
                }
            }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}

/// Waits until none of the processes is left, not even unreaped.
func end(of processes: [Int32]) async throws {
    while processes.contains(where: { kill($0, 0) == 0 }) { try await Task.sleep(for: .milliseconds(1)) }
}

/// Whether a process runs no more, be it reaped or not.
func hasEnded(_ process: Int32) -> Bool {
    guard let file = fopen("/proc/\(process)/stat", "r") else { return true }
    defer { fclose(file) }
    var line = [CChar](repeating: 0, count: 512)
    // `NUMBER (NAME) STATE …`, with a name of any characters; none if it goes at this moment.
    guard fgets(&line, Int32(line.count), file) != nil, let end = line.lastIndex(of: CChar(UInt8(ascii: ")"))) else {
        return true
    }
    return [UInt8(ascii: "Z"), UInt8(ascii: "X")].contains(UInt8(bitPattern: line[end + 2]))
}
