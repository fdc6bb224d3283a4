internal import Testing

@testable internal import CohortCore

/// How what is told to a client is split into messages.
@Suite struct ClientOutboxTests {
    @Test func namesAloneAreTold() {
        var outbox = ClientOutbox()
        outbox.add(name(0, "t"))
        #expect(!outbox.isEmpty && outbox.count == 1)
        #expect(outbox.takeAll().map(\.names) == [[name(0, "t")]])
    }

    @Test func manyNamesMakeSeveralMessages() {
        var outbox = ClientOutbox()
        for index: UInt32 in 0..<70_000 { outbox.add(name(index, "t")) }
        #expect(outbox.takeAll().map(\.names.count) == [ClientOutbox.messageRows, 70_000 - ClientOutbox.messageRows])
    }

    @Test func longNamesMakeSeveralMessages() {
        var outbox = ClientOutbox()
        let long = String(repeating: "t", count: ClientOutbox.messageBytes / 2)
        for index: UInt32 in 0..<3 { outbox.add(name(index, long)) }
        #expect(outbox.takeAll().map(\.names.count) == [2, 1])
    }

    private func name(_ index: UInt32, _ name: String) -> TaskName {
        TaskName(group: GroupID(1), index: index, name: name)
    }
}
