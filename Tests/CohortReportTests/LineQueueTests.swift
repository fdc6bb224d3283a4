internal import CohortReport
internal import Glibc
internal import TestSupport
internal import Testing

@Suite struct LineQueueTests {
    private let pipe: Pipe
    private let queue: LineQueue

    init() throws {
        let pipe = try Pipe()
        self.pipe = pipe
        queue = try LineQueue(to: pipe.writing, capacity: 100) { "\($0) are missing\n" }
    }

    /// Reads until the text ends so.
    private func read(until end: String) -> String {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        while !String(decoding: bytes, as: UTF8.self).hasSuffix(end) {
            let count = Glibc.read(pipe.reading, &buffer, buffer.count)
            guard count > 0 else { break }
            bytes += buffer.prefix(count)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func linesThatFindNoRoomAreCountedWhereTheyAreMissing() throws {
        // More than the pipe takes: the thread that writes it waits for a reader.
        let blocker = [UInt8](repeating: UInt8(ascii: "-"), count: 64 << 10)
        #expect(write(pipe.writing, blocker, blocker.count) == blocker.count)
        queue.write("first\n")
        // The thread takes that line when it likes: either it waits with it, or with all that finds room.
        for number in 0..<40 { queue.write("line \(number % 10)...\n") }
        let text = read(until: "missing\n").drop { $0 == "-" }
        let lines = text.split(separator: "\n")
        #expect(lines.first == "first")
        let told = lines.dropFirst().dropLast()
        #expect(!told.isEmpty && told.count < 40)
        #expect(told.enumerated().allSatisfy { $1 == "line \($0 % 10)..." }, "\(text)")
        #expect(lines.last == "\(40 - told.count) are missing")
        queue.write("next\n")
        #expect(read(until: "next\n") == "next\n")
        queue.finish(within: .seconds(60))
        for end in [pipe.reading, pipe.writing] { close(end) }
    }

    @Test func theEndWaitsForWhatIsThere() {
        queue.write("last\n")
        queue.finish(within: .seconds(60))
        #expect(read(until: "last\n") == "last\n")
        for end in [pipe.reading, pipe.writing] { close(end) }
    }

    @Test func theEndComesThoughNobodyReads() throws {
        let blocker = [UInt8](repeating: UInt8(ascii: "-"), count: 64 << 10)
        #expect(write(pipe.writing, blocker, blocker.count) == blocker.count)
        queue.write("never\n")
        let begin = ContinuousClock.now
        queue.finish(within: .milliseconds(50))
        #expect(begin.duration(to: .now) < .seconds(30))
        #expect(read(until: "never\n").hasSuffix("never\n"))
        queue.finish(within: .seconds(60))
        for end in [pipe.reading, pipe.writing] { close(end) }
    }
}
