internal import CohortReport
internal import Dispatch
internal import Glibc
internal import TestSupport
internal import Testing

@Suite struct OrderedOutputTests {
    let stdout: Sink
    let stderr: Sink

    init() throws {
        stdout = try Sink()
        stderr = try Sink()
    }

    private func output(_ mode: OrderedOutput.Mode, tags: Bool = false, memory: Int = 64 << 10) -> OrderedOutput {
        OrderedOutput(
            mode: mode,
            tag: tags ? { "t\($0)" } : nil,
            stdout: stdout.descriptor,
            stderr: stderr.descriptor,
            store: SpoolStore(memoryPerTask: memory)
        )
    }

    @Test func groupsByTaskInTheOrderOfEnding() throws {
        let output = output(.grouped)
        try output.taskOutput(1, .stdout, "1a\n")
        try output.taskOutput(2, .stdout, "2a\n")
        try output.taskOutput(1, .stderr, "1e\n")
        try output.taskOutput(1, .stdout, "1b")
        #expect(stdout.text == "")
        try output.taskEnded(2)
        #expect(stdout.text == "2a\n")
        try output.taskEnded(3)
        try output.taskEnded(1)
        #expect(stdout.text == "2a\n1a\n1b")
        #expect(stderr.text == "1e\n")
        #expect(!output.isAtLineStart)
    }

    @Test func keepsTheOrderOfNumbersAndStreamsTheHead() throws {
        let output = output(.keepOrder)
        try output.taskOutput(2, .stdout, "2a ")
        try output.taskOutput(1, .stdout, "1a ")
        #expect(stdout.text == "1a ")
        try output.taskOutput(3, .stdout, "3a ")
        try output.taskEnded(3)
        #expect(stdout.text == "1a ")
        try output.taskEnded(1)
        #expect(stdout.text == "1a 2a ")
        try output.taskOutput(2, .stdout, "2b ")
        #expect(stdout.text == "1a 2a 2b ")
        try output.taskOutput(5, .stdout, "5a ")
        try output.taskEnded(4)
        try output.taskEnded(2)
        #expect(stdout.text == "1a 2a 2b 3a 5a ")
        try output.taskEnded(5)
        try output.taskOutput(7, .stdout, "7a ")
        try output.taskOutput(9, .stdout, "9a ")
        try output.taskEnded(9)
        try output.taskOutput(1, .stdout, "late ")
        try output.finish()
        #expect(stdout.text == "1a 2a 2b 3a 5a late 7a 9a ")
    }

    @Test func tagsEveryLineOnceHoweverItIsCut() throws {
        let output = output(.keepOrder, tags: true)
        for piece in ["a", "b\nc", "\n", "\nd"] { try output.taskOutput(1, .stdout, piece) }
        try output.taskOutput(1, .stderr, "e")
        try output.taskOutput(1, .stderr, "f")
        try output.taskOutput(2, .stdout, "g\n")
        try output.taskEnded(1)
        try output.taskEnded(2)
        #expect(stdout.text == "t1\tab\nt1\tc\nt1\t\nt1\td\nt2\tg\n")
        #expect(stderr.text == "t1\tef\n")
        #expect(output.isAtLineStart)
    }

    @Test func tagsGroups() throws {
        let output = output(.grouped, tags: true)
        try output.taskOutput(1, .stdout, "a\nb")
        try output.taskOutput(2, .stdout, "c")
        try output.taskEnded(2)
        try output.taskEnded(1)
        #expect(stdout.text == "t2\tc\nt1\ta\nt1\tb\n")
    }

    @Test func mixesWholeLinesOnly() throws {
        let output = output(.lineBuffered)
        try output.taskOutput(1, .stdout, "1a")
        try output.taskOutput(2, .stdout, "2a\n2b")
        try output.taskOutput(1, .stderr, "1e")
        #expect(stdout.text == "2a\n")
        try output.taskOutput(1, .stdout, "1b\n1c\n1d")
        #expect(stdout.text == "2a\n1a1b\n1c\n")
        try output.taskEnded(2)
        #expect(stdout.text == "2a\n1a1b\n1c\n2b\n")
        try output.finish()
        #expect(stdout.text == "2a\n1a1b\n1c\n2b\n1d\n")
        #expect(stderr.text == "1e\n")
    }

    @Test func takesChargeOfEveryByte() throws {
        let output = output(.keepOrder, memory: 10)
        let chunk = [UInt8](repeating: 0x61, count: 100_000)
        #expect(try output.taskOutput(1, .stdout, chunk.span.bytes) == 100_000)
        #expect(try output.taskOutput(2, .stdout, chunk.span.bytes) == 100_000)
        try output.taskEnded(1)
        try output.taskEnded(2)
        #expect(stdout.text.utf8.count == 200_000)
    }

    @Test func tellsBeforeItPrints() throws {
        var calls = 0
        let output = OrderedOutput(
            mode: .keepOrder,
            stdout: stdout.descriptor,
            stderr: stderr.descriptor,
            store: SpoolStore(),
            onWrite: { calls += 1 }
        )
        try output.taskOutput(2, .stdout, "x")
        #expect(calls == 0)
        try output.taskOutput(1, .stdout, "x")
        #expect(calls == 1)
        try output.taskEnded(1)
        #expect(calls == 2)
    }

    @Test(arguments: 1...10 as ClosedRange<UInt64>)
    func printsEveryByteInOrderWhateverTheInterleaving(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let output = output(.keepOrder, memory: Int.random(in: 0...2_000, using: &generator))
        var written = [String](repeating: "", count: 50)
        var open = Array(1...50)
        while !open.isEmpty {
            let place = Int.random(in: 0..<open.count, using: &generator)
            let number = open[place]
            if Int.random(in: 0..<8, using: &generator) == 0 {
                try output.taskEnded(number)
                open.remove(at: place)
            } else {
                let text = "\(number):" + String(repeating: "x", count: Int.random(in: 0...900, using: &generator))
                try output.taskOutput(number, .stdout, text)
                written[number - 1] += text
            }
        }
        try output.finish()
        #expect(stdout.text == written.joined())
    }

    @Test func aReaderThatHasGoneIsATypedError() throws {
        // Of a pipe, a process that another test starts at this moment might hold the reading end for a while; what is shut
        // down is shut down for all who have it.
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        try #require(socketpair(AF_UNIX, type, 0, &ends) == 0)
        defer { ends.forEach { close($0) } }
        try #require(shutdown(ends[0], Int32(SHUT_RD)) == 0)
        let output = OrderedOutput(mode: .grouped, stdout: ends[1], stderr: stderr.descriptor, store: SpoolStore())
        try output.taskOutput(1, .stdout, "x")
        let error = #expect(throws: ReportError.self) { try withoutSIGPIPE { try output.taskEnded(1) } }
        #expect(error == .outputClosed(.stdout))
        #expect(error?.description == "the reader of standard output has gone")
    }

    @Test func aFullDiskIsATypedError() throws {
        let full = open("/dev/full", O_WRONLY)
        defer { close(full) }
        let output = OrderedOutput(mode: .keepOrder, stdout: full, stderr: full, store: SpoolStore())
        let error = #expect(throws: ReportError.self) { try output.taskOutput(1, .stderr, "x") }
        #expect(error?.description == "cannot write to standard error: No space left on device")
    }

    @Test func waitsForASlowReaderOfANonblockingPipe() throws {
        let ends = try Pipe()
        let (reader, writer) = (ends.reading, ends.writing)
        defer { close(reader) }
        try #require(fcntl(writer, F_SETFL, O_NONBLOCK) == 0)
        let received = ReadResult()
        DispatchQueue.global().async(group: received.group) { received.bytes = readToEnd(reader) }
        let output = OrderedOutput(mode: .keepOrder, stdout: writer, stderr: writer, store: SpoolStore())
        let chunk = (0..<1_000_003).map { UInt8(truncatingIfNeeded: $0) }
        try output.taskOutput(1, .stdout, chunk.span.bytes)
        try output.taskOutput(1, .stderr, chunk.span.bytes)
        close(writer)
        #expect(received.group.wait(timeout: .now() + 60) == .success)
        #expect(received.bytes == chunk + chunk)
    }

    /// Read after the group has been waited for.
    private final class ReadResult: @unchecked Sendable {
        let group = DispatchGroup()
        var bytes: [UInt8] = []
    }
}
