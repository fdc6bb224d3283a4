internal import Testing

@testable internal import CohortWorker

@Suite struct HostStructuresTests {
    private func call(_ sequence: UInt64) -> HostCall {
        HostCall(
            sequence: sequence,
            function: "f",
            settings: [],
            payload: [],
            scope: CallScope(taskName: "", groupName: "", attempt: 1),
            isExclusive: false,
            hold: .never,
            record: AttemptRecord.noEntry
        )
    }

    @Test func queueKeepsOrderAroundHoles() {
        var queue = CallQueue()
        queue.append((1...10).map(call))
        for sequence in [1, 2, 5, 10] as [UInt64] {
            let removed = (queue.remove(sequence), queue.remove(sequence))
            #expect(removed == (true, false))
        }
        let unknown = (queue.remove(0), queue.remove(11))
        #expect(unknown == (false, false))
        var order: [UInt64] = []
        while let next = queue.removeFirst() { order.append(next.sequence) }
        #expect(order == [3, 4, 6, 7, 8, 9])
        #expect(queue.isEmpty)
        queue.append([call(11)])
        #expect(queue.firstSequence == 11)
        let removed = queue.remove(11)
        #expect(removed && queue.isEmpty)
    }

    @Test func queueGoesOnForLong() {
        var queue = CallQueue()
        queue.append([call(1)])
        for sequence in 2...20_000 as ClosedRange<UInt64> {
            queue.append([call(sequence)])
            let first = queue.removeFirst()
            #expect(first?.sequence == sequence - 1)
        }
        #expect(queue.firstSequence == 20_000)
    }

    /// Frames of many sizes through a small buffer, in pieces that fit no frame.
    @Test func bufferYieldsWhatWasReceived() {
        var buffer = FrameBuffer(capacity: 64)
        let stream = (0..<5_000).map { UInt8(truncatingIfNeeded: $0) }
        let sizes = [1, 7, 63, 64, 65, 300, 1_500, 3_000]
        var sent = 0
        var taken = 0
        for size in sizes {
            while buffer.peek(size) == nil {
                buffer.reserve(size)
                let count = buffer.fill { space in
                    let count = min(space.count, 13, stream.count - sent)
                    space.copyBytes(from: stream[sent..<sent + count])
                    return count
                }
                sent += count
            }
            guard let frame = buffer.peek(size) else { return }
            #expect(Array(UnsafeRawBufferPointer(start: frame, count: size)) == Array(stream[taken..<taken + size]))
            buffer.consume(size)
            taken += size
        }
    }

    @Test func headersComeBackAsTheyWere() throws {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        defer { memory.deallocate() }
        var order = OrderHeader(bodyLength: 60, kind: .call, flags: [.hasTimeout], sequence: 7, timeout: .max)
        (order.deadline, order.task, order.fence, order.attempt) = (4, 5, 6, 3)
        (order.functionLength, order.taskLength, order.groupLength, order.settingsLength) = (10, 20, 25, 5)
        order.write(to: memory)
        let sameOrder = try #require(OrderHeader(memory))
        #expect(String(describing: sameOrder) == String(describing: order))
        var reply = ReplyHeader(bodyLength: 9, kind: .finished, status: .error, sequence: 8, elapsed: 1)
        (reply.outputEnd.standardOutput, reply.outputEnd.standardError, reply.userTime) = (2, 3, 4)
        reply.write(to: memory)
        let sameReply = try #require(ReplyHeader(memory))
        #expect(String(describing: sameReply) == String(describing: reply))
    }

    @Test func nonsenseIsNoHeader() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: 64, alignment: 8)
        defer { memory.deallocate() }
        // Names longer than the body, a body over the limit, kinds that do not exist.
        OrderHeader(bodyLength: 5, kind: .call, sequence: 1, functionLength: 3, taskLength: 3).write(to: memory)
        #expect(OrderHeader(memory) == nil)
        OrderHeader(bodyLength: 64 << 20 + 1, kind: .call, sequence: 1).write(to: memory)
        #expect(OrderHeader(memory) == nil)
        ReplyHeader(bodyLength: .max, kind: .finished).write(to: memory)
        #expect(ReplyHeader(memory) == nil)
        for kind in [0, 8, 255] as [UInt8] {
            memory.storeBytes(of: kind, toByteOffset: 4, as: UInt8.self)
            #expect(OrderHeader(memory) == nil)
            #expect(ReplyHeader(memory) == nil)
        }
    }

    @Test(arguments: [(nil, "half"), (0.5, ""), (1, "é")] as [(Double?, String)])
    func progressComesBackAsItWas(fraction: Double?, note: String) {
        let progress = ProgressNote(fraction: fraction, note: note)
        progress.encoded().withUnsafeBytes { #expect(ProgressNote(encoded: $0) == progress) }
        progress.encoded().prefix(7).withUnsafeBytes { #expect(ProgressNote(encoded: $0) == nil) }
    }

    @Test func progressKeepsItsBounds() {
        let fractions = [-1, .infinity, .nan].map { ProgressNote(fraction: $0, note: "").fraction }
        #expect(fractions == [0, 1, nil])
        let note = ProgressNote(fraction: nil, note: String(repeating: "é", count: 1_000)).note
        #expect(note.utf8.count <= 1_024 && note.hasSuffix("é…"))
    }

    @Test func outboxOfAPageWrapsAround() throws {
        let (page, descriptor) = try HostPage.make()
        let other = try #require(HostPage.open(descriptor))
        let text = Array("0123456789".utf8)
        let position = UInt64(HostPage.ringCapacity) * 3 - 4
        text.withUnsafeBytes { page.copyIn($0, at: position) }
        page.written = position + 10
        let first = other.chunk(from: position, to: other.written)
        let second = other.chunk(from: position + UInt64(first.count), to: other.written)
        #expect(Array(first) + Array(second) == text)
        #expect(first.count == 4)
    }
}
