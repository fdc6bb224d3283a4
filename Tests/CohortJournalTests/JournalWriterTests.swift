internal import CohortCore
internal import Testing

@testable internal import CohortJournal

@Suite("The journal's writer")
struct JournalWriterTests {
    private let fixture: JournalFixture
    private let notices: AsyncStream<JournalNotice>
    private let continuation: AsyncStream<JournalNotice>.Continuation

    init() throws {
        fixture = try JournalFixture()
        (notices, continuation) = AsyncStream.makeStream(of: JournalNotice.self)
    }

    private func entry(_ ticket: UInt64, bytes: Int = 0) -> JournalEntry {
        var batch = JournalBatch()
        batch.counters.nextGroup = ticket + 1
        batch.groups = [JournalFixture.group(ticket)]
        if bytes > 0 {
            batch.ends = [JournalFixture.end(ticket, 7, 0, value: [UInt8](repeating: 1, count: bytes))]
        }
        return JournalEntry(ticket: ticket, batch: batch)
    }

    private func writer(pages: Int? = nil, patience: Duration = .seconds(60)) throws -> (JournalStore, JournalWriter) {
        let store = try fixture.store(pages: pages)
        let writer = JournalWriter(store, patience: patience)
        let continuation = continuation
        writer.start { continuation.yield($0) }
        return (store, writer)
    }

    @Test("tells what is on disk, in order")
    func commits() async throws {
        let (store, writer) = try writer()
        for ticket: UInt64 in 1...50 { writer.append([entry(ticket)]) }
        var last: UInt64 = 0
        for await notice in notices {
            guard case .committed(let ticket) = notice else { continue }
            #expect(ticket > last)
            last = ticket
            if ticket == 50 { break }
        }
        #expect(try store.rows().groups.count == 50)
    }

    @Test("waits for room, tells nothing meanwhile, and leaves nothing out")
    func recovers() async throws {
        let (store, writer) = try writer(pages: 60)
        writer.append([entry(1, bytes: 100 << 10)])
        var iterator = notices.makeAsyncIterator()
        #expect(await iterator.next() == .committed(1))
        // There is room for one of them only.
        writer.append([entry(2, bytes: 100 << 10)])
        let notice = await iterator.next()
        guard case .stalled(let text)? = notice else {
            Issue.record("not stalled: \(String(describing: notice))")
            return
        }
        #expect(text.contains("full"))
        writer.append([entry(3)])
        try store.grow(to: 1_000)
        #expect(await iterator.next() == .recovered)
        // With the one before it, or after that one.
        let next = await iterator.next()
        if next == .committed(2) {
            #expect(await iterator.next() == .committed(3))
        } else {
            #expect(next == .committed(3))
        }
        #expect(try store.rows().groups.count == 3)
    }

    @Test("gives up in the end, and writes nothing after that")
    func fails() async throws {
        let (store, writer) = try writer(pages: 40, patience: .milliseconds(500))
        writer.append([entry(1, bytes: 1 << 20)])
        var iterator = notices.makeAsyncIterator()
        guard case .stalled? = await iterator.next(), case .failed(let text)? = await iterator.next() else {
            Issue.record("it did not fail")
            return
        }
        #expect(text.contains(fixture.path))
        writer.append([entry(2)])
        writer.finish()
        #expect(try store.rows().groups.isEmpty)
    }
}
