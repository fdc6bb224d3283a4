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
        // The thread takes what is there when it likes, and lines find room again.
        for number in 0..<40 { queue.write("line \(number)...\n") }
        var text = ""
        var expected = 0
        var missing = 0
        while expected < 40 {
            text += read(until: "\n").drop { $0 == "-" }
            (expected, missing) = (0, 0)
            let lines = text.split(separator: "\n")
            #expect(lines.first == "first")
            for line in lines.dropFirst() {
                if line.hasSuffix(" are missing"), let count = Int(line.prefix { $0.isNumber }) {
                    expected += count
                    missing += count
                } else {
                    #expect(line == "line \(expected)...", "\(text)")
                    expected += 1
                }
            }
        }
        #expect(expected == 40 && missing > 0, "\(text)")
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
