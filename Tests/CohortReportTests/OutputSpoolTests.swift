internal import CohortReport
internal import Glibc
internal import Testing

@Suite struct OutputSpoolTests {
    @Test func keepsTheOrderOfBothStreams() throws {
        let spool = OutputSpool(store: SpoolStore())
        try spool.append(.stdout, "a")
        try spool.append(.stdout, "b")
        try spool.append(.stderr, "")
        try spool.append(.stderr, "E")
        try spool.append(.stdout, "c")
        #expect(spool.count == 4)
        #expect(try spool.drainedText() == "<ab>E<c")
        #expect(spool.isEmpty)
        #expect(try spool.drainedText().isEmpty)
        try spool.append(.stderr, "again")
        #expect(try spool.drainedText() == ">again")
    }

    @Test(arguments: [0, 1, 20, 1_000, 200_000, 10_000_000], [UInt64(1), 2, 3])
    func isTheSameAtEveryLimitOfMemory(memory: Int, seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let store = SpoolStore(memoryPerTask: memory)
        let spool = OutputSpool(store: store)
        var expected = ""
        var tails: [TaskStream: [UInt8]] = [.stdout: [], .stderr: []]
        var last: TaskStream?
        for round in 0..<200 {
            let stream = Bool.random(using: &generator) ? TaskStream.stdout : .stderr
            let length = Int.random(in: 0...(round % 20 == 0 ? 150_000 : 50), using: &generator)
            let text = String(repeating: String(round % 10), count: length)
            try spool.append(stream, text)
            if length > 0, stream != last {
                expected += stream == .stdout ? "<" : ">"
                last = stream
            }
            expected += text
            tails[stream]! += Array(text.utf8)
        }
        for stream in TaskStream.allCases {
            #expect(try spool.tail(stream, 100) == tails[stream]!.suffix(100))
            #expect(try spool.tail(stream, 0) == [])
        }
        #expect(try spool.drainedText() == expected)
        #expect(store.memoryInUse == 0)
        #expect(store.fileBytesInUse == 0)
    }

    @Test func sharesTheBudgetAndGivesItBack() throws {
        let store = SpoolStore(memoryPerTask: 600, memory: 1_000)
        var spools = (0..<100).map { _ in OutputSpool(store: store) }
        for spool in spools { try spool.append(.stdout, String(repeating: "x", count: 500)) }
        #expect((1...1_000).contains(store.memoryInUse))
        #expect(store.fileBytesInUse > 0)
        spools.removeAll()
        #expect(store.memoryInUse == 0)
        #expect(store.fileBytesInUse == 0)
    }

    @Test func manyTasksCostOneDescriptorAndNoName() throws {
        let directory = try TemporaryDirectory()
        let store = SpoolStore(directory: directory.path, memory: 0)
        let spools = (0..<5_000).map { _ in OutputSpool(store: store) }
        for (number, spool) in spools.enumerated() { try spool.append(.stdout, "task \(number)") }
        #expect(directory.entries().isEmpty)
        for (number, spool) in spools.enumerated() { #expect(try spool.drainedText() == "<task \(number)") }
    }

    @Test func gigabytesCostNoMemory() throws {
        let store = SpoolStore()
        let spool = OutputSpool(store: store)
        let chunk = [UInt8](repeating: 0x61, count: 64 << 10)
        let before = residentBytes()
        for _ in 0..<(256 << 20) / chunk.count { try spool.append(.stdout, chunk.span.bytes) }
        #expect(spool.count == 256 << 20)
        #expect(store.memoryInUse == 0)
        var drained = 0
        try spool.drain { _, bytes in drained += bytes.byteCount }
        #expect(drained == 256 << 20)
        // Other tests run in this process at the same time, and take memory too: half of what was spooled, hence, not nothing.
        #expect(residentBytes() - before < 128 << 20)
    }

    private func residentBytes() -> Int {
        let fields = contents(of: "/proc/self/statm")?.split(separator: " ") ?? []
        return (fields.count > 1 ? Int(fields[1]) ?? 0 : 0) * 4_096
    }

    @Test func errorsNameTheDirectoryAndLoseNothing() throws {
        let directory = try TemporaryDirectory()
        let path = directory.path + "/later"
        let spool = OutputSpool(store: SpoolStore(directory: path, memoryPerTask: 40))
        try spool.append(.stdout, "kept")
        let text = String(repeating: "x", count: 100)
        let error = #expect(throws: ReportError.self) { try spool.append(.stdout, text) }
        #expect(error == .spool(directory: path, action: "keep", errno: ENOENT))
        #expect(
            ReportError.spool(directory: "/tmp", action: "keep", errno: ENOSPC).description
                == "cannot keep the output of tasks in /tmp: No space left on device; "
                + "set TMPDIR to a directory with room"
        )
        mkdir(path, 0o700)
        try spool.append(.stdout, text)
        #expect(try spool.drainedText() == "<kept" + text)
    }

    @Test func aDrainThatFailsKeepsAll() throws {
        let spool = OutputSpool(store: SpoolStore())
        try spool.append(.stdout, "a")
        try spool.append(.stderr, "b")
        #expect(throws: ReportError.outputClosed(.stderr)) {
            try spool.drain { stream, _ throws(ReportError) in
                if stream == .stderr { throw ReportError.outputClosed(stream) }
            }
        }
        #expect(try spool.drainedText() == "<a>b")
    }
}
