internal import Glibc
internal import Testing

@testable internal import CohortProcess

@Suite struct NoticeTests {
    @Test func `a line that nobody has room for is dropped, and the next one is said`() throws {
        let pipe = try openPipe()
        defer { for end in [pipe.reading, pipe.writing] { close(end) } }
        var buffer = [UInt8](repeating: UInt8(ascii: "-"), count: 1 << 20)
        let size = Int(fcntl(pipe.writing, 1_032, 0))
        try #require(size > 0 && write(pipe.writing, buffer, size) == size)
        Notice.say("dropped", to: pipe.writing)
        #expect(read(pipe.reading, &buffer, buffer.count) == size)
        Notice.say("said", to: pipe.writing)
        let count = read(pipe.reading, &buffer, buffer.count)
        #expect(String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self) == "said\n")
    }
}
