internal import CohortCore
internal import Testing

@testable internal import CohortRuntime
@testable internal import ZeroMQ

@Suite("What hangs up on greetings")
struct HandshakeWatchTests {
    private typealias Kind = SocketMonitor.Event.Kind

    private var now = Instant(nanoseconds: 1_000_000_000)

    private func event(_ kind: Kind, _ value: UInt32 = 0) throws -> SocketMonitor.Event {
        let number = UInt16(kind.rawValue)
        let head = [UInt8(number & 0xff), UInt8(number >> 8)] + (0..<4).map { UInt8(value >> ($0 * 8) & 0xff) }
        return try #require(SocketMonitor.Event(frames: [head, Array("tcp://127.0.0.1:1".utf8)]))
    }

    /// Connections that are made, and end in mid-greeting so much later.
    private mutating func cutShort(_ watch: inout HandshakeWatch, times: Int, after span: TimeSpan) throws {
        for _ in 0..<times {
            watch.take(try event(.connected), at: now)
            now = now.advanced(by: span)
            watch.take(try event(.handshakeFailedNoDetail), at: now)
            watch.take(try event(.disconnected), at: now)
        }
    }

    @Test("who does so at once, time after time, has another key")
    mutating func wrongKey() throws {
        var watch = HandshakeWatch(key: "key")
        try cutShort(&watch, times: 4, after: .milliseconds(2))
        #expect(watch.refusal == nil)
        try cutShort(&watch, times: 1, after: .milliseconds(2))
        #expect(watch.refusal?.contains("--server-key is not its key") == true)
    }

    @Test("who takes long for it has no time")
    mutating func busy() throws {
        var watch = HandshakeWatch(key: "key")
        try cutShort(&watch, times: 20, after: .seconds(5))
        #expect(watch.refusal == nil)
        #expect(watch.trouble?.contains("too busy to answer") == true)
    }

    @Test("where a coordinator has taken the key before, something stands in its place while it is away")
    mutating func knownKey() throws {
        var watch = HandshakeWatch(key: "key")
        watch.take(try event(.connected), at: now)
        watch.take(try event(.handshakeSucceeded), at: now)
        try cutShort(&watch, times: 20, after: .milliseconds(2))
        #expect(watch.refusal == nil)
        #expect(watch.trouble?.contains("--server-key") == false)
        // On the next socket as well.
        var next = HandshakeWatch(key: "key", hasSpoken: watch.hasSpoken)
        try cutShort(&next, times: 20, after: .milliseconds(2))
        #expect(next.refusal == nil)
    }

    @Test("who says that the key is not known is believed, whoever was there before")
    mutating func unknownKey() throws {
        var watch = HandshakeWatch(key: "key", hasSpoken: true)
        watch.take(try event(.connected), at: now)
        watch.take(try event(.handshakeFailedAuth, 400), at: now)
        #expect(watch.refusal?.contains("does not know the key 'key'") == true)
    }
}
