internal import CohortCore
internal import Testing

@testable internal import CohortJournal

@Suite("Records")
struct RecordTests {
    @Test("hold numbers of every size", arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64.max - 1, .max])
    func numbers(value: UInt64) throws {
        var writer = RecordWriter()
        writer.put(value)
        writer.put(Int64(bitPattern: value))
        var reader = RecordReader(writer.bytes)
        #expect(try reader.unsigned() == value)
        #expect(try reader.signed(Int64.self) == Int64(bitPattern: value))
        #expect(reader.isAtEnd)
    }

    /// Every beginning of a record and every changed byte is an error or another record, never a trap.
    @Test("are harmless when they are damaged")
    func damage() {
        let batch = JournalFixture.fullBatch()
        let groups = batch.groups[0].recordBytes
        let task = batch.tasks[0].recordBytes
        for length in groups.indices {
            var reader = RecordReader(Array(groups.prefix(length)))
            #expect(throws: RecordReader.Fault.self) { try reader.record(JournalGroup.self) }
        }
        for place in task.indices {
            for value: UInt8 in [0, 1, 0x7f, 0x80, 0xff] {
                var bytes = task
                bytes[place] = value
                var reader = RecordReader(bytes)
                _ = try? reader.record(JournalTask.self)
            }
        }
    }
}
