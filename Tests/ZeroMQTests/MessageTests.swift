internal import Synchronization
internal import Testing

@testable internal import ZeroMQ

@Suite("Messages", .timeLimit(.minutes(5)))
struct MessageTests {
    /// Memory that counts how often it is freed.
    private final class Memory: Sendable {
        nonisolated(unsafe) let bytes: UnsafeMutableRawBufferPointer
        private let released: AsyncStream<Void>.Continuation
        private let count: Counter

        init(size: Int, count: Counter, released: AsyncStream<Void>.Continuation) {
            bytes = .allocate(byteCount: size, alignment: 8)
            bytes.initializeMemory(as: UInt8.self, repeating: 0xab)
            self.count = count
            self.released = released
        }

        deinit {
            bytes.deallocate()
            count.value.add(1, ordering: .relaxed)
            released.yield()
        }
    }

    @Test("a message holds what it was made of", arguments: [0, 1, 29, 34, 4096, Message.zeroCopySize, 100_000])
    func contents(size: Int) throws {
        let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
        let copy = try Message(copying: bytes)
        let (count, isEmpty) = (copy.count, copy.isEmpty)
        #expect(count == size)
        #expect(isEmpty == (size == 0))
        #expect(copy.bytes() == bytes)
        let raw = try bytes.withUnsafeBytes { try Message(copying: $0).bytes() }
        #expect(raw == bytes)
        let shared = try Message(bytes)
        #expect(shared.withUnsafeBytes { $0.elementsEqual(bytes) })
        var empty = try Message(size: size)
        empty.withUnsafeMutableBytes { $0.copyBytes(from: bytes) }
        #expect(empty.bytes() == bytes)
        #expect(Message().bytes().isEmpty)
    }

    @Test("a size that cannot be is refused")
    func badSizes() {
        #expect(throws: ZeroMQError.self) { _ = try Message(size: -1) }
        let error = #expect(throws: ZeroMQError.self) { _ = try Message(size: .max - 1) }
        #expect(error?.code == .outOfMemory)
    }

    @Test("an array that was handed over big is shared, and what its owner changes later stays out of the message")
    func copyOnWrite() throws {
        var bytes = [UInt8](repeating: 1, count: Message.zeroCopySize)
        let address = bytes.withUnsafeBytes { Int(bitPattern: $0.baseAddress) }
        let message = try Message(bytes)
        #expect(message.withUnsafeBytes { Int(bitPattern: $0.baseAddress) } == address)
        bytes[0] = 2
        #expect(message.bytes().allSatisfy { $0 == 1 })
    }

    @Test("memory that a message borrows is released once, sent or not", arguments: [false, true])
    func releasedOnce(isSent: Bool) async throws {
        let shared = try SharedContext()
        let count = Counter()
        let (releases, continuation) = AsyncStream.makeStream(of: Void.self)
        let size = 3 << 20
        do {
            let memory = Memory(size: size, count: count, released: continuation)
            let message = try Message(bytes: UnsafeRawBufferPointer(memory.bytes), keeping: memory)
            if isSent {
                let directory = try TemporaryDirectory()
                let sender = try Socket(.push, in: shared.context)
                try sender.set(.reconnectInterval, to: .milliseconds(10))
                try sender.connect("ipc://\(directory.path)/s")
                try sender.send(message)
                // Nobody is there yet to whom it could have gone.
                #expect(count.value.load(ordering: .relaxed) == 0)
                let receiver = try Socket(.pull, in: shared.context)
                try receiver.bind("ipc://\(directory.path)/s")
                let frames = try receiver.next()
                #expect(frames.count == 1)
                #expect(frames[0] == [UInt8](repeating: 0xab, count: size))
            } else {
                let bytes = message.bytes()
                #expect(bytes.count == size)
            }
        }
        var iterator = releases.makeAsyncIterator()
        await iterator.next()
        #expect(count.value.load(ordering: .relaxed) == 1)
    }

    @Test("a message that could not be sent is still there, and one that was is not")
    func keptUnlessSent() throws {
        let shared = try SharedContext()
        let dealer = try Socket(.dealer, in: shared.context)
        var message = try Message(copying: [1, 2, 3])
        #expect(try dealer.trySend(&message) == .wouldBlock)
        #expect(message.bytes() == [1, 2, 3])
        let peer = try Socket(.dealer, in: shared.context)
        try peer.bind("inproc://kept")
        try dealer.connect("inproc://kept")
        #expect(try dealer.trySend(&message) == .sent)
        #expect(message.bytes().isEmpty)
        #expect(try peer.next() == [[1, 2, 3]])
        let error = #expect(throws: ZeroMQError.self) {
            let lonely = try Socket(.dealer, in: shared.context)
            try lonely.send(try Message(copying: [1]), flags: .dontWait)
        }
        #expect(error?.code == .wouldBlock)
    }
}
