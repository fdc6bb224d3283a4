internal import Glibc
internal import Testing

@testable internal import CohortProcess

/// The fixture, running, and the lines it prints.
final class Program {
    let pid: Int32
    private var lines: AsyncStream<String>.Iterator
    private var end: AsyncStream<CohortProcess.ExitStatus?>.Iterator

    init(_ arguments: [String], owner: Int32? = nil) throws {
        let pipe = try openPipe()
        var request = SpawnRequest(arguments: [try Program.path()] + arguments, standardOutput: pipe.writing)
        if let owner {
            request.passedDescriptors = [(from: owner, to: 9)]
            request.environment.set(Guardian.ownerVariable, to: "9")
        }
        defer { close(pipe.writing) }
        let process = try Spawn.spawn(request)
        close(process.pidfd)
        pid = process.pid
        let (lines, lineContinuation) = AsyncStream.makeStream(of: String.self)
        let (end, endContinuation) = AsyncStream.makeStream(of: CohortProcess.ExitStatus?.self)
        self.lines = lines.makeAsyncIterator()
        self.end = end.makeAsyncIterator()
        try startThread(named: "fixture-reader") {
            Program.read(pipe.reading) { lineContinuation.yield($0) }
            lineContinuation.finish()
            endContinuation.yield(Spawn.reap(process.pid))
        }
    }

    /// The pids of child and grandchild, once both are there.
    func family() async throws -> (child: Int32, grandchild: Int32) {
        var pids: [String: Int32] = [:]
        while pids.count < 2 {
            let line = try #require(await lines.next(isolation: nil))
            let words = line.split(separator: " ")
            try #require(words.count == 2)
            pids[String(words[0])] = Int32(words[1])
        }
        return (child: try #require(pids["child"]), grandchild: try #require(pids["grandchild"]))
    }

    /// The next line; nil after the last.
    func next() async -> String? { await lines.next(isolation: nil) }

    /// All further lines, to the end of the output: when every process that holds it is gone.
    func rest() async -> [String] {
        var rest: [String] = []
        while let line = await lines.next(isolation: nil) {
            rest.append(line)
        }
        return rest
    }

    func status() async -> CohortProcess.ExitStatus? {
        await end.next(isolation: nil) ?? nil
    }

    /// The fixture is built into the directory of the tests.
    private static func path() throws -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink("/proc/self/exe", bytes.bindMemory(to: CChar.self).baseAddress.unsafelyUnwrapped, bytes.count)
        }
        let executable = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let directory = executable.split(separator: "/").dropLast().joined(separator: "/")
        let path = "/\(directory)/ProcessFixture"
        try #require(access(path, X_OK) == 0, "the fixture is not at \(path)")
        return path
    }

    private static func read(_ descriptor: Int32, _ report: (String) -> Void) {
        defer { close(descriptor) }
        var pending: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = Glibc.read(descriptor, &buffer, buffer.count), count > 0 {
            pending += buffer[..<count]
            while let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                report(String(decoding: pending[..<end], as: UTF8.self))
                pending.removeSubrange(...end)
            }
        }
    }
}
