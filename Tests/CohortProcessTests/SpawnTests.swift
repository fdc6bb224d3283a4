internal import Glibc
internal import Testing

@testable internal import CohortProcess

struct SpawnTests {
    /// Runs a shell line with its stdout in a pipe.
    private func output(
        _ line: String,
        _ change: (inout SpawnRequest) -> Void = { _ in }
    ) throws -> (String, CohortProcess.ExitStatus?) {
        let pipe = try openPipe()
        defer { close(pipe.reading) }
        var request = SpawnRequest(arguments: ["sh", "-c", line], standardOutput: pipe.writing)
        change(&request)
        let process: SpawnedProcess
        do {
            defer { close(pipe.writing) }
            process = try Spawn.spawn(request)
        }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while case let count = read(pipe.reading, &buffer, buffer.count), count > 0 {
            bytes += buffer[..<count]
        }
        var polled = pollfd(fd: process.pidfd, events: Int16(POLLIN), revents: 0)
        #expect(poll(&polled, 1, -1) == 1)
        close(process.pidfd)
        return (String(decoding: bytes, as: UTF8.self), Spawn.reap(process.pid))
    }

    @Test func `runs a program and gives its status`() throws {
        let (text, status) = try output("echo hello; exit 5")
        #expect(text == "hello\n")
        #expect(status == .exited(code: 5))
    }

    @Test func `passes descriptors under the numbers asked for, whatever theirs are`() throws {
        let first = try openPipe()
        let second = try openPipe()
        defer { [first.reading, first.writing, second.reading, second.writing].forEach { close($0) } }
        // Crossed over, and one of them under a number that none of them has.
        let free = [first, second].flatMap { [$0.reading, $0.writing] }.max()! + 1
        let line = "cd /proc/self/fd; echo a >\(second.writing); echo b >\(first.writing); echo c >\(free)"
        let (_, status) = try output(line) { request in
            request.passedDescriptors = [
                (from: first.writing, to: second.writing), (from: second.writing, to: first.writing),
                (from: first.writing, to: free),
            ]
        }
        #expect(status == .exited(code: 0))
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(read(first.reading, &buffer, 16) == 4)
        #expect(buffer.prefix(4).elementsEqual("a\nc\n".utf8))
        #expect(read(second.reading, &buffer, 16) == 2)
        #expect(buffer.prefix(2).elementsEqual("b\n".utf8))
    }

    @Test func `a process group or session of its own`() throws {
        let line = "cut -d' ' -f1,5,6 /proc/$$/stat"
        let (inherited, _) = try output(line)
        #expect(ProcFile.numbers(in: Array(inherited.utf8))[1...] == [getpgrp(), getsid(0)])
        let (group, _) = try output(line) { $0.newProcessGroup = true }
        let numbers = ProcFile.numbers(in: Array(group.utf8))
        #expect(numbers[1] == numbers[0])
        #expect(numbers[2] == getsid(0))
        let (session, _) = try output(line) { $0.newSession = true }
        #expect(Set(ProcFile.numbers(in: Array(session.utf8))).count == 1)
    }

    @Test func `the errors tell what failed`() throws {
        func error(_ request: SpawnRequest) -> SpawnError? {
            do throws(SpawnError) {
                _ = try Spawn.spawn(request)
                return nil
            } catch {
                return error
            }
        }
        #expect(error(SpawnRequest(arguments: ["no-such-program"]))?.code == .notFound)
        #expect(error(SpawnRequest(arguments: ["/no/such/program"]))?.errno == ENOENT)
        #expect(error(SpawnRequest(arguments: ["/etc/passwd"]))?.code == .notExecutable)
        #expect(error(SpawnRequest(arguments: ["true"], workingDirectory: "/etc/passwd"))?.code == .workingDirectory)
        #expect(error(SpawnRequest(arguments: ["true"], standardOutput: .max))?.code == .descriptor)
        #expect(error(SpawnRequest(arguments: [""]))?.code == .invalidRequest)
        let twice = SpawnRequest(arguments: ["true"], passedDescriptors: [(from: 0, to: 3), (from: 1, to: 3)])
        #expect(error(twice)?.description == "cannot run 'true': two descriptors would be passed as number 3")
        let reserved = SpawnRequest(arguments: ["true"], passedDescriptors: [(from: 0, to: 2)])
        #expect(error(reserved)?.description == "cannot run 'true': two descriptors would be passed as number 2")
    }

    @Test func `a relative program counts from the working directory`() throws {
        let (text, _) = try output("") { request in
            request.arguments = ["./sh", "-c", "echo $0"]
            request.workingDirectory = "/bin"
        }
        #expect(text == "./sh\n")
        let (found, _) = try output("") { request in
            request.arguments = ["sh", "-c", "pwd"]
            request.workingDirectory = "/"
            request.environment = ProcessEnvironment(["PATH": "bin"])
        }
        #expect(found == "/\n")
    }
}
