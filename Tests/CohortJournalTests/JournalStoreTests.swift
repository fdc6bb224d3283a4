internal import CohortCore
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import Testing

@testable internal import CohortJournal

@Suite("The state file")
struct JournalStoreTests {
    private let fixture: JournalFixture

    init() throws { fixture = try JournalFixture() }

    @Test("gives back every row with all its fields")
    func roundTrip() throws {
        let batch = JournalFixture.fullBatch()
        var expected = JournalState()
        expected.apply(batch)
        do {
            let store = try fixture.store()
            #expect(try store.rows() == JournalState())
            try store.write([batch])
            #expect(try store.rows() == expected)
            try store.close()
        }
        #expect(try fixture.store().rows() == expected)
    }

    @Test("is what the batches say, whatever they replace and delete, and however they are put together")
    func sequences() throws {
        let ref = AttemptRef(task: TaskKey(index: 1, generation: 1), attempt: 1)
        var second = JournalBatch()
        second.counters.nextGroup = 12
        second.departedClients = [PeerToken(.max)]
        second.departedJoins = [ClientKey(client: PeerToken(5), key: GroupKey(.max))]
        second.forgottenWorkers = [9]
        second.groups = [JournalFixture.group(12)]
        second.tasks = [JournalFixture.task(7, 0, ref)]
        second.settledFailures = [JournalTaskPlace(group: GroupID(7), index: 1)]
        second.ends = [JournalFixture.end(3, 7, 0), JournalFixture.end(4, 8, 0)]
        var third = JournalBatch()
        third.closings = [
            JournalFixture.closing(5, head: 7, group: 8), JournalFixture.closing(6, head: 7, group: 7),
        ]
        var fourth = JournalBatch()
        fourth.forgotten = [GroupID(7)]
        let batches = [JournalFixture.fullBatch(), second, third, fourth]
        let store = try fixture.store()
        var expected = JournalState()
        for batch in batches {
            try store.write([batch])
            expected.apply(batch)
            #expect(try store.rows() == expected)
            // Once more changes nothing.
            try store.write([batch])
            #expect(try store.rows() == expected)
        }
        let other = try JournalFixture()
        let together = try other.store()
        try together.write(batches)
        #expect(try together.rows() == expected)
        #expect(expected.groups.keys.sorted() == [GroupID(12)])
    }

    @Test("belongs to this user alone, with the files beside it")
    func permissions() throws {
        let store = try fixture.store()
        try store.write([JournalFixture.fullBatch()])
        for path in [fixture.path, fixture.path + "-wal"] {
            var status = stat()
            #expect(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600)
        }
        withExtendedLifetime(store) {}
    }

    @Test("has one user at a time")
    func inUse() throws {
        let store = try fixture.store()
        let error = #expect(throws: JournalError.self) { try fixture.store() }
        #expect(error?.code == .inUse)
        #expect(error?.description.contains(fixture.path) == true)
        try store.close()
        _ = try fixture.store()
    }

    @Test("holds all of a transaction or nothing when there is no room, and goes on when there is")
    func full() throws {
        let store = try fixture.store(pages: 40)
        try store.write([JournalFixture.fullBatch()])
        let before = try store.rows()
        var large = JournalBatch()
        large.groups = [JournalFixture.group(30)]
        large.ends = [JournalFixture.end(9, 7, 1, value: [UInt8](repeating: 1, count: 1 << 20))]
        let error = #expect(throws: JournalError.self) { try store.write([large]) }
        #expect(error?.code == .full)
        #expect(try store.rows() == before)
        var small = JournalBatch()
        small.groups = [JournalFixture.group(31)]
        try store.write([small])
        #expect(try store.rows().groups[GroupID(31)] != nil)
    }

    @Test("gives room back when groups are forgotten")
    func shrinks() throws {
        let store = try fixture.store()
        var batch = JournalBatch()
        batch.groups = [JournalFixture.group(7)]
        batch.ends = (0..<64).map {
            JournalFixture.end($0, 7, UInt32($0), value: [UInt8](repeating: 1, count: 64 << 10))
        }
        try store.write([batch])
        var forgetting = JournalBatch()
        forgetting.forgotten = [GroupID(7)]
        try store.write([forgetting])
        while try store.tidy() {}
        try store.close()
        var status = stat()
        #expect(stat(fixture.path, &status) == 0)
        #expect(status.st_size < 256 << 10)
    }

    // MARK: Files that cannot be used

    private func expectError(_ code: JournalError.Code, _ text: String, at path: String? = nil) {
        let path = path ?? fixture.path
        let error = #expect(throws: JournalError.self) { try JournalStore(path: path).load() }
        #expect(error?.code == code)
        #expect(error?.path == path)
        #expect(error?.description.contains(text) == true, "\(String(describing: error))")
    }

    @Test("is refused where it cannot be made")
    func places() throws {
        expectError(.unavailable, "there is no directory", at: fixture.directory + "/no/state.db")
        expectError(.unavailable, "is no file", at: fixture.directory)
    }

    @Test("is refused when it is something else", arguments: [1, 100, 5_000])
    func otherFile(size: Int) throws {
        let text = String(repeating: "no database ", count: 500).prefix(size)
        try Data(text.utf8).write(to: URL(filePath: fixture.path))
        expectError(.corrupt, "no state file")
        #expect(try Data(contentsOf: URL(filePath: fixture.path)) == Data(text.utf8))
    }

    @Test("is refused when it is another program's database, and that is left alone")
    func foreignDatabase() throws {
        let database = try DatabaseQueue(path: fixture.path)
        try database.writeWithoutTransaction { try $0.execute(sql: "CREATE TABLE a (b)") }
        try database.close()
        let before = try Data(contentsOf: URL(filePath: fixture.path))
        expectError(.corrupt, "another program")
        #expect(try Data(contentsOf: URL(filePath: fixture.path)) == before)
    }

    @Test(
        "is refused when another version has written it that this one cannot read",
        arguments: [(99, JournalError.Code.newer, "format 99"), (1, .older, "format (1)")]
    )
    func otherVersion(_ version: Int, _ code: JournalError.Code, _ words: String) throws {
        try fixture.store().close()
        let database = try DatabaseQueue(path: fixture.path)
        try database.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = \(version)") }
        try database.close()
        expectError(code, words)
    }

    @Test("is refused when it is damaged")
    func damaged() throws {
        let store = try fixture.store()
        var batch = JournalFixture.fullBatch()
        batch.groups += (100..<300).map { JournalFixture.group($0) }
        try store.write([batch])
        try store.close()
        let file = open(fixture.path, O_RDWR)
        defer { close(file) }
        let size = lseek(file, 0, Int32(SEEK_END))
        let noise = [UInt8](repeating: 0xa5, count: 4_096)
        for offset in stride(from: 8_192, to: size, by: 4_096) { _ = pwrite(file, noise, 4_096, offset) }
        expectError(.corrupt, "damaged")
    }

    @Test("is refused when a record cannot be read")
    func damagedRecord() throws {
        let store = try fixture.store()
        try store.write([JournalFixture.fullBatch()])
        try store.close()
        let database = try DatabaseQueue(path: fixture.path)
        try database.writeWithoutTransaction { try $0.execute(sql: "UPDATE groups SET record = x'ff00'") }
        try database.close()
        let error = #expect(throws: JournalError.self) { try fixture.store().rows() }
        #expect(error?.code == .corrupt)
    }
}
